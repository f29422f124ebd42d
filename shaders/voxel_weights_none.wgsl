// Every element weighs 1. Expects nothing.

fn voxel_weight_bits(index: u32, step: u32) -> vec4<u32> {
    return vec4<u32>(ONE_BITS);
}
