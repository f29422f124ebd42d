// Loader of f32 logits. Expects `params` and `logits_words`.

fn logit_bits(index: u32, step: u32) -> Words {
    return logits_words(params.logits_base + index, step);
}
