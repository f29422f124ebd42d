// How far predictions are from their labels: δ = Σ_c M[l, c]·p_c. One statistic of a loss is made of it.
//
// Derived in reference::score. Expects `params`, `column`, class_weights, and labels for targets.

// Of an octet: its labels, 1 - δ and δ, and what the gradient multiplies M with, dL/dB - dL/dA of the label.
struct Distance {
    labels: Words,
    near_low: vec4<f32>,
    near_high: vec4<f32>,
    far_low: vec4<f32>,
    far_high: vec4<f32>,
    pull_low: vec4<f32>,
    pull_high: vec4<f32>,
}

// Labels that are none belong to voxels that do not count.
fn labels_of(run: Run, voxel: u32) -> Words {
    let words = targets_words(params.targets_base + voxel + run.mask_offset, 1u);
    let last = vec4<u32>(params.classes - 1u);
    return Words(min(words.low, last), min(words.high, last));
}

fn distance_between(label: u32, class_index: u32) -> f32 {
    let at = label * params.classes + class_index;
    return class_weights[params.terms * params.classes + at / 4u][at % 4u];
}

fn distances_from(labels: vec4<u32>, class_index: u32) -> vec4<f32> {
    return vec4<f32>(
        distance_between(labels.x, class_index),
        distance_between(labels.y, class_index),
        distance_between(labels.z, class_index),
        distance_between(labels.w, class_index),
    );
}

// 1 - δ = Σ (1 - M)·p, since Σ p = 1: it does not cancel for M up to 1.
fn distance_of(run: Run, voxel: u32, inside: Inside, column: Column) -> Distance {
    var distance = Distance();
    distance.labels = labels_of(run, voxel);
    for (var c = 0u; c < params.classes; c = c + 1u) {
        let octet = class_octet(class_run(run, c), voxel, inside, column, c);
        let low = distances_from(distance.labels.low, c);
        let high = distances_from(distance.labels.high, c);
        distance.far_low = distance.far_low + low * octet.low.soft_p;
        distance.far_high = distance.far_high + high * octet.high.soft_p;
        distance.near_low = distance.near_low + (1.0 - low) * octet.low.soft_p;
        distance.near_high = distance.near_high + (1.0 - high) * octet.high.soft_p;
    }
    return distance;
}

fn with_distance(octet: Octet, distance: Distance, class_index: u32) -> Octet {
    var full = octet;
    full.low.near = distance.near_low;
    full.low.far = distance.far_low;
    full.low.pull = distance.pull_low * distances_from(distance.labels.low, class_index);
    full.high.near = distance.near_high;
    full.high.far = distance.far_high;
    full.high.pull = distance.pull_high * distances_from(distance.labels.high, class_index);
    return full;
}
