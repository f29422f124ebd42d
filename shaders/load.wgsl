// Eight elements with their companions, and a note of what is not a usable number.
//
// Expects `params`, the four loaders, `tile` and `quad`.

const ONE_BITS: u32 = 0x3f800000u;

// Tests on bits: drivers may compile `v != v` away.
fn is_not_finite(bits: vec4<u32>) -> vec4<bool> {
    return (bits & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
}

fn sum_of_slots(v: vec4<f32>) -> f32 {
    return (v.x + v.y) + (v.z + v.w);
}

fn number_of(which: vec4<bool>) -> u32 {
    let ones = select(vec4<u32>(), vec4<u32>(1u), which);
    return (ones.x + ones.y) + (ones.z + ones.w);
}

struct Checked {
    v: Quad,
    // How many logits, targets, mask entries and voxel weights are not usable.
    bad: vec4<u32>,
}

fn check(z: vec4<u32>, t: vec4<u32>, mask: vec4<u32>, weight: vec4<u32>, inside: vec4<bool>) -> Checked {
    let masked = (mask & vec4<u32>(0x7fffffffu)) == vec4<u32>();
    let bad_z = inside & is_not_finite(z);
    let bad_t = inside & is_not_finite(t);
    let bad_mask = inside & !masked & (mask != vec4<u32>(ONE_BITS));
    let bad_weight = inside & is_not_finite(weight);
    let unusable = bad_z | bad_t | bad_mask | bad_weight;
    var bad = vec4<u32>();
    if any(unusable) {
        bad = vec4<u32>(number_of(bad_z), number_of(bad_t), number_of(bad_mask), number_of(bad_weight));
    }
    // Replaced by 0 rather than multiplied by it: 0 × NaN is NaN.
    let is_counted = inside & !masked & !unusable;
    let counts = select(vec4<f32>(), vec4<f32>(1.0), is_counted);
    var counted = 4.0;
    if MASKED || any(unusable | !inside) {
        counted = sum_of_slots(counts);
    }
    return Checked(
        quad(
            bitcast<vec4<f32>>(select(vec4<u32>(), z, is_counted)),
            bitcast<vec4<f32>>(select(vec4<u32>(), t, is_counted)),
            bitcast<vec4<f32>>(select(vec4<u32>(), weight, is_counted)),
            counts,
            counted,
        ),
        bad,
    );
}

struct Loaded {
    octet: Octet,
    bad: vec4<u32>,
}

fn load(run: Run, voxel: u32, inside: Inside) -> Loaded {
    let index = voxel + run.offset;
    let z = logit_bits(index);
    let t = target_bits(index);
    let mask = mask_bits(voxel + run.mask_offset);
    let weight = voxel_weight_bits(index);
    let low = check(z.low, t.low, mask.low, weight.low, inside.low);
    let high = check(z.high, t.high, mask.high, weight.high, inside.high);
    return Loaded(Octet(low.v, high.v), low.bad + high.bad);
}
