// Storer of f32 gradients; returns the bits of what was stored. Expects `params` and `output_store`.

fn store_gradient(index: u32, step: u32, values: vec4<f32>, inside: vec4<bool>) -> vec4<u32> {
    let bits = bitcast<vec4<u32>>(values);
    output_store(params.output_base + index, step, bits, inside);
    return bits;
}
