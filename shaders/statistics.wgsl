// What one element adds to the sums, and what the sums' derivatives make of it.
//
// Expects exp_nonpositive, log1p_bounded, log_probability, log_complement and the kinds below as overrides.
// The oracle of `contribution` is `reference::accumulate`, that of `slope` is `reference::gradient`.

// Kinds of statistics: mirrored by `statistic` in src/params.rs.
const NO_STATISTIC: u32 = 0u;
const OVERLAP: u32 = 1u;
const OVERLAP_SQUARED: u32 = 2u;
const OVERLAP_SIGMOID: u32 = 3u;
const OVERLAP_SIGMOID_SQUARED: u32 = 4u;
const OVERLAP_HARD: u32 = 5u;
const CROSS_ENTROPY: u32 = 6u;
const CROSS_ENTROPY_SIGMOID: u32 = 7u;

override STATISTIC_0: u32 = 0u;
override STATISTIC_1: u32 = 0u;
override STATISTIC_2: u32 = 0u;
override STATISTIC_3: u32 = 0u;

struct Element {
    z: f32,
    t: f32,
    // Mask × voxel weight; 0 for an element that is not a usable number.
    weight: f32,
    // 1 if the element counts, else 0.
    counts: f32,
    // σ(z), σ(-z) and ln(1 + e^-|z|); unused ones are removed by the compiler.
    p: f32,
    q: f32,
    tail: f32,
}

fn element(z: f32, t: f32, weight: f32, counts: f32) -> Element {
    // With e = e^-|z|: σ(|z|) = 1/(1 + e), σ(-|z|) = e/(1 + e). Neither cancels nor overflows.
    let e = exp_nonpositive(-abs(z));
    let larger = 1.0 / (1.0 + e);
    let smaller = e * larger;
    let positive = z >= 0.0;
    return Element(z, t, weight, counts, select(smaller, larger, positive), select(larger, smaller, positive), log1p_bounded(e));
}

// (three sums, count)
fn contribution(kind: u32, cut: vec2<f32>, v: Element) -> vec4<f32> {
    switch kind {
        case OVERLAP: {
            return vec4<f32>(v.weight * vec3<f32>(v.z * v.t, v.z, v.t), v.counts);
        }
        case OVERLAP_SQUARED: {
            return vec4<f32>(v.weight * vec3<f32>(v.z * v.t, v.z * v.z, v.t * v.t), v.counts);
        }
        case OVERLAP_SIGMOID: {
            return vec4<f32>(v.weight * vec3<f32>(v.p * v.t, v.p, v.t), v.counts);
        }
        case OVERLAP_SIGMOID_SQUARED: {
            return vec4<f32>(v.weight * vec3<f32>(v.p * v.t, v.p * v.p, v.t * v.t), v.counts);
        }
        case OVERLAP_HARD: {
            let p = select(0.0, v.counts, v.z > cut.x);
            let t = select(0.0, v.counts, v.t > cut.y);
            return vec4<f32>(p * t, p, t, v.counts);
        }
        case CROSS_ENTROPY: {
            let positive = -v.t * log_probability(v.z);
            let negative = -(1.0 - v.t) * log_complement(v.z);
            return vec4<f32>(v.weight * vec3<f32>(positive, negative, 0.0), v.counts);
        }
        case CROSS_ENTROPY_SIGMOID: {
            // -ln σ(z) = max(-z, 0) + ln(1 + e^-|z|).
            let positive = v.t * (max(-v.z, 0.0) + v.tail);
            let negative = (1.0 - v.t) * (max(v.z, 0.0) + v.tail);
            return vec4<f32>(v.weight * vec3<f32>(positive, negative, 0.0), v.counts);
        }
        default: {
            return vec4<f32>();
        }
    }
}

// The derivative with respect to z, for c = (∂L/∂first sum, ∂L/∂second sum). dp/dz = σ(z)·σ(-z).
fn slope(kind: u32, c: vec2<f32>, v: Element) -> f32 {
    switch kind {
        case OVERLAP: {
            return c.x * v.t + c.y;
        }
        case OVERLAP_SQUARED: {
            return c.x * v.t + 2.0 * c.y * v.z;
        }
        case OVERLAP_SIGMOID: {
            return (c.x * v.t + c.y) * (v.p * v.q);
        }
        case OVERLAP_SIGMOID_SQUARED: {
            return (c.x * v.t + 2.0 * c.y * v.p) * (v.p * v.q);
        }
        case CROSS_ENTROPY: {
            let numerator = c.y * (1.0 - v.t) * v.z - c.x * v.t * (1.0 - v.z);
            return numerator / max(v.z * (1.0 - v.z), 1e-12);
        }
        case CROSS_ENTROPY_SIGMOID: {
            return c.y * (1.0 - v.t) * v.p - c.x * v.t * v.q;
        }
        default: {
            return 0.0;
        }
    }
}
