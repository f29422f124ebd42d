// Loader of f32 weights, one a voxel for all its classes. Expects `params`, `tile` and `voxel_weights_words`.

const WEIGHTED: bool = true;
const SHARES_WEIGHTS: bool = true;

fn voxel_weight_bits(run: Run, voxel: u32) -> Words {
    return voxel_weights_words(params.voxel_weights_base + voxel + run.mask_offset, 1u);
}
