// The value of a group and its derivatives with respect to the group's sums.
//
// Expects `Term`, `loss` and `maps`. Derived in reference::score.

// Mirrored by src/params/.
const MEASURE_RATIO: u32 = 0u;
const MEASURE_MATTHEWS: u32 = 1u;
const MEASURE_MEAN: u32 = 2u;
const MEASURE_WASSERSTEIN: u32 = 3u;

const DIVISOR_FIXED: u32 = 0u;
const DIVISOR_COUNT: u32 = 1u;
const DIVISOR_MODULATION: u32 = 2u;
const DIVISOR_WEIGHTS: u32 = 3u;

const EMPTY_KEEP: u32 = 0u;
const EMPTY_ZERO: u32 = 1u;
const EMPTY_ONE: u32 = 2u;
const EMPTY_NAN: u32 = 3u;
const EMPTY_SKIP: u32 = 4u;

struct Outcome {
    // The bits of the value.
    value: u32,
    slopes: vec3<f32>,
}

// sums = (A, B, F, Σm), or (A, S, T, Σm) of cross-entropy over classes: the total of the first two, or its mean.
fn mean_score(term: Term, sums: vec4<f32>) -> Outcome {
    let total = sums.x + sums.y;
    var by = term.divisor_scale;
    var third = 0.0;
    if term.divisor == DIVISOR_COUNT { by = by * sums.w; }
    if term.divisor == DIVISOR_WEIGHTS { by = sums.z; }
    if term.divisor == DIVISOR_MODULATION {
        by = max(sums.z, term.denominator_floor);
        if sums.z > term.denominator_floor { third = -total / by / by; }
    }
    // The mean over nothing is 0, or NaN.
    if by == 0.0 { return Outcome(term.nothing_found, vec3<f32>()); }
    return Outcome(bitcast<u32>(total / by), vec3<f32>(1.0 / by, 1.0 / by, third));
}

// sums = (A, B, T, Σm): 1 - (2A + n)/(2A + B + d).
fn wasserstein_score(term: Term, sums: vec4<f32>) -> Outcome {
    let numerator = 2.0 * sums.x + term.smooth_numerator;
    let missing = sums.y + (term.smooth_denominator - term.smooth_numerator);
    let denominator = 2.0 * sums.x + sums.y + term.smooth_denominator;
    if denominator == 0.0 { return Outcome(loss.nan, vec3<f32>()); }
    let value = missing / denominator;
    return Outcome(bitcast<u32>(value), vec3<f32>(-2.0 * value, numerator / denominator, 0.0) / denominator);
}

// A score, 1 - s with its own digits, and ∂s/∂(I, P).
struct Score {
    s: f32,
    complement: f32,
    slopes: vec2<f32>,
    is_defined: bool,
}

// With n = f·I + s_n and d = f·(I + α(P−I) + β(T−I)) + s_d, 1 − n/d = (d − n)/d where the terms in I cancel.
fn ratio_score(term: Term, sums: vec4<f32>) -> Score {
    let excess = term.factor * (term.alpha * sums.y + term.beta * sums.z);
    let free = term.factor * sums.x + excess + term.smooth_denominator;
    let is_free = term.denominator_floor == 0.0 || free > term.denominator_floor;
    let denominator = select(term.denominator_floor, free, is_free);
    if denominator == 0.0 { return Score(0.0, 0.0, vec2<f32>(), false); }
    let numerator = term.factor * sums.x + term.smooth_numerator;
    let s = numerator / denominator;
    let missing = select(denominator - numerator, excess + (term.smooth_denominator - term.smooth_numerator), is_free);
    // Where the floor holds the denominator, it does not move.
    let moving = select(0.0, term.factor, is_free);
    let both = 1.0 - term.alpha - term.beta;
    let slopes = vec2<f32>(term.factor - s * moving * both, -s * moving * term.alpha) / denominator;
    return Score(s, missing / denominator, slopes, true);
}

// Of counts divided by their number n, lest their product overflow: s does not change if its constants are divided by n² and n⁴,
// its derivatives are n times as large.
fn matthews_score(term: Term, sums: vec4<f32>) -> Score {
    let eps = term.denominator_floor;
    let n = max(sums.w, 1.0);
    let tp = (sums.x + eps) / n;
    let fp = (sums.y + eps) / n;
    let fne = (sums.z + eps) / n;
    if fp == 0.0 && fne == 0.0 { return Score(1.0, 0.0, vec2<f32>(), true); }
    // What T leaves of the number, where that is more than rounding: of a class that is everywhere it is 0.
    let outside = sums.w - sums.x - sums.z;
    let tn = (max(select(0.0, outside, outside > 4e-7 * sums.w) - sums.y, 0.0) + eps) / n;
    let a = tp + fp;
    let b = tp + fne;
    let d = tn + fne;
    let fixed = sqrt(b * (tn + fp));
    // √(abcd + s_d) = √(x² + y²) without squares, which are soon 0.
    let x = sqrt(a * d) * fixed;
    let y = sqrt(term.smooth_denominator) / n / n;
    let larger = max(x, y);
    if larger == 0.0 { return Score(0.0, 0.0, vec2<f32>(), false); }
    let smaller = min(x, y) / larger;
    let root = larger * sqrt(1.0 + smaller * smaller);
    let s = (tp * tn - fp * fne + term.smooth_numerator / n / n) / root;
    let share = fixed / root;
    let slopes = vec2<f32>((tp + fp + fne + tn) / root, -b / root - 0.5 * s * share * share * (d - a)) / n;
    return Score(s, 1.0 - s, slopes, true);
}

// sums = (I, P - I, T - I, Σm) of an overlap.
fn group_score(term: Term, sums: vec4<f32>) -> Outcome {
    if term.measure == MEASURE_MEAN { return mean_score(term, sums); }
    if term.measure == MEASURE_WASSERSTEIN { return wasserstein_score(term, sums); }
    if sums.x + sums.z == 0.0 && term.empty != EMPTY_KEEP {
        switch term.empty {
            case EMPTY_ZERO: { return Outcome(0u, vec3<f32>()); }
            case EMPTY_ONE: { return Outcome(bitcast<u32>(1.0), vec3<f32>()); }
            case EMPTY_SKIP: { return Outcome(SKIPPED, vec3<f32>()); }
            default: { return Outcome(loss.nan, vec3<f32>()); }
        }
    }
    var score = ratio_score(term, sums);
    if term.measure == MEASURE_MATTHEWS { score = matthews_score(term, sums); }
    if !score.is_defined { return Outcome(loss.nan, vec3<f32>()); }
    let outcome = mapped(term, score.s, score.complement);
    return Outcome(bitcast<u32>(outcome.x), vec3<f32>(outcome.y * score.slopes, 0.0));
}
