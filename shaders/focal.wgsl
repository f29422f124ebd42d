// The modulating factors of focal losses, and what four elements add to them.
//
// Derived in reference::pointwise. Expects Chance, Pointwise, the kinds of `statistics` and `numeric`.

struct Factor {
    value: vec4<f32>,
    slope: vec4<f32>,
}

// f = u^γ and df/dz = γ·f·(du/dz)/u by the relative slope (du/dz)/u, which is 0 where u is.
fn factor_of(u: vec4<f32>, relative_slope: vec4<f32>, gamma: f32) -> Factor {
    let value = power_of(u, gamma);
    return Factor(value, gamma * value * relative_slope);
}

fn mixture_factor(c: Chance, t: vec4<f32>, gamma: f32) -> Factor {
    let u = t * c.q + (1.0 - t) * c.p;
    return factor_of(u, (1.0 - 2.0 * t) * c.p * c.q * c.chain / max(u, vec4<f32>(LEAST_NORMAL)), gamma);
}

// u = σ(y), (du/dz)/u = -(2t-1)·σ(-y).
fn margin_factor(c: Chance, t: vec4<f32>, gamma: f32) -> Factor {
    let tilt = 2.0 * t - 1.0;
    let y = -c.logit * tilt;
    let e = exp_nonpositive(-abs(y));
    let larger = 1.0 / (1.0 + e);
    let positive = y >= vec4<f32>();
    let u = select(e * larger, larger, positive);
    return factor_of(u, -tilt * select(larger, e * larger, positive) * c.chain, gamma);
}

fn likelihood_factor(c: Chance, t: vec4<f32>, gamma: f32, threshold: f32) -> Factor {
    let loss = t * c.loss_1 + (1.0 - t) * c.loss_0;
    let likelihood = exp_nonpositive(-loss);
    let u = -expm1_nonpositive(-loss);
    let relative = likelihood * (c.p - t) * c.chain / max(u, vec4<f32>(LEAST_NORMAL));
    if threshold > 0.0 {
        let free = factor_of(u / threshold, relative, gamma);
        let reduced = likelihood < vec4<f32>(threshold);
        return Factor(select(free.value, vec4<f32>(1.0), reduced), select(free.slope, vec4<f32>(), reduced));
    }
    return factor_of(u, relative, gamma);
}

fn modulating_factor(kind: u32, c: Chance, t: vec4<f32>, settings: vec4<f32>) -> Factor {
    switch kind & KIND {
        case FOCAL_MIXTURE: {
            return mixture_factor(c, t, settings.z);
        }
        case FOCAL_MARGIN: {
            return margin_factor(c, t, settings.z);
        }
        default: {
            return likelihood_factor(c, t, settings.z, settings.w);
        }
    }
}

// The part of an element that α multiplies: t, or all of it where t is 1.
fn share_of_one(kind: u32, settings: vec4<f32>, t: vec4<f32>) -> vec4<f32> {
    let by_ones = (kind & KIND) == FOCAL_MARGIN && settings.w > 0.0;
    return select(t, select(vec4<f32>(), vec4<f32>(1.0), t == vec4<f32>(1.0)), by_ones);
}

fn focal_values(kind: u32, settings: vec4<f32>, c: Chance, t: vec4<f32>) -> Pointwise {
    if (kind & KIND) == FOCAL_SIDES {
        let side_1 = t * power_of(c.q, settings.z);
        let side_0 = (1.0 - t) * power_of(c.p, settings.z);
        return Pointwise(side_1 * c.loss_1, side_0 * c.loss_0, side_1 + side_0);
    }
    let factor = modulating_factor(kind, c, t, settings).value;
    let loss = factor * (t * c.loss_1 + (1.0 - t) * c.loss_0);
    let share = share_of_one(kind, settings, t);
    return Pointwise(share * loss, (1.0 - share) * loss, factor);
}

fn focal_slopes(kind: u32, settings: vec4<f32>, c: Chance, t: vec4<f32>) -> Pointwise {
    let gamma = settings.z;
    if (kind & KIND) == FOCAL_SIDES {
        let side_1 = t * power_of(c.q, gamma) * c.chain;
        let side_0 = (1.0 - t) * power_of(c.p, gamma) * c.chain;
        return Pointwise(
            -side_1 * (gamma * c.p * c.loss_1 + c.q),
            side_0 * (gamma * c.q * c.loss_0 + c.p),
            gamma * (side_0 * c.q - side_1 * c.p),
        );
    }
    let factor = modulating_factor(kind, c, t, settings);
    let loss = t * c.loss_1 + (1.0 - t) * c.loss_0;
    let slope = factor.slope * loss + factor.value * (c.p - t) * c.chain;
    let share = share_of_one(kind, settings, t);
    return Pointwise(share * slope, (1.0 - share) * slope, factor.slope);
}
