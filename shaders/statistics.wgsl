// What four elements add to the sums, and what the sums' derivatives make of them.
//
// Expects Quad, WEIGHTED, sum_of_slots, log_probability, log_complement and the kinds below as overrides.
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

// Weighted, of what is 0 already where nothing counts.
fn weighted(v: Quad, x: vec4<f32>) -> vec4<f32> {
    if WEIGHTED { return v.weight * x; }
    return x;
}

// (Σ first, Σ second, Σ third, count) over the quad. Without a mask the count is left out: `accumulate` knows it.
fn totals(first: vec4<f32>, second: vec4<f32>, third: vec4<f32>, v: Quad) -> vec4<f32> {
    var counted = 0.0;
    if MASKED { counted = sum_of_slots(v.counts); }
    return vec4<f32>(sum_of_slots(first), sum_of_slots(second), sum_of_slots(third), counted);
}

// Weighted -t·ln p and -(1-t)·ln(1-p) of each element.
struct CrossEntropy {
    positive: vec4<f32>,
    negative: vec4<f32>,
}

fn cross_entropy(kind: u32, v: Quad) -> CrossEntropy {
    let weight_0 = v.weight * (1.0 - v.t);
    let weight_1 = v.weight * v.t;
    if kind == CROSS_ENTROPY {
        return CrossEntropy(-weight_1 * log_probability(v.z), -weight_0 * log_complement(v.z));
    }
    // -ln σ(z) = max(-z, 0) + ln(1 + e^-|z|).
    return CrossEntropy(weight_1 * (max(-v.z, vec4<f32>()) + v.tail), weight_0 * (max(v.z, vec4<f32>()) + v.tail));
}

fn contribution(kind: u32, cut: vec2<f32>, v: Quad) -> vec4<f32> {
    switch kind {
        case OVERLAP, OVERLAP_SIGMOID: {
            // The parts outside the intersection: near a perfect score P - I and T - I would be rounding.
            let p = select(v.p, v.z, kind == OVERLAP);
            let q = select(v.q, 1.0 - v.z, kind == OVERLAP);
            let pt = p * v.t;
            return totals(weighted(v, pt), v.weight * (p - pt), weighted(v, q * v.t), v);
        }
        case OVERLAP_SQUARED, OVERLAP_SIGMOID_SQUARED: {
            let p = select(v.p, v.z, kind == OVERLAP_SQUARED);
            return totals(v.weight * p * v.t, v.weight * p * p, v.weight * v.t * v.t, v);
        }
        case OVERLAP_HARD: {
            let p = select(vec4<f32>(), v.counts, v.z > vec4<f32>(cut.x));
            let t = select(vec4<f32>(), v.counts, v.t > vec4<f32>(cut.y));
            return totals(p * t, p * (1.0 - t), t * (1.0 - p), v);
        }
        case CROSS_ENTROPY, CROSS_ENTROPY_SIGMOID: {
            let parts = cross_entropy(kind, v);
            return totals(parts.positive, parts.negative, vec4<f32>(), v);
        }
        default: {
            return vec4<f32>();
        }
    }
}

// The derivatives with respect to z, for c = (∂L/∂first sum, ∂L/∂second sum). dp/dz = σ(z)·σ(-z).
fn slope(kind: u32, c: vec2<f32>, v: Quad) -> vec4<f32> {
    switch kind {
        case OVERLAP: {
            return c.x * v.t + c.y;
        }
        case OVERLAP_SQUARED: {
            return c.x * v.t + 2.0 * c.y * v.z;
        }
        case OVERLAP_SIGMOID: {
            return (c.x * v.t + c.y) * v.pq;
        }
        case OVERLAP_SIGMOID_SQUARED: {
            return (c.x * v.t + 2.0 * c.y * v.p) * v.pq;
        }
        case CROSS_ENTROPY: {
            let numerator = c.y * (1.0 - v.t) * v.z - c.x * v.t * (1.0 - v.z);
            return numerator / max(v.z * (1.0 - v.z), vec4<f32>(1e-12));
        }
        case CROSS_ENTROPY_SIGMOID: {
            return c.y * (1.0 - v.t) * v.p - c.x * v.t * v.q;
        }
        default: {
            return vec4<f32>();
        }
    }
}
