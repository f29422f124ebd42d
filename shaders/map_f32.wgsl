// The voxel map: Σ weight × cross-entropy of every element, as f32.
//
// Expects `params`, `loss`, `statistics`, `tile`, class_weight and `output_store`.

fn map_of(row: u32, v: Quad) -> vec4<u32> {
    // By statistic; those that are not cross-entropies belong to no term of such a loss.
    var parts = array<CrossEntropy, 4>(
        cross_entropy(STATISTIC_0, v),
        cross_entropy(STATISTIC_1, v),
        cross_entropy(STATISTIC_2, v),
        cross_entropy(STATISTIC_3, v),
    );
    var value = vec4<f32>();
    for (var i = 0u; i < params.terms; i = i + 1u) {
        let part = parts[loss.terms[i].statistic];
        let positive = class_weight(i, row % params.classes) * part.positive;
        value = value + loss.terms[i].weight * (positive + part.negative);
    }
    return bitcast<vec4<u32>>(value);
}

fn store_map(run: Run, voxel: u32, octet: Octet, inside: Inside) {
    let words = Words(map_of(run.row, octet.low), map_of(run.row, octet.high));
    output_store(params.output_base + voxel + run.offset, words, inside);
}
