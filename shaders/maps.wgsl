// What becomes of a score, and of a reduced value.
//
// Expects `Term`, log_positive, log1p_bounded, exp_nonpositive and expm1_nonpositive. Derived in reference::score and
// loss::Outer.

// Mirrored by src/params/.
const MAP_SCORE: u32 = 0u;
const MAP_COMPLEMENT: u32 = 1u;
const MAP_NEGATED: u32 = 2u;
const MAP_NEG_LOG: u32 = 3u;
const MAP_POWER: u32 = 4u;

const OUTER_IDENTITY: u32 = 0u;
const OUTER_POWER: u32 = 1u;
const OUTER_LOG_COSH: u32 = 2u;

const LN_2: f32 = 0.693147182;

// base^exponent for base > 0, by this file's own logarithm and exponential: pow() inherits the built-in ones'
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

// (ln cosh v, tanh v). With e = e^-2|v|: ln cosh v = |v| + ln(1 + e) - ln 2, which cancels near 0; there it is
// ln(1 + 2·sinh²(v/2)), and 4·sinh²(v/2) = (1 - e^-|v|)²·e^|v|.
fn log_cosh(v: f32) -> vec2<f32> {
    let size = abs(v);
    let e = exp_nonpositive(vec4<f32>(-2.0 * size));
    let tanh_size = (-expm1_nonpositive(vec4<f32>(-2.0 * size)) / (1.0 + e)).x;
    let large = size + log1p_bounded(e).x - LN_2;
    let step = expm1_nonpositive(vec4<f32>(-min(size, 1.0)));
    let small = log1p_bounded(0.5 * step * step / (1.0 + step)).x;
    return vec2<f32>(select(large, small, size < 1.0), select(tanh_size, -tanh_size, v < 0.0));
}

// (value, derivative) of what becomes of a term's reduced value.
fn outer_mapped(term: Term, v: f32) -> vec2<f32> {
    switch term.outer {
        case OUTER_POWER: {
            if v > 0.0 {
                let gamma = term.outer_argument;
                return vec2<f32>(power(v, gamma), gamma * power(v, gamma - 1.0));
            }
            // What is no number stays none.
            return vec2<f32>(select(v, 0.0, v <= 0.0), 0.0);
        }
        case OUTER_LOG_COSH: {
            return log_cosh(v);
        }
        default: {
            return vec2<f32>(v, 1.0);
        }
    }
}
