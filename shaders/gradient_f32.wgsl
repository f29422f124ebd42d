// Storer of f32 gradients; returns the bits of what was stored. Expects `params` and `output_store`.

fn store_gradient(index: u32, value: f32) -> u32 {
    let bits = bitcast<u32>(value);
    output_store(params.output_base + index, bits);
    return bits;
}
