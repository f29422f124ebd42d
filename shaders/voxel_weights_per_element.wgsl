// Loader of f32 weights, one a voxel and class. Expects `params`, `tile` and `voxel_weights_words`.

const WEIGHTED: bool = true;
const SHARES_WEIGHTS: bool = false;

fn voxel_weight_bits(run: Run, voxel: u32) -> Words {
    return voxel_weights_words(params.voxel_weights_base + element_index(run, voxel), params.voxel_step);
}
