// Exponential and logarithm with a relative error of about 1e-7 over their whole range.
//
// The built-in ones promise only an absolute error (WGSL §15.7.4), which is 1e-6 of e^-20 and everything of
// log(1 + e^-20). Expects nothing.

// ln 2 = HIGH + LOW, HIGH with 10 bits, so that k·HIGH is exact for |k| < 2^14.
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;

// e^x for x <= 0; 0 below -87, where results would be subnormal.
//
// x = k·ln 2 + r with |r| <= ln(2)/2, e^x = 2^k·e^r, e^r = 1 + r + r²·Q(r), Q fitted to 3e-9.
fn exp_nonpositive(x: f32) -> f32 {
    let bounded = max(x, -87.0);
    let k = floor(bounded * 1.44269504 + 0.5);
    let r = (bounded - k * LN2_HIGH) - k * LN2_LOW;
    let q = 0.5 + r * (0.16666512 + r * (0.041666187 + r * (0.0083695985 + r * 0.001395172)));
    let power = bitcast<f32>(u32(i32(k) + 127) << 23u);
    return select((1.0 + (r + r * r * q)) * power, 0.0, x < -87.0);
}

// ln((1 + s)/(1 - s)) = 2·(s + s³/3 + s⁵/5 + …) for |s| <= 1/3, fitted to 5e-9.
fn log_ratio(s: f32) -> f32 {
    let u = s * s;
    return s * (2.0 + u * (0.6666641 + u * (0.400217 + u * (0.27999142 + u * 0.2802446))));
}

// ln(1 + e) for -1/2 <= e <= 1: (1 + s)/(1 - s) = 1 + e for s = e/(2 + e), without forming 1 + e.
fn log1p_bounded(e: f32) -> f32 {
    return log_ratio(e / (2.0 + e));
}

// ln x for normal x > 0: x = 2^k·m with m in [√½, √2).
fn log_positive(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    var k = f32(i32(bits >> 23u) - 127);
    var m = bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u);
    if m > 1.41421356 {
        m = 0.5 * m;
        k = k + 1.0;
    }
    return k * LN2_HIGH + (k * LN2_LOW + log_ratio((m - 1.0) / (m + 1.0)));
}

// ln x clamped at -100, for a probability x.
fn log_probability(x: f32) -> f32 {
    if x < 1.1754944e-38 {
        return -100.0;
    }
    return log_positive(min(x, 1.0));
}

// ln(1 - x) clamped at -100, for a probability x. 1 - x is exact from 1/2 on.
fn log_complement(x: f32) -> f32 {
    if x < 0.5 {
        return log1p_bounded(-max(x, 0.0));
    }
    return log_probability(1.0 - x);
}
