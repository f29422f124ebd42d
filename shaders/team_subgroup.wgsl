// A team is a workgroup; its subgroups add up by themselves, one lane adds up the subgroups by pairs.
//
// Expects WORKGROUP_SIZE and MAX_SUBGROUPS, the workgroup size over the least subgroup size. WebGPU proper
// wants `enable subgroups;` in front, which naga does not know.

override MAX_SUBGROUPS: u32 = 64u;

struct Invocation {
    group: vec3<u32>,
    grid: vec3<u32>,
    lane: u32,
    subgroup: u32,
    subgroups: u32,
    subgroup_lane: u32,
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn start(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
    run(Invocation(group, grid, lane, subgroup, subgroups, subgroup_lane));
}

var<workgroup> team_values: array<vec4<f32>, MAX_SUBGROUPS>;

fn team_index(at: Invocation) -> u32 {
    return at.group.y * at.grid.x + at.group.x;
}

fn team_rank(at: Invocation) -> u32 {
    return at.lane;
}

fn team_lanes() -> u32 {
    return WORKGROUP_SIZE;
}

fn team_sum(at: Invocation, value: vec4<f32>) -> vec4<f32> {
    let sum = subgroupAdd(value);
    // The result of an earlier call may still be being read.
    workgroupBarrier();
    if at.subgroup_lane == 0u {
        team_values[at.subgroup] = sum;
    }
    workgroupBarrier();
    if at.lane == 0u {
        // By pairs, not in sequence: rounding grows like the depth, and subgroups of 4 leave 64 sums.
        for (var apart = 1u; apart < at.subgroups; apart = apart * 2u) {
            for (var i = 0u; i + apart < at.subgroups; i = i + 2u * apart) {
                team_values[i] = team_values[i] + team_values[i + apart];
            }
        }
    }
    workgroupBarrier();
    return team_values[0];
}
