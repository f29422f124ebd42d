// What a lane adds up, and what it has to report. Expects `params`, `scratch` and `statistics`.

// The sums of every statistic.
struct Totals {
    of_0: vec4<f32>,
    of_1: vec4<f32>,
    of_2: vec4<f32>,
    of_3: vec4<f32>,
}

// Statistics that are not there are not added: a compiler may not drop x + 0.
fn plus(a: Totals, b: Totals) -> Totals {
    var sum = a;
    sum.of_0 = a.of_0 + b.of_0;
    if STATISTIC_1 != NO_STATISTIC { sum.of_1 = a.of_1 + b.of_1; }
    if STATISTIC_2 != NO_STATISTIC { sum.of_2 = a.of_2 + b.of_2; }
    if STATISTIC_3 != NO_STATISTIC { sum.of_3 = a.of_3 + b.of_3; }
    return sum;
}

fn contributions(v: Quad) -> Totals {
    return Totals(
        contribution(STATISTIC_0, loss.settings[0], v),
        contribution(STATISTIC_1, loss.settings[1], v),
        contribution(STATISTIC_2, loss.settings[2], v),
        contribution(STATISTIC_3, loss.settings[3], v),
    );
}

fn report_bad(bad: vec4<u32>) {
    if bad.x > 0u { atomicAdd(&scratch.bad[0], bad.x); }
    if bad.y > 0u { atomicAdd(&scratch.bad[1], bad.y); }
    if bad.z > 0u { atomicAdd(&scratch.bad[2], bad.z); }
    if bad.w > 0u { atomicAdd(&scratch.bad[3], bad.w); }
}
