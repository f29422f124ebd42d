// Storer of bf16 gradients, rounded to nearest, ties to even; returns the magnitudes of what was stored, as f32. Expects
// `params`, MAGNITUDE and `output_store`.

fn rounded(value: vec4<f32>) -> vec4<u32> {
    let bits = bitcast<vec4<u32>>(value);
    let half = (bits + vec4<u32>(0x7fffu) + ((bits >> vec4<u32>(16u)) & vec4<u32>(1u))) >> vec4<u32>(16u);
    // Of what is no finite number the upper half is left alone, lest a NaN become infinite.
    let is_finite = (bits & vec4<u32>(MAGNITUDE)) < vec4<u32>(INFINITY_BITS);
    return select(bits >> vec4<u32>(16u), half, is_finite);
}

fn store_gradient(index: u32, low: vec4<f32>, high: vec4<f32>, inside: Inside) -> Words {
    let halves = Words(rounded(low), rounded(high));
    output_store(params.output_base + index, params.voxel_step, halves, inside);
    let shift = vec4<u32>(16u);
    return Words((halves.low << shift) & vec4<u32>(MAGNITUDE), (halves.high << shift) & vec4<u32>(MAGNITUDE));
}
