// Which elements an invocation visits.
//
// A row is cut into tiles, a tile belongs to a team (a workgroup, or one lane for short rows). A workgroup's
// tile is cut into contiguous runs, one for each RUN_LANES neighbouring lanes, which walk it side by
// side: coalesced where lanes run in lockstep, and sequential where an adapter runs a workgroup's subgroups one
// after the other. A lane takes four elements at a time, a quad. Expects `params`, team_lanes() and WIDE.

override RUN_LANES: u32 = 32u;

struct Run {
    row: u32,
    // The first voxels of the lane's quads: first, first + stride, … below end.
    first: u32,
    end: u32,
    stride: u32,
    // From one voxel of a quad to the next: neighbours where one access of 16 bytes reads them, else so far apart
    // that neighbouring lanes read neighbouring words.
    step: u32,
    // Voxel + offset is the index of an element, voxel + mask_offset that of a mask entry, both from the
    // window's first element. They wrap below zero, as does the sum.
    offset: u32,
    mask_offset: u32,
}

fn locate(tile: u32, rank: u32) -> Run {
    let row = tile / params.tiles_per_row;
    let begin = (tile % params.tiles_per_row) * params.tile_length;
    let end = begin + min(params.tile_length, params.voxels - begin);
    let lanes = min(RUN_LANES, team_lanes());
    let runs = team_lanes() / lanes;
    let stride = 4u * lanes;
    // Rounded up to whole strides, so that runs start aligned to each other.
    let run_length = (end - begin + runs * stride - 1u) / (runs * stride) * stride;
    let run_first = min(begin + (rank / lanes) * run_length, end);
    return Run(
        row,
        run_first + (rank % lanes) * select(1u, 4u, WIDE),
        run_first + min(run_length, end - run_first),
        stride,
        select(lanes, 1u, WIDE),
        (row - params.first_row) * params.voxels - params.first_voxel,
        (row / params.classes - params.first_sample) * params.voxels - params.first_voxel,
    );
}

// Which of a quad's voxels lie in the run.
fn slots_inside(run: Run, voxel: u32) -> vec4<bool> {
    return vec4<u32>(0u, 1u, 2u, 3u) * run.step < vec4<u32>(run.end - voxel);
}
