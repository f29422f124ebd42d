// The voxel map: Σ weight × cross-entropy of every element, as f32.
//
// Expects `params`, `loss`, class_weight and `output_store`.

const WANTS_MAP: bool = true;

// `cross_entropy` holds, per statistic, the positive and negative part of the element's cross-entropy.
fn store_map(index: u32, row: u32, cross_entropy: array<vec2<f32>, 4>) {
    var parts = cross_entropy;
    var value = 0.0;
    for (var i = 0u; i < params.terms; i = i + 1u) {
        let part = parts[loss.terms[i].statistic];
        value = value + loss.terms[i].weight * (class_weight(i, row % params.classes) * part.x + part.y);
    }
    output_store(params.output_base + index, bitcast<u32>(value));
}
