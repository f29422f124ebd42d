// The value of a group and its derivatives with respect to the group's first and second sum.
//
// Expects `Term`, `loss`, log_positive and exp_nonpositive. Derived in reference::score.

// Mirrored by src/params.rs.
const MEASURE_OVERLAP: u32 = 0u;
const MEASURE_CROSS_ENTROPY_SUM: u32 = 1u;
const MEASURE_CROSS_ENTROPY_MEAN: u32 = 2u;

const MAP_SCORE: u32 = 0u;
const MAP_COMPLEMENT: u32 = 1u;
const MAP_NEGATED: u32 = 2u;
const MAP_NEG_LOG: u32 = 3u;
const MAP_POWER: u32 = 4u;

// max(1 - s, 0)^γ for s < 1, by this file's own logarithm and exponential: pow() inherits the built-in ones'
// errors. The base may exceed 1 (a negative score), where e^x is 1/e^-x.
fn power(base: f32, exponent: f32) -> f32 {
    let x = exponent * log_positive(vec4<f32>(base)).x;
    let e = exp_nonpositive(vec4<f32>(-abs(x))).x;
    return select(e, 1.0 / e, x > 0.0);
}

// (value, ∂value/∂s) of a map of s, given 1 - s with its own digits.
fn mapped(term: Term, s: f32, complement: f32) -> vec2<f32> {
    switch term.map {
        case MAP_COMPLEMENT: {
            return vec2<f32>(complement, -1.0);
        }
        case MAP_NEGATED: {
            return vec2<f32>(-s, -1.0);
        }
        case MAP_NEG_LOG: {
            if s > term.map_argument {
                return vec2<f32>(-log_positive(vec4<f32>(s)).x, -1.0 / s);
            }
            return vec2<f32>(-log_positive(vec4<f32>(term.map_argument)).x, 0.0);
        }
        case MAP_POWER: {
            if complement > 0.0 {
                let slope = -term.map_argument * power(complement, term.map_argument - 1.0);
                return vec2<f32>(power(complement, term.map_argument), slope);
            }
            return vec2<f32>();
        }
        default: {
            return vec2<f32>(s, 1.0);
        }
    }
}

// sums = (I, P - I, T - I, Σm) of an overlap, (ℓ, 0, 0, Σm) of cross-entropy.
fn group_score(term: Term, sums: vec4<f32>) -> vec3<f32> {
    if term.measure == MEASURE_CROSS_ENTROPY_SUM {
        return vec3<f32>(sums.x, 1.0, 1.0);
    }
    if term.measure == MEASURE_CROSS_ENTROPY_MEAN {
        // The mean over nothing is 0.
        let scale = select(1.0 / max(sums.w, 1.0), 0.0, sums.w == 0.0);
        return vec3<f32>(scale * sums.x, scale, scale);
    }
    // With n = f·I + s_n and d = f·(I + α(P−I) + β(T−I)) + s_d, 1 − n/d = (d − n)/d where the terms in I cancel.
    let excess = term.factor * (term.alpha * sums.y + term.beta * sums.z);
    let free = term.factor * sums.x + excess + term.smooth_denominator;
    let denominator = max(free, term.denominator_floor);
    if denominator == 0.0 {
        return vec3<f32>(bitcast<f32>(loss.nan), 0.0, 0.0);
    }
    let numerator = term.factor * sums.x + term.smooth_numerator;
    let s = numerator / denominator;
    let is_free = free > term.denominator_floor;
    let missing = select(denominator - numerator, excess + (term.smooth_denominator - term.smooth_numerator), is_free);
    // Where the floor holds the denominator, it does not move.
    let moving = select(0.0, term.factor, is_free);
    let both = 1.0 - term.alpha - term.beta;
    let ds = vec2<f32>(term.factor - s * moving * both, -s * moving * term.alpha) / denominator;
    let outcome = mapped(term, s, missing / denominator);
    return vec3<f32>(outcome.x, outcome.y * ds);
}
