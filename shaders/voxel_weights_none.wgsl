// Every element weighs 1. Expects ONE_BITS.

const WEIGHTED: bool = false;

fn voxel_weight_bits(index: u32, step: u32) -> Words {
    return Words(vec4<u32>(ONE_BITS), vec4<u32>(ONE_BITS));
}
