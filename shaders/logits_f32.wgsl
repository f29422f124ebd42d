// Loader of f32 logits. Expects `params` and `logits_word`.

fn logit_bits(index: u32) -> u32 {
    return logits_word(params.logits_base + index);
}
