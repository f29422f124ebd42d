// What four elements add to the sums, and what the sums' derivatives make of them.
//
// Expects Quad, WEIGHTED, DROPS, sum_of_slots, `overlap` and `pointwise`. The oracle of `contribution` is
// `reference::accumulate`, that of `slope` is `reference::gradient`.

// A statistic is a kind and an activation, each under its mask: mirrored by `statistic` and `activation` in src/params/.
const KIND: u32 = 15u;
const NO_STATISTIC: u32 = 0u;
const OVERLAP: u32 = 1u;
const OVERLAP_SQUARED: u32 = 2u;
const OVERLAP_MINIMUM: u32 = 3u;
const OVERLAP_HARD: u32 = 4u;
const BINARY_CROSS_ENTROPY: u32 = 5u;
const FOCAL_SIDES: u32 = 6u;
const FOCAL_MIXTURE: u32 = 7u;
const FOCAL_MARGIN: u32 = 8u;
const FOCAL_LIKELIHOOD: u32 = 9u;
const CROSS_ENTROPY: u32 = 10u;
const WASSERSTEIN: u32 = 11u;

const ACTIVATION: u32 = 0xf0u;
const GIVEN: u32 = 0u;
const SIGMOID: u32 = 16u;
const TANH: u32 = 32u;
const ODDS: u32 = 48u;
const SOFTMAX: u32 = 64u;
const LOG_SOFTMAX: u32 = 80u;
const ARGMAX: u32 = 96u;
const NORMALIZED: u32 = 112u;

override STATISTIC_0: u32 = 0u;
override STATISTIC_1: u32 = 0u;
override STATISTIC_2: u32 = 0u;
override STATISTIC_3: u32 = 0u;

// Weighted, of what is 0 already where nothing counts (or is not looked at there).
fn weighted(v: Quad, x: vec4<f32>) -> vec4<f32> {
    if WEIGHTED { return v.weight * x; }
    return x;
}

// (Σ first, Σ second, Σ third, count) over the quad. Where nothing is dropped the count is left out: `accumulate` knows it.
fn totals(first: vec4<f32>, second: vec4<f32>, third: vec4<f32>, v: Quad) -> vec4<f32> {
    var counted = 0.0;
    if DROPS { counted = sum_of_slots(v.counts); }
    return vec4<f32>(sum_of_slots(first), sum_of_slots(second), sum_of_slots(third), counted);
}

fn contribution(statistic: u32, settings: vec4<f32>, v: Quad) -> vec4<f32> {
    if statistic == NO_STATISTIC { return vec4<f32>(); }
    if (statistic & KIND) <= OVERLAP_HARD { return overlap_contribution(statistic, settings.xy, v); }
    if (statistic & KIND) == WASSERSTEIN {
        return totals(weighted(v, v.t * v.near), weighted(v, v.t * v.far), weighted(v, v.t), v);
    }
    let parts = pointwise_values(statistic, settings, v);
    return totals(v.weight * parts.first, v.weight * parts.second, v.weight * parts.third, v);
}

// dL/d(first, second, third sum) of every statistic.
struct Coefficients {
    of_0: vec3<f32>,
    of_1: vec3<f32>,
    of_2: vec3<f32>,
    of_3: vec3<f32>,
}

// Whether a class's p depends on the others'.
fn couples(statistic: u32) -> bool {
    return (statistic & ACTIVATION) >= SOFTMAX;
}

// The derivatives with respect to z (to ln p, if the statistic couples classes), for c = ∂L/∂(first, second, third sum).
fn slope(statistic: u32, settings: vec4<f32>, c: vec3<f32>, v: Quad) -> vec4<f32> {
    if statistic == NO_STATISTIC { return vec4<f32>(); }
    if (statistic & KIND) <= OVERLAP_HARD { return overlap_slope(statistic, settings.x, c.xy, v); }
    if (statistic & KIND) == WASSERSTEIN { return v.pull * v.soft_p; }
    let parts = pointwise_slopes(statistic, settings, v);
    return c.x * parts.first + c.y * parts.second + c.z * parts.third;
}
