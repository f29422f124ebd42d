// A team is a workgroup; its sum is a binary tree in workgroup memory, always of the same shape.
//
// Expects WORKGROUP_SIZE, a power of two.

struct Invocation {
    group: vec3<u32>,
    grid: vec3<u32>,
    lane: u32,
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn start(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    run(Invocation(group, grid, lane));
}

var<workgroup> team_values: array<vec4<f32>, WORKGROUP_SIZE>;

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
    // The result of an earlier call may still be being read.
    workgroupBarrier();
    team_values[at.lane] = value;
    workgroupBarrier();
    for (var half = WORKGROUP_SIZE / 2u; half > 0u; half = half / 2u) {
        if at.lane < half {
            team_values[at.lane] = team_values[at.lane] + team_values[at.lane + half];
        }
        workgroupBarrier();
    }
    return team_values[0];
}
