// Loader of f32 targets. Expects `params` and `targets_word`.

fn target_bits(index: u32) -> u32 {
    return targets_word(params.targets_base + index);
}
