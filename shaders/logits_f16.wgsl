// Loader of f16 logits. Expects `params`, `tile` and `logits_words`.

const PREDICTS_LABELS: bool = false;

fn widened(half: vec4<u32>) -> vec4<u32> {
    let low = unpack2x16float(half.x | (half.y << 16u));
    let high = unpack2x16float(half.z | (half.w << 16u));
    // By hand what is no finite number: conversions need not keep it.
    let finite = bitcast<vec4<u32>>(vec4<f32>(low, high));
    let is_finite = (half & vec4<u32>(0x7c00u)) != vec4<u32>(0x7c00u);
    return select(vec4<u32>(0x7fc00000u), finite, is_finite);
}

fn logit_bits(run: Run, voxel: u32) -> Words {
    let half = logits_words(params.logits_base + element_index(run, voxel), params.voxel_step);
    return Words(widened(half.low), widened(half.high));
}
