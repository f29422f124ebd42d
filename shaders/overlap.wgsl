// What four elements have in common: the sums of the overlap losses.
//
// Expects Quad, weighted, totals, tanh_value and the kinds of `statistics`.

// p by its activation, 1 - p, and dp/dz.
struct Value {
    p: vec4<f32>,
    q: vec4<f32>,
    slope: vec4<f32>,
}

fn value_of(kind: u32, v: Quad) -> Value {
    switch kind & ACTIVATION {
        case SIGMOID: {
            return Value(v.p, v.q, v.pq);
        }
        case TANH: {
            return tanh_value(v.z);
        }
        // By ln p, not by z: see gradient_columns.
        case SOFTMAX: {
            return Value(v.soft_p, v.soft_q, v.soft_p);
        }
        case LOG_SOFTMAX: {
            return Value(-v.soft_loss, 1.0 + v.soft_loss, vec4<f32>(1.0));
        }
        default: {
            return Value(v.z, 1.0 - v.z, vec4<f32>(1.0));
        }
    }
}

// What a hard overlap compares.
fn compared(kind: u32, v: Quad) -> vec4<f32> {
    switch kind & ACTIVATION {
        case SOFTMAX: {
            return v.soft_p;
        }
        case ARGMAX: {
            return v.top;
        }
        default: {
            return v.z;
        }
    }
}

// min(|p|, |t|) where p and t are on one side of 0, else 0: (|p| + |t| - |p - t|)/2 without its cancellation.
fn smaller(p: vec4<f32>, t: vec4<f32>) -> vec4<f32> {
    let apart = (p < vec4<f32>()) != (t < vec4<f32>());
    return select(min(abs(p), abs(t)), vec4<f32>(), apart);
}

fn overlap_contribution(kind: u32, cut: vec2<f32>, v: Quad) -> vec4<f32> {
    let value = value_of(kind, v);
    let p = value.p;
    switch kind & KIND {
        case OVERLAP: {
            // The parts outside the intersection: near a perfect score P - I and T - I would be rounding.
            let pt = p * v.t;
            return totals(weighted(v, pt), v.weight * (p - pt), weighted(v, value.q * v.t), v);
        }
        case OVERLAP_MINIMUM: {
            let both = smaller(p, v.t);
            return totals(weighted(v, both), v.weight * (abs(p) - both), weighted(v, abs(v.t) - both), v);
        }
        case OVERLAP_SQUARED: {
            return totals(v.weight * p * v.t, v.weight * p * p, v.weight * v.t * v.t, v);
        }
        default: {
            let hard_p = select(vec4<f32>(), v.counts, compared(kind, v) > vec4<f32>(cut.x));
            let hard_t = select(vec4<f32>(), v.counts, v.t > vec4<f32>(cut.y));
            return totals(hard_p * hard_t, hard_p * (1.0 - hard_t), hard_t * (1.0 - hard_p), v);
        }
    }
}

// With respect to z, for c = (∂L/∂I, ∂L/∂P). Minima may be those of numbers that are not negative.
fn overlap_slope(kind: u32, is_positive: f32, c: vec2<f32>, v: Quad) -> vec4<f32> {
    let value = value_of(kind, v);
    let p = value.p;
    switch kind & KIND {
        case OVERLAP: {
            return (c.x * v.t + c.y) * value.slope;
        }
        case OVERLAP_MINIMUM: {
            let side = max(sign(p), vec4<f32>(2.0 * is_positive - 1.0));
            return (0.5 * c.x * (side - sign(p - v.t)) + c.y * side) * value.slope;
        }
        case OVERLAP_SQUARED: {
            return (c.x * v.t + 2.0 * c.y * p) * value.slope;
        }
        // A step function.
        default: {
            return vec4<f32>();
        }
    }
}
