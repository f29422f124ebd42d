// Cross-entropy over classes and its focal form: what four elements add, and the slopes of that.
//
// Derived in reference::pointwise. Expects Quad, Chance, Pointwise, the kinds of `statistics` and `numeric`.

// p, 1 - p, -ln p, and d(ln p)/dz; 1 for that where the derivative by ln p is wanted.
struct Likelihood {
    p: vec4<f32>,
    q: vec4<f32>,
    loss: vec4<f32>,
    slope: vec4<f32>,
}

// Of normalised numbers, held within the clip without a slope outside.
fn held_likelihood(clip: f32, v: Quad) -> Likelihood {
    let is_low = v.soft_p < vec4<f32>(clip);
    let is_high = v.soft_q < vec4<f32>(clip);
    let most = log1p_bounded(vec4<f32>(-clip));
    let least = log_positive(vec4<f32>(max(clip, LEAST_NORMAL)));
    return Likelihood(
        clamp(v.soft_p, vec4<f32>(clip), vec4<f32>(1.0 - clip)),
        clamp(v.soft_q, vec4<f32>(clip), vec4<f32>(1.0 - clip)),
        select(select(v.soft_loss, -most, is_high), -least, is_low),
        select(vec4<f32>(1.0), vec4<f32>(), is_low | is_high),
    );
}

fn likelihood_of(kind: u32, clip: f32, v: Quad) -> Likelihood {
    if (kind & ACTIVATION) == NORMALIZED { return held_likelihood(clip, v); }
    if (kind & ACTIVATION) == SOFTMAX { return Likelihood(v.soft_p, v.soft_q, v.soft_loss, vec4<f32>(1.0)); }
    let c = chance_of(kind, clip, v);
    return Likelihood(c.p, c.q, c.loss_1, c.q * c.chain);
}

// The parts of A, S and T.
fn cross_entropy_values(kind: u32, settings: vec4<f32>, v: Quad) -> Pointwise {
    let l = likelihood_of(kind, settings.y, v);
    var loss = l.loss;
    if settings.z > 0.0 { loss = loss * power_of(l.q, settings.z); }
    return Pointwise(v.t * loss, loss, v.t);
}

fn cross_entropy_slopes(kind: u32, settings: vec4<f32>, v: Quad) -> Pointwise {
    let l = likelihood_of(kind, settings.y, v);
    let gamma = settings.z;
    var descent = -l.slope;
    if gamma > 0.0 {
        // -ln p comes to 1 - p where that is nothing.
        let by_q = select(l.loss / max(l.q, vec4<f32>(LEAST_NORMAL)), vec4<f32>(1.0), l.q < vec4<f32>(LEAST_NORMAL));
        descent = descent * power_of(l.q, gamma) * (1.0 + gamma * l.p * by_q);
    }
    return Pointwise(v.t * descent, descent, vec4<f32>());
}
