// A team is one lane: rows so short that a workgroup each would idle.
//
// Expects WORKGROUP_SIZE.

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

fn team_index(at: Invocation) -> u32 {
    return (at.group.y * at.grid.x + at.group.x) * WORKGROUP_SIZE + at.lane;
}

fn team_rank(at: Invocation) -> u32 {
    return 0u;
}

fn team_lanes() -> u32 {
    return 1u;
}

fn team_sum(at: Invocation, value: vec4<f32>) -> vec4<f32> {
    return value;
}
