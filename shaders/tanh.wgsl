// The hyperbolic tangent of four logits. Expects Value, exp_nonpositive and expm1_nonpositive.

// With e = e^-2|z|: tanh|z| = (1 - e)/(1 + e), 1 - tanh|z| = 2e/(1 + e), and the slope is 4e/(1 + e)².
fn tanh_value(z: vec4<f32>) -> Value {
    let x = -2.0 * abs(z);
    let e = exp_nonpositive(x);
    let size = -expm1_nonpositive(x) / (1.0 + e);
    let rest = 2.0 * e / (1.0 + e);
    let negative = z < vec4<f32>();
    return Value(select(size, -size, negative), select(rest, 1.0 + size, negative), rest * (2.0 - rest));
}
