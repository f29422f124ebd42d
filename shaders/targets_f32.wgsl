// Loader of f32 targets. Expects `params` and `targets_words`.

fn target_bits(index: u32) -> Words {
    return targets_words(params.targets_base + index);
}
