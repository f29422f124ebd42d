// Loader of bf16 logits: the upper halves of f32. Expects `params`, `tile` and `logits_words`.

const PREDICTS_LABELS: bool = false;

fn logit_bits(run: Run, voxel: u32) -> Words {
    let half = logits_words(params.logits_base + element_index(run, voxel), params.voxel_step);
    return Words(half.low << vec4<u32>(16u), half.high << vec4<u32>(16u));
}
