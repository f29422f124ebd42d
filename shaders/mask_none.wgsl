// Everything counts. Expects nothing.

fn mask_bits(index: u32) -> u32 {
    return ONE_BITS;
}
