// What four elements are worth: Σ weight × value of every term.
//
// Expects `params`, `loss`, `statistics` and class_weight.

fn map_of(row: u32, v: Quad) -> vec4<f32> {
    // By statistic; those that are not over voxels belong to no term of such a loss.
    var parts = array<Pointwise, 4>(
        pointwise_values(STATISTIC_0, loss.settings[0], v),
        pointwise_values(STATISTIC_1, loss.settings[1], v),
        pointwise_values(STATISTIC_2, loss.settings[2], v),
        pointwise_values(STATISTIC_3, loss.settings[3], v),
    );
    var value = vec4<f32>();
    for (var i = 0u; i < params.terms; i = i + 1u) {
        let part = parts[loss.terms[i].statistic];
        let weights = class_weight(i, row % params.classes);
        value = value + loss.terms[i].weight * (weights.x * part.first + weights.y * part.second);
    }
    return v.weight * value;
}
