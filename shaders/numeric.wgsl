// Exponential and logarithm of four numbers, with a relative error of about 1e-7 over their whole range.
//
// The built-in ones promise only an absolute error (WGSL §15.7.4), which is 1e-6 of e^-20 and everything of
// log(1 + e^-20). Expects nothing.

// ln 2 = HIGH + LOW, HIGH with 10 bits, so that k·HIGH is exact for |k| < 2^14.
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;

// 1.5·2^23: a number below 2^22 that is added to it is rounded to an integer, which the last bits then hold.
const ROUNDER: f32 = 12582912.0;
const ROUNDER_BITS: i32 = 0x4b400000;

const LEAST_NORMAL: f32 = 1.1754944e-38;

// e^x for x <= 0; e^-87 below -87, where results would be subnormal.
//
// x = k·ln 2 + r with |r| <= ln(2)/2, e^x = 2^k·e^r, e^r = 1 + r + r²·Q(r), Q fitted to 3e-9. k is read from bits:
// conversions from float to integer must saturate, which takes software adapters a branch for each lane.
struct ExpParts {
    // 2^k and e^r - 1.
    power: vec4<f32>,
    rest: vec4<f32>,
}

fn exp_parts(x: vec4<f32>) -> ExpParts {
    let bounded = max(x, vec4<f32>(-87.0));
    let whole = round_to_integer(bounded * 1.44269504);
    let k = vec4<f32>(whole);
    return exp_parts_of(whole, (bounded - k * LN2_HIGH) - k * LN2_LOW);
}

fn round_to_integer(x: vec4<f32>) -> vec4<i32> {
    return bitcast<vec4<i32>>(x + ROUNDER) - ROUNDER_BITS;
}

fn exp_parts_of(k: vec4<i32>, r: vec4<f32>) -> ExpParts {
    let q = 0.5 + r * (0.16666512 + r * (0.041666187 + r * (0.0083695985 + r * 0.001395172)));
    let power = bitcast<vec4<f32>>((k + 127) << vec4<u32>(23u));
    return ExpParts(power, r + r * r * q);
}

fn exp_nonpositive(x: vec4<f32>) -> vec4<f32> {
    let part = exp_parts(x);
    return (1.0 + part.rest) * part.power;
}

// e^(z-m) for z <= m. The difference of two logits of either sign has fewer digits than they have: half a unit of -33 is 2e-6
// of e^-33. Those of their whole parts and of their fractions are exact.
fn exp_difference(z: vec4<f32>, m: vec4<f32>) -> vec4<f32> {
    let whole = max(round(z) - round(m), vec4<f32>(-86.0));
    let part = (z - round(z)) - (m - round(m));
    let power = round_to_integer((whole + part) * 1.44269504);
    let k = vec4<f32>(power);
    let parts = exp_parts_of(power, ((whole - k * LN2_HIGH) - k * LN2_LOW) + part);
    return (1.0 + parts.rest) * parts.power;
}

// e^x - 1 for x <= 0: (2^k - 1) + 2^k·(e^r - 1), so that what is small keeps its digits.
fn expm1_nonpositive(x: vec4<f32>) -> vec4<f32> {
    let part = exp_parts(x);
    return (part.power - 1.0) + part.power * part.rest;
}

// ln((1 + s)/(1 - s)) = 2·(s + s³/3 + s⁵/5 + …) for |s| <= 1/3, fitted to 5e-9.
fn log_ratio(s: vec4<f32>) -> vec4<f32> {
    let u = s * s;
    return s * (2.0 + u * (0.6666641 + u * (0.400217 + u * (0.27999142 + u * 0.2802446))));
}

// ln(1 + e) for -1/2 <= e <= 1: (1 + s)/(1 - s) = 1 + e for s = e/(2 + e), without forming 1 + e.
fn log1p_bounded(e: vec4<f32>) -> vec4<f32> {
    return log_ratio(e / (2.0 + e));
}

// x = 2^k·m with m in [√½, √2), for normal x > 0.
struct Split {
    k: vec4<f32>,
    log_m: vec4<f32>,
}

fn split(x: vec4<f32>) -> Split {
    let bits = bitcast<vec4<u32>>(x);
    let mantissa = bitcast<vec4<f32>>((bits & vec4<u32>(0x007fffffu)) | vec4<u32>(0x3f800000u));
    let above = mantissa > vec4<f32>(1.41421356);
    let m = select(mantissa, 0.5 * mantissa, above);
    let k = vec4<f32>(vec4<i32>(bits >> vec4<u32>(23u)) - select(vec4<i32>(127), vec4<i32>(126), above));
    return Split(k, log_ratio((m - 1.0) / (m + 1.0)));
}

// ln x for normal x > 0.
fn log_positive(x: vec4<f32>) -> vec4<f32> {
    let parts = split(x);
    return parts.k * LN2_HIGH + (parts.k * LN2_LOW + parts.log_m);
}

// u^γ for u in [0, 2) and γ >= 0; 1 for γ = 0, whatever u is.
//
// γ·ln u has no digits to spare where it is large: half a unit of 40 is 2e-6 of e^-40. With u = 2^k·m and γ in two parts, of
// which the higher has 12 bits, γ'·k is exact; its whole part n is an exponent, and what is left is small:
// u^γ = 2^n · e^((γ'·k - n + γ''·k)·ln 2 + γ·ln m).
fn power_of(u: vec4<f32>, gamma: f32) -> vec4<f32> {
    let parts = split(max(u, vec4<f32>(LEAST_NORMAL)));
    let gamma_high = bitcast<f32>(bitcast<u32>(gamma) & 0xfffff000u);
    let exact = parts.k * gamma_high;
    let n = round(exact);
    let rest = ((exact - n) + (gamma - gamma_high) * parts.k) * 0.693147182 + gamma * parts.log_m;
    let scale = bitcast<vec4<f32>>((vec4<i32>(clamp(n, vec4<f32>(-126.0), vec4<f32>(127.0))) + 127) << vec4<u32>(23u));
    let is_nothing = (n < vec4<f32>(-126.0)) | ((u < vec4<f32>(LEAST_NORMAL)) & vec4<bool>(gamma > 0.0));
    return select(exp_nonpositive(rest) * scale, vec4<f32>(), is_nothing);
}

// ln x clamped at -100, for probabilities x.
fn log_probability(x: vec4<f32>) -> vec4<f32> {
    return select(log_positive(min(x, vec4<f32>(1.0))), vec4<f32>(-100.0), x < vec4<f32>(LEAST_NORMAL));
}

// ln q clamped at -100, for probabilities x and q = 1 - x, which is exact from x = 1/2 on.
fn log_complement(x: vec4<f32>, q: vec4<f32>) -> vec4<f32> {
    let low = log1p_bounded(-clamp(x, vec4<f32>(), vec4<f32>(0.5)));
    return select(log_probability(q), low, x < vec4<f32>(0.5));
}
