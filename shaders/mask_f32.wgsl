// Loader of an f32 0/1 mask. Expects `params` and `mask_word`.

fn mask_bits(index: u32) -> u32 {
    return mask_word(params.mask_base + index);
}
