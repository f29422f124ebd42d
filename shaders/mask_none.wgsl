// Everything counts. Expects ONE_BITS.

const MASKED: bool = false;

fn mask_bits(index: u32) -> Words {
    return Words(vec4<u32>(ONE_BITS), vec4<u32>(ONE_BITS));
}
