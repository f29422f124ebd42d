// The inputs of coupled classes are logits: their shares are e^(z-m), by the largest of them. Expects Quad, Softmax and `numeric`.

// An input as it is compared.
fn coupled_input(z: vec4<f32>) -> vec4<f32> {
    return z;
}

// e^(z-m).
fn share_of_largest(z: vec4<f32>, m: vec4<f32>) -> vec4<f32> {
    return exp_difference(z, m);
}

// m - z.
fn below_largest(z: vec4<f32>, m: vec4<f32>) -> vec4<f32> {
    return m - z;
}

// What u and Σ u are multiplied with.
struct Inward {
    own: vec4<f32>,
    of_sum: vec4<f32>,
}

fn inward(v: Quad, s: Softmax) -> Inward {
    return Inward(vec4<f32>(1.0), v.soft_p);
}
