// Which elements an invocation visits.
//
// A row is cut into tiles, a tile belongs to a team (a workgroup, or one lane for short rows). A workgroup's
// tile is cut into contiguous runs, one for each RUN_LANES neighbouring lanes, which walk it side by
// side: coalesced where lanes run in lockstep, and sequential where an adapter runs a workgroup's subgroups one
// after the other. A lane takes eight elements at a time, an octet, of which WIDTH are neighbours; the others lie so far
// apart that neighbouring lanes read neighbouring memory. Expects `params`, team_lanes() and WIDTH.

override RUN_LANES: u32 = 32u;

struct Run {
    row: u32,
    // The first voxels of the lane's octets: first, first + stride, … below end.
    first: u32,
    end: u32,
    stride: u32,
    // Voxel × step + offset is the index of an element, voxel + mask_offset that of a mask entry or label, both from the
    // window's first element. They wrap below zero, as does the sum.
    offset: u32,
    mask_offset: u32,
}

// Something of each element of an octet.
struct Words {
    low: vec4<u32>,
    high: vec4<u32>,
}

struct Inside {
    low: vec4<bool>,
    high: vec4<bool>,
}

fn run_lanes() -> u32 {
    return min(RUN_LANES, team_lanes());
}

// From one element of a quad to the next.
fn slot_step() -> u32 {
    return select(run_lanes(), 1u, WIDTH > 1u);
}

// From the lower quad of an octet to the higher one.
fn quad_step() -> u32 {
    return 4u * select(run_lanes(), 1u, WIDTH > 4u);
}

fn locate(tile: u32, rank: u32) -> Run {
    let row = tile / params.tiles_per_row * params.row_step;
    let begin = (tile % params.tiles_per_row) * params.tile_length + params.part_begin;
    let end = begin + min(params.part_length, params.voxels - begin);
    let lanes = run_lanes();
    let runs = team_lanes() / lanes;
    let stride = 8u * lanes;
    // Rounded up to whole strides, so that runs start aligned to each other.
    let run_length = (end - begin + runs * stride - 1u) / (runs * stride) * stride;
    let run_first = min(begin + (rank / lanes) * run_length, end);
    let mask_offset = (row / params.classes - params.first_sample) * params.voxels - params.first_voxel;
    let channel_first = (row - params.first_row) * params.voxels - params.first_voxel;
    let channel_last = mask_offset * params.voxel_step + row % params.classes;
    return Run(
        row,
        run_first + (rank % lanes) * WIDTH,
        run_first + min(run_length, end - run_first),
        stride,
        select(channel_first, channel_last, params.voxel_step > 1u),
        mask_offset,
    );
}

// The index of an element of the run's row.
fn element_index(run: Run, voxel: u32) -> u32 {
    return voxel * params.voxel_step + run.offset;
}

// How far the last element of an octet lies behind the first. Octets that begin so far before the run's end are whole.
fn octet_reach() -> u32 {
    return quad_step() + 3u * slot_step();
}

fn everything() -> Inside {
    return Inside(vec4<bool>(true), vec4<bool>(true));
}

// Which of an octet's elements lie in the run.
fn slots_inside(run: Run, voxel: u32) -> Inside {
    let low = vec4<u32>(0u, 1u, 2u, 3u) * slot_step();
    let left = vec4<u32>(run.end - voxel);
    return Inside(low < left, low + quad_step() < left);
}
