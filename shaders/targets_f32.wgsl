// Loader of f32 targets. Expects `params` and `targets_words`.

fn target_bits(index: u32, step: u32) -> vec4<u32> {
    return targets_words(params.targets_base + index, step);
}
