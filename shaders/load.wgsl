// One element with its companions, and a note of what is not a usable number.
//
// Expects `params`, the four loaders and `element`.

const ONE_BITS: u32 = 0x3f800000u;

// Tests on bits: drivers may compile `v != v` away.
fn is_not_finite(bits: u32) -> bool {
    return (bits & 0x7f800000u) == 0x7f800000u;
}

struct Loaded {
    v: Element,
    // 1 for a logit, target, mask entry or voxel weight that is not usable.
    bad: vec4<u32>,
}

// `index` counts elements, `mask_index` mask entries, both from the window's first element.
fn load(index: u32, mask_index: u32) -> Loaded {
    let z = logit_bits(index);
    let t = target_bits(index);
    let mask = mask_bits(mask_index);
    let weight = voxel_weight_bits(index);
    let masked = (mask & 0x7fffffffu) == 0u;
    let bad = vec4<u32>(
        u32(is_not_finite(z)),
        u32(is_not_finite(t)),
        u32(!masked && mask != ONE_BITS),
        u32(is_not_finite(weight)),
    );
    // Replaced by 0 rather than multiplied by it: 0 × NaN is NaN.
    let counts = !masked && all(bad == vec4<u32>());
    return Loaded(
        element(
            bitcast<f32>(select(0u, z, counts)),
            bitcast<f32>(select(0u, t, counts)),
            bitcast<f32>(select(0u, weight, counts)),
            select(0.0, 1.0, counts),
        ),
        bad,
    );
}
