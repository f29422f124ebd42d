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

// e^x for x <= 0; e^-87 below -87, where results would be subnormal.
//
// x = k·ln 2 + r with |r| <= ln(2)/2, e^x = 2^k·e^r, e^r = 1 + r + r²·Q(r), Q fitted to 3e-9. k is read from bits:
// conversions from float to integer must saturate, which takes software adapters a branch for each lane.
fn exp_nonpositive(x: vec4<f32>) -> vec4<f32> {
    let bounded = max(x, vec4<f32>(-87.0));
    let whole = bitcast<vec4<i32>>(bounded * 1.44269504 + ROUNDER) - ROUNDER_BITS;
    let k = vec4<f32>(whole);
    let r = (bounded - k * LN2_HIGH) - k * LN2_LOW;
    let q = 0.5 + r * (0.16666512 + r * (0.041666187 + r * (0.0083695985 + r * 0.001395172)));
    let power = bitcast<vec4<f32>>((whole + 127) << vec4<u32>(23u));
    return (1.0 + (r + r * r * q)) * power;
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

// ln x for normal x > 0: x = 2^k·m with m in [√½, √2).
fn log_positive(x: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(x);
    let mantissa = bitcast<vec4<f32>>((bits & vec4<u32>(0x007fffffu)) | vec4<u32>(0x3f800000u));
    let above = mantissa > vec4<f32>(1.41421356);
    let m = select(mantissa, 0.5 * mantissa, above);
    let k = vec4<f32>(vec4<i32>(bits >> vec4<u32>(23u)) - select(vec4<i32>(127), vec4<i32>(126), above));
    return k * LN2_HIGH + (k * LN2_LOW + log_ratio((m - 1.0) / (m + 1.0)));
}

// ln x clamped at -100, for probabilities x.
fn log_probability(x: vec4<f32>) -> vec4<f32> {
    return select(log_positive(min(x, vec4<f32>(1.0))), vec4<f32>(-100.0), x < vec4<f32>(1.1754944e-38));
}

// ln(1 - x) clamped at -100, for probabilities x. 1 - x is exact from 1/2 on.
fn log_complement(x: vec4<f32>) -> vec4<f32> {
    let low = log1p_bounded(-clamp(x, vec4<f32>(), vec4<f32>(0.5)));
    return select(log_probability(1.0 - x), low, x < vec4<f32>(0.5));
}
