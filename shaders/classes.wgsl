// Per term and class: what the three sums of a row are multiplied with before they are pooled, and what the value of a
// group of that class is; -1 there for a class that is not the term's. Behind them the distances of a Wasserstein loss, and
// the upstream gradients of the rows.
//
// Expects `params` and `loss`.

// How rows weigh by their volume: mirrored by `volume` in src/params/.
const VOLUME_UNUSED: u32 = 0u;
const VOLUME_INVERSE: u32 = 1u;
const VOLUME_INVERSE_SQUARED: u32 = 2u;
const VOLUME_INVERSE_ONE_MORE: u32 = 3u;

// The value of a group that is skipped: a NaN of its own.
const SKIPPED: u32 = 0xffffffffu;

@group(0) @binding(3) var<storage, read> class_weights: array<vec4<f32>>;

fn class_weight(term: u32, class_index: u32) -> vec4<f32> {
    return class_weights[term * params.classes + class_index];
}

// What the value of a group is multiplied with; negative if it is not the term's.
fn group_weight(index: u32, group: u32) -> f32 {
    let classes = loss.terms[index].group_classes;
    // Groups without a class, pools of classes, weigh 1.
    if classes == 0u { return 1.0; }
    return class_weight(index, group % classes).w;
}
