// Loader of f32 targets. Expects `params`, `targets_words` and `ignored`.

const HAS_LABELS: bool = false;

// The ignore index is compared by bits, and -0 is 0.
fn unsigned_zero(bits: vec4<u32>) -> vec4<u32> {
    return select(bits, vec4<u32>(), bits == vec4<u32>(0x80000000u));
}

fn target_bits(run: Run, voxel: u32) -> Words {
    let words = targets_words(params.targets_base + element_index(run, voxel), params.voxel_step);
    return Words(ignored(unsigned_zero(words.low), words.low), ignored(unsigned_zero(words.high), words.high));
}
