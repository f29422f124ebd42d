// Loader of f32 voxel weights. Expects `params` and `voxel_weights_word`.

fn voxel_weight_bits(index: u32) -> u32 {
    return voxel_weights_word(params.voxel_weights_base + index);
}
