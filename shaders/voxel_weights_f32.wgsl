// Loader of f32 voxel weights. Expects `params` and `voxel_weights_words`.

const WEIGHTED: bool = true;

fn voxel_weight_bits(index: u32, step: u32) -> Words {
    return voxel_weights_words(params.voxel_weights_base + index, step);
}
