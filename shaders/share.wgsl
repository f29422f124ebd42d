// What the terms of the loss make of a row's sums: the numbers that its elements receive.
//
// Expects `params`, `scratch`, `loss` and `classes`.

// The gradient that arrives from outside.
fn upstream_of(row: u32) -> f32 {
    if params.row_upstream == 0u { return loss.upstream; }
    return loss.upstream * class_weights[params.row_upstream + row / 4u][row % 4u];
}

// dL/d(first, second, third sum) of a row's statistic: what the terms that use it add up to.
fn row_coefficients(row: u32, statistic: u32) -> vec3<f32> {
    var total = vec3<f32>();
    for (var i = 0u; i < params.terms; i = i + 1u) {
        let term = loss.terms[i];
        if term.statistic == statistic {
            let group = (row / term.group_divisor) % term.groups;
            let at = params.slopes + 3u * (term.first_group + group);
            let slopes = vec3<f32>(load_vec2(at), bitcast<f32>(scratch.words[at + 2u]));
            var share = max(group_weight(i, group), 0.0) * bitcast<f32>(scratch.words[params.term_scales + i]);
            if term.volume != VOLUME_UNUSED {
                share = share * bitcast<f32>(scratch.words[params.row_weights + i * params.rows + row]);
            }
            if term.averages_what_is_left != 0u {
                let sample = select(0u, row / params.classes, term.samples > 1u);
                share = share * bitcast<f32>(scratch.words[params.sample_scales + i * sample_count() + sample]);
            }
            total = total + term.weight * share * slopes * class_weight(i, row % params.classes).xyz;
        }
    }
    return upstream_of(row) * total;
}
