// Loader of f32 voxel weights. Expects `params` and `voxel_weights_words`.

fn voxel_weight_bits(index: u32, step: u32) -> vec4<u32> {
    return voxel_weights_words(params.voxel_weights_base + index, step);
}
