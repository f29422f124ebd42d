// Loader of f32 logits. Expects `params`, `tile` and `logits_words`.

const PREDICTS_LABELS: bool = false;

fn logit_bits(run: Run, voxel: u32) -> Words {
    return logits_words(params.logits_base + element_index(run, voxel), params.voxel_step);
}
