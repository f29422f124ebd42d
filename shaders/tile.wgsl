// Which elements an invocation visits.
//
// A row is cut into tiles, a tile belongs to a team (a workgroup, or one lane for short rows). A workgroup's
// tile is cut into contiguous runs, one for each RUN_LANES neighbouring lanes, which walk it side by
// side: coalesced where lanes run in lockstep, and sequential where an adapter runs a workgroup's subgroups one
// after the other. Expects `params` and team_lanes().

override RUN_LANES: u32 = 32u;

struct Run {
    row: u32,
    // Voxels of the row: first, first + stride, … below end.
    first: u32,
    end: u32,
    stride: u32,
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
    // Rounded up to whole strides, so that runs start aligned to each other.
    let strides = (end - begin + runs * lanes - 1u) / (runs * lanes);
    let run_first = min(begin + (rank / lanes) * strides * lanes, end);
    let run_end = run_first + min(strides * lanes, end - run_first);
    return Run(
        row,
        run_first + rank % lanes,
        run_end,
        lanes,
        (row - params.first_row) * params.voxels - params.first_voxel,
        (row / params.classes - params.first_sample) * params.voxels - params.first_voxel,
    );
}
