// Loader of bf16 logits: the upper halves of f32. Expects `params` and `logits_words`.

fn logit_bits(index: u32, step: u32) -> Words {
    let half = logits_words(params.logits_base + index, step);
    return Words(half.low << vec4<u32>(16u), half.high << vec4<u32>(16u));
}
