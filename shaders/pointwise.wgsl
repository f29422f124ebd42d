// What four elements add to the losses that are sums over voxels, and the slopes of that.
//
// Derived in reference::pointwise. Expects Quad, the kinds of `statistics`, `numeric` and `focal`. The settings
// of a statistic are label smoothing, clip, γ and threshold.

struct Pointwise {
    first: vec4<f32>,
    second: vec4<f32>,
    third: vec4<f32>,
}

// A probability, its complement, -ln of both, ln(p/q), and dp/dz by p·q.
struct Chance {
    p: vec4<f32>,
    q: vec4<f32>,
    loss_1: vec4<f32>,
    loss_0: vec4<f32>,
    logit: vec4<f32>,
    chain: vec4<f32>,
}

fn chance_of(kind: u32, clip: f32, v: Quad) -> Chance {
    if (kind & ACTIVATION) == SIGMOID {
        // -ln σ(z) = max(-z, 0) + ln(1 + e^-|z|).
        let loss_1 = max(-v.z, vec4<f32>()) + v.tail;
        return Chance(v.p, v.q, loss_1, max(v.z, vec4<f32>()) + v.tail, v.z, vec4<f32>(1.0));
    }
    // Clipped from both sides: 1 - (1 - clip) is not clip in 24 bits.
    let p = select(v.z, max(v.z, vec4<f32>(clip)), clip > 0.0);
    let q = select(1.0 - v.z, max(1.0 - v.z, vec4<f32>(clip)), clip > 0.0);
    let chain = select(vec4<f32>(), 1.0 / max(p * q, vec4<f32>(1e-12)), (p == v.z) & (q == 1.0 - v.z));
    let loss_1 = -log_probability(p);
    let loss_0 = -log_complement(p, q);
    return Chance(p, q, loss_1, loss_0, loss_0 - loss_1, chain);
}

fn smoothed(t: vec4<f32>, settings: vec4<f32>) -> vec4<f32> {
    return t * (1.0 - settings.x) + 0.5 * settings.x;
}

// The parts of A, B and F.
fn pointwise_values(kind: u32, settings: vec4<f32>, v: Quad) -> Pointwise {
    let c = chance_of(kind, settings.y, v);
    let t = smoothed(v.t, settings);
    if (kind & KIND) == CROSS_ENTROPY { return Pointwise(t * c.loss_1, (1.0 - t) * c.loss_0, vec4<f32>()); }
    return focal_values(kind, settings, c, t);
}

// Their derivatives with respect to z.
fn pointwise_slopes(kind: u32, settings: vec4<f32>, v: Quad) -> Pointwise {
    let c = chance_of(kind, settings.y, v);
    let t = smoothed(v.t, settings);
    if (kind & KIND) == CROSS_ENTROPY { return Pointwise(-t * c.q * c.chain, (1.0 - t) * c.p * c.chain, vec4<f32>()); }
    return focal_slopes(kind, settings, c, t);
}
