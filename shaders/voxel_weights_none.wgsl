// Every element weighs 1. Expects nothing.

fn voxel_weight_bits(index: u32) -> u32 {
    return ONE_BITS;
}
