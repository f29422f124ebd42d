// Loader of bits. Expects `params`, `targets_words`, `ignored` and ONE_BITS.

const HAS_LABELS: bool = false;

fn target_bits(run: Run, voxel: u32) -> Words {
    let words = targets_words(params.targets_base + element_index(run, voxel), params.voxel_step);
    return Words(ignored(words.low, words.low * ONE_BITS), ignored(words.high, words.high * ONE_BITS));
}
