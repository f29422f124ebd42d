// Storer of f16 gradients; returns the magnitudes of what was stored, as f32. What is too large for f16 is stored as
// infinite. Expects `params`, MAGNITUDE and `output_store`.

// To nearest, ties to even, by integers: pack2x16float may round either way.
fn rounded_half(value: f32) -> u32 {
    let bits = bitcast<u32>(value);
    let sign = (bits >> 16u) & 0x8000u;
    let size = bits & MAGNITUDE;
    // From 65,520 on; NaNs stay NaNs.
    if size >= 0x477ff000u { return sign | select(0x7c00u, 0x7e00u, size > INFINITY_BITS); }
    if size < 0x38800000u {
        // Below 2^-14: multiples of 2^-24. Adding 1/2 aligns the last bit of the sum with them and rounds.
        return sign | (bitcast<u32>(bitcast<f32>(size) + 0.5) - 0x3f000000u);
    }
    let rebased = size - 0x38000000u;
    return sign | ((rebased + 0xfffu + ((rebased >> 13u) & 1u)) >> 13u);
}

fn rounded(v: vec4<f32>) -> vec4<u32> {
    return vec4<u32>(rounded_half(v.x), rounded_half(v.y), rounded_half(v.z), rounded_half(v.w));
}

fn magnitude(half: vec4<u32>) -> vec4<u32> {
    let size = half & vec4<u32>(0x7fffu);
    let wide = vec4<f32>(unpack2x16float(size.x | (size.y << 16u)), unpack2x16float(size.z | (size.w << 16u)));
    return select(bitcast<vec4<u32>>(wide), vec4<u32>(INFINITY_BITS), size >= vec4<u32>(0x7c00u));
}

fn store_gradient(index: u32, low: vec4<f32>, high: vec4<f32>, inside: Inside) -> Words {
    let halves = Words(rounded(low), rounded(high));
    output_store(params.output_base + index, params.voxel_step, halves, inside);
    return Words(magnitude(halves.low), magnitude(halves.high));
}
