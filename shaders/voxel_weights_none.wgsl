// Every element weighs 1. Expects `tile` and ONE_BITS.

const WEIGHTED: bool = false;
const SHARES_WEIGHTS: bool = false;

fn voxel_weight_bits(run: Run, voxel: u32) -> Words {
    return Words(vec4<u32>(ONE_BITS), vec4<u32>(ONE_BITS));
}
