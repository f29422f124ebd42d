// The inputs of coupled classes are their shares, numbers x >= 0 that are divided by their sum: a softmax of z = ln x, where
// e^(z-m) is x by the largest of them. Expects Quad, Softmax and `numeric`.

// An input as it is compared: what is below the least normal number, which has no logarithm, is that.
fn coupled_input(x: vec4<f32>) -> vec4<f32> {
    return max(x, vec4<f32>(LEAST_NORMAL));
}

// e^(z-m).
fn share_of_largest(x: vec4<f32>, largest: vec4<f32>) -> vec4<f32> {
    return x / largest;
}

// m - z.
fn below_largest(x: vec4<f32>, largest: vec4<f32>) -> vec4<f32> {
    return log_positive(min(largest / x, vec4<f32>(3e38)));
}

// What u and Σ u are multiplied with for dL/dx = (dL/dz)/x: 1/x, and p/x = 1/Σx, whatever is left of p.
struct Inward {
    own: vec4<f32>,
    of_sum: vec4<f32>,
}

fn inward(v: Quad, s: Softmax) -> Inward {
    return Inward(1.0 / coupled_input(v.z), 1.0 / (s.largest * (1.0 + s.rest)));
}
