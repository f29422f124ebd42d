// Targets equal to the ignore index, by the bits they are stored in, do not count. Expects `params`.

const IGNORES: bool = true;

// A NaN of its own; other NaNs are made another.
const IGNORED_BITS: u32 = 0xffffffffu;

fn ignored(raw: vec4<u32>, bits: vec4<u32>) -> vec4<u32> {
    let other = select(bits, vec4<u32>(0x7fc00000u), bits == vec4<u32>(IGNORED_BITS));
    return select(other, vec4<u32>(IGNORED_BITS), raw == vec4<u32>(params.ignored_bits));
}

fn is_ignored(bits: vec4<u32>) -> vec4<bool> {
    return bits == vec4<u32>(IGNORED_BITS);
}
