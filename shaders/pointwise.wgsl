// What four elements add to the losses that are sums over voxels, and the slopes of that.
//
// Derived in reference::pointwise. Expects Quad, the kinds of `statistics`, `numeric`, `focal` and `cross_entropy`. The settings
// of a statistic are label smoothing, clip, γ and threshold; in its place by margin 1 where α goes by ones.

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

// Of odds, which are held within the clip: with y = ln x, -ln p = max(-y, 0) + ln(1 + e^-|y|), and e^-|y| is x or 1/x.
fn chance_of_odds(clip: f32, v: Quad) -> Chance {
    let held = select(v.z, clamp(v.z, vec4<f32>(clip), vec4<f32>(1.0 - clip)), clip > 0.0);
    let x = max(held, vec4<f32>(LEAST_NORMAL));
    let y = log_positive(x);
    let tail = log1p_bounded(select(1.0 / x, x, x <= vec4<f32>(1.0)));
    let q = 1.0 / (1.0 + x);
    let chain = select(vec4<f32>(), 1.0 / x, x == v.z);
    return Chance(x * q, q, max(-y, vec4<f32>()) + tail, max(y, vec4<f32>()) + tail, y, chain);
}

fn chance_of(kind: u32, clip: f32, v: Quad) -> Chance {
    if (kind & ACTIVATION) == ODDS { return chance_of_odds(clip, v); }
    if (kind & ACTIVATION) == SIGMOID {
        // -ln σ(z) = max(-z, 0) + ln(1 + e^-|z|).
        let loss_1 = max(-v.z, vec4<f32>()) + v.tail;
        return Chance(v.p, v.q, loss_1, max(v.z, vec4<f32>()) + v.tail, v.z, vec4<f32>(1.0));
    }
    // Each clipped by itself: 1 - (1 - clip) is not clip in 24 bits.
    let low = vec4<f32>(clip);
    let high = vec4<f32>(1.0 - clip);
    let p = select(v.z, clamp(v.z, low, high), clip > 0.0);
    let q = select(1.0 - v.z, clamp(1.0 - v.z, low, high), clip > 0.0);
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
    if (kind & KIND) == CROSS_ENTROPY { return cross_entropy_values(kind, settings, v); }
    let c = chance_of(kind, settings.y, v);
    let t = smoothed(v.t, settings);
    if (kind & KIND) == BINARY_CROSS_ENTROPY { return Pointwise(t * c.loss_1, (1.0 - t) * c.loss_0, vec4<f32>()); }
    return focal_values(kind, settings, c, t);
}

// Their derivatives with respect to z, or to ln p where that is by softmax.
fn pointwise_slopes(kind: u32, settings: vec4<f32>, v: Quad) -> Pointwise {
    if (kind & KIND) == CROSS_ENTROPY { return cross_entropy_slopes(kind, settings, v); }
    let c = chance_of(kind, settings.y, v);
    let t = smoothed(v.t, settings);
    if (kind & KIND) == BINARY_CROSS_ENTROPY { return Pointwise(-t * c.q * c.chain, (1.0 - t) * c.p * c.chain, vec4<f32>()); }
    return focal_slopes(kind, settings, c, t);
}
