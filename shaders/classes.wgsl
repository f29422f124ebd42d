// Per term and class: the weight of the term's first sum (cross-entropy's positive weight, else 1).
//
// Expects `params`.

@group(0) @binding(3) var<storage, read> class_weights: array<f32>;

fn class_weight(term: u32, class_index: u32) -> f32 {
    return class_weights[term * params.classes + class_index];
}
