// Storer of f32 gradients; returns the magnitudes of what was stored. Expects `params`, MAGNITUDE and `output_store`.

fn store_gradient(index: u32, low: vec4<f32>, high: vec4<f32>, inside: Inside) -> Words {
    let bits = Words(bitcast<vec4<u32>>(low), bitcast<vec4<u32>>(high));
    output_store(params.output_base + index, params.voxel_step, bits, inside);
    return Words(bits.low & vec4<u32>(MAGNITUDE), bits.high & vec4<u32>(MAGNITUDE));
}
