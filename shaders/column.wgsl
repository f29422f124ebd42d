// The classes of a voxel together: a tile is one of columns, all classes of so many voxels of a sample.
//
// Derived in reference::softmax. Expects `params`, `tile`, `load`, `numeric`, `statistics`, Quad, and how inputs become shares.

// Of a quad: the largest logit m and its class, r = Σ e^(z-m) over the others, of which the last few classes stand apart lest
// many be added one after the other, and ln(1 + r).
struct Softmax {
    largest: vec4<f32>,
    class_index: vec4<u32>,
    rest: vec4<f32>,
    last: vec4<f32>,
    log_sum: vec4<f32>,
}

// Of an octet.
struct Column {
    counts: Inside,
    low: Softmax,
    high: Softmax,
}

// Whether any statistic couples classes.
fn any_couples() -> bool {
    return couples(STATISTIC_0) || couples(STATISTIC_1) || couples(STATISTIC_2) || couples(STATISTIC_3);
}

// The row of a class in a run of columns.
fn class_run(run: Run, class_index: u32) -> Run {
    var own = run;
    own.row = run.row + class_index;
    own.offset = run.offset + class_index * params.class_step;
    return own;
}

// What belongs to one class. What belongs to the voxel is left to the first class.
fn class_bits(own: Run, voxel: u32, class_index: u32) -> Bits {
    var bits: Bits;
    bits.mask = Words(vec4<u32>(ONE_BITS), vec4<u32>(ONE_BITS));
    if class_index == 0u { bits.mask = mask_bits(voxel + own.mask_offset); }
    if class_index == 0u || !PREDICTS_LABELS { bits.z = logit_bits(own, voxel); }
    if class_index == 0u || !HAS_LABELS { bits.t = target_bits(own, voxel); }
    if class_index == 0u || !SHARES_WEIGHTS { bits.weight = voxel_weight_bits(own, voxel); }
    return bits;
}

// Classes that stand apart until there are so many.
const APART: u32 = 8u;

// One more logit, not among the first. With e = e^-|z-m|, r becomes r + e below m and (r + 1)·e above.
fn with_logit(s: Softmax, z: vec4<f32>, class_index: u32) -> Softmax {
    let above = z > s.largest;
    let larger = max(z, s.largest);
    let e = share_of_largest(min(z, s.largest), larger);
    let rest = select(s.rest, s.rest * e, above);
    let last = select(s.last + e, (s.last + 1.0) * e, above);
    let is_full = class_index % APART == 0u;
    return Softmax(
        larger,
        select(s.class_index, vec4<u32>(class_index), above),
        select(rest, rest + last, is_full),
        select(last, vec4<f32>(), is_full),
        vec4<f32>(),
    );
}

// What is no finite number is left out in the end; until then it must not make others so.
fn finite(z: vec4<u32>) -> vec4<f32> {
    return coupled_input(bitcast<vec4<f32>>(select(z, vec4<u32>(), is_not_finite(z))));
}

fn log_1p(x: vec4<f32>) -> vec4<f32> {
    return select(log1p_bounded(min(x, vec4<f32>(1.0))), log_positive(1.0 + x), x > vec4<f32>(1.0));
}

fn complete(s: Softmax) -> Softmax {
    let rest = s.rest + s.last;
    return Softmax(s.largest, s.class_index, rest, vec4<f32>(), log_1p(rest));
}

// An octet's columns. That some of its elements are unusable is noted in `seen`.
fn column_of(run: Run, voxel: u32, inside: Inside, seen: ptr<function, vec4<bool>>) -> Column {
    var column: Column;
    column.counts = inside;
    for (var c = 0u; c < params.classes; c = c + 1u) {
        let bits = class_bits(class_run(run, c), voxel, c);
        let unusable = unusable(bits, inside);
        *seen = *seen | unusable.low | unusable.high;
        let counts = counting(bits, inside, unusable);
        column.counts = Inside(column.counts.low & counts.low, column.counts.high & counts.high);
        if c == params.first_coupled {
            let first = vec4<u32>(c);
            column.low = Softmax(finite(bits.z.low), first, vec4<f32>(), vec4<f32>(), vec4<f32>());
            column.high = Softmax(finite(bits.z.high), first, vec4<f32>(), vec4<f32>(), vec4<f32>());
        } else if c > params.first_coupled {
            column.low = with_logit(column.low, finite(bits.z.low), c);
            column.high = with_logit(column.high, finite(bits.z.high), c);
        }
    }
    column.low = complete(column.low);
    column.high = complete(column.high);
    return column;
}

// The quad of a class with what the softmax makes of it.
fn with_softmax(v: Quad, s: Softmax, class_index: u32) -> Quad {
    var full = v;
    full.soft_q = vec4<f32>(1.0);
    if class_index >= params.first_coupled {
        // At most the largest, but for what does not count.
        let z = min(coupled_input(v.z), s.largest);
        let share = 1.0 / (1.0 + s.rest);
        let is_top = s.class_index == vec4<u32>(class_index);
        full.soft_p = share_of_largest(z, s.largest) * share;
        full.soft_q = select(1.0 - full.soft_p, s.rest * share, is_top);
        // Bounded: 0 times infinity is no number.
        full.soft_loss = min(s.log_sum + below_largest(z, s.largest), vec4<f32>(3e38));
        full.top = select(vec4<f32>(), vec4<f32>(1.0), is_top);
    }
    return full;
}

// The octet of a class. Voxels count as a whole where classes are coupled, else each class for itself.
fn class_octet(own: Run, voxel: u32, inside: Inside, column: Column, class_index: u32) -> Octet {
    let bits = load(own, voxel);
    if !any_couples() { return checked(bits, counting(bits, inside, unusable(bits, inside))); }
    let octet = checked(bits, column.counts);
    return Octet(
        with_softmax(octet.low, column.low, class_index),
        with_softmax(octet.high, column.high, class_index),
    );
}
