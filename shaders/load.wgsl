// Eight elements with their companions, and what is not a usable number among them.
//
// Expects `params`, the four loaders, `ignored`, `tile` and `quad`.

const ONE_BITS: u32 = 0x3f800000u;
const INFINITY_BITS: u32 = 0x7f800000u;
// The bits of a number without its sign: of usable numbers they are below INFINITY_BITS.
const MAGNITUDE: u32 = 0x7fffffffu;

// Tests on bits: drivers may compile `v != v` away.
fn is_not_finite(bits: vec4<u32>) -> vec4<bool> {
    return (bits & vec4<u32>(MAGNITUDE)) >= vec4<u32>(INFINITY_BITS);
}

fn sum_of_slots(v: vec4<f32>) -> f32 {
    return (v.x + v.y) + (v.z + v.w);
}

fn number_of(which: vec4<bool>) -> u32 {
    let ones = select(vec4<u32>(), vec4<u32>(1u), which);
    return (ones.x + ones.y) + (ones.z + ones.w);
}

// Whether elements may not count though they are usable.
const DROPS: bool = MASKED || IGNORES;

// The bits of an octet.
struct Bits {
    z: Words,
    t: Words,
    mask: Words,
    weight: Words,
}

fn load(run: Run, voxel: u32) -> Bits {
    return Bits(
        logit_bits(run, voxel),
        target_bits(run, voxel),
        mask_bits(voxel + run.mask_offset),
        voxel_weight_bits(run, voxel),
    );
}

fn is_masked(mask: vec4<u32>) -> vec4<bool> {
    return (mask & vec4<u32>(MAGNITUDE)) == vec4<u32>();
}

fn is_no_mask(mask: vec4<u32>) -> vec4<bool> {
    return !is_masked(mask) & (mask != vec4<u32>(ONE_BITS));
}

// The quad of what counts, as it is.
fn taken(z: vec4<u32>, t: vec4<u32>, weight: vec4<u32>, counts: vec4<bool>) -> Quad {
    return quad(
        bitcast<vec4<f32>>(z),
        bitcast<vec4<f32>>(t),
        bitcast<vec4<f32>>(weight),
        select(vec4<f32>(), vec4<f32>(1.0), counts),
    );
}

// Which of four elements are not usable numbers, by what is wrong with them.
struct Faults {
    logits: vec4<bool>,
    targets: vec4<bool>,
    mask: vec4<bool>,
    weights: vec4<bool>,
}

fn faults(z: vec4<u32>, t: vec4<u32>, mask: vec4<u32>, weight: vec4<u32>, inside: vec4<bool>) -> Faults {
    return Faults(
        inside & is_not_finite(z),
        inside & is_not_finite(t) & !is_ignored(t),
        inside & is_no_mask(mask),
        inside & is_not_finite(weight),
    );
}

fn any_fault(found: Faults) -> vec4<bool> {
    return found.logits | found.targets | found.mask | found.weights;
}

fn number_of_faults(found: Faults) -> vec4<u32> {
    return vec4<u32>(
        number_of(found.logits),
        number_of(found.targets),
        number_of(found.mask),
        number_of(found.weights),
    );
}

// Which of an octet's elements are unusable, by slots.
fn unusable(bits: Bits, inside: Inside) -> Inside {
    return Inside(
        any_fault(faults(bits.z.low, bits.t.low, bits.mask.low, bits.weight.low, inside.low)),
        any_fault(faults(bits.z.high, bits.t.high, bits.mask.high, bits.weight.high, inside.high)),
    );
}

// Which of an octet's elements count: inside the run, not masked, usable.
fn counting(bits: Bits, inside: Inside, unusable: Inside) -> Inside {
    return Inside(
        inside.low & !is_masked(bits.mask.low) & !is_ignored(bits.t.low) & !unusable.low,
        inside.high & !is_masked(bits.mask.high) & !is_ignored(bits.t.high) & !unusable.high,
    );
}

// The quad of what counts, the rest replaced by 0 rather than multiplied by it: 0 × NaN is NaN.
fn kept(z: vec4<u32>, t: vec4<u32>, weight: vec4<u32>, counts: vec4<bool>) -> Quad {
    return taken(
        select(vec4<u32>(), z, counts),
        select(vec4<u32>(), t, counts),
        select(vec4<u32>(), weight, counts),
        counts,
    );
}

fn checked(bits: Bits, counts: Inside) -> Octet {
    return Octet(
        kept(bits.z.low, bits.t.low, bits.weight.low, counts.low),
        kept(bits.z.high, bits.t.high, bits.weight.high, counts.high),
    );
}

// The same, but for the numbers themselves, which are as they are: for who looks at `counts` last.
fn marked(bits: Bits, counts: Inside) -> Octet {
    return Octet(
        taken(bits.z.low, bits.t.low, bits.weight.low, counts.low),
        taken(bits.z.high, bits.t.high, bits.weight.high, counts.high),
    );
}

// What is wrong with the elements of an octet.
struct Tally {
    // How many logits, targets, mask entries and voxel weights are not usable numbers.
    bad: vec4<u32>,
    // How many elements that are.
    elements: u32,
}

fn tally(bits: Bits, inside: Inside) -> Tally {
    let low = faults(bits.z.low, bits.t.low, bits.mask.low, bits.weight.low, inside.low);
    let high = faults(bits.z.high, bits.t.high, bits.mask.high, bits.weight.high, inside.high);
    let elements = number_of(any_fault(low)) + number_of(any_fault(high));
    return Tally(number_of_faults(low) + number_of_faults(high), elements);
}
