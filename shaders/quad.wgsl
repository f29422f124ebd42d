// Four elements, and what they are as probabilities; a lane takes two such quads at a time.
//
// Expects exp_nonpositive and log1p_bounded.

struct Quad {
    z: vec4<f32>,
    t: vec4<f32>,
    // The voxel weight; 0 for an element that does not count, unless the octet was only `marked`.
    weight: vec4<f32>,
    // 1 if the element counts, else 0.
    counts: vec4<f32>,
    // σ(z), σ(-z), their product and ln(1 + e^-|z|); unused ones are removed by the compiler.
    p: vec4<f32>,
    q: vec4<f32>,
    pq: vec4<f32>,
    tail: vec4<f32>,
    // p, 1 - p and -ln p by softmax, and 1 for the class of the largest logit, where classes are seen together; else 0.
    soft_p: vec4<f32>,
    soft_q: vec4<f32>,
    soft_loss: vec4<f32>,
    top: vec4<f32>,
    // Of distances from the labels: 1 - δ and δ, and in the gradient dL/dp of the class.
    near: vec4<f32>,
    far: vec4<f32>,
    pull: vec4<f32>,
}

struct Octet {
    low: Quad,
    high: Quad,
}

fn quad(z: vec4<f32>, t: vec4<f32>, weight: vec4<f32>, counts: vec4<f32>) -> Quad {
    // With e = e^-|z|: σ(|z|) = 1/(1 + e), σ(-|z|) = e/(1 + e). Neither cancels nor overflows.
    let e = exp_nonpositive(-abs(z));
    let larger = 1.0 / (1.0 + e);
    let smaller = e * larger;
    let positive = z >= vec4<f32>();
    let p = select(smaller, larger, positive);
    let q = select(larger, smaller, positive);
    let none = vec4<f32>();
    return Quad(z, t, weight, counts, p, q, larger * smaller, log1p_bounded(e), none, none, none, none, none, none, none);
}
