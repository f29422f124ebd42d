// Loader of an f32 0/1 mask. Expects `params` and `mask_words`.

const MASKED: bool = true;

fn mask_bits(index: u32) -> Words {
    return mask_words(params.mask_base + index, 1u);
}
