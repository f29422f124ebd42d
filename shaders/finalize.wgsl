// Stage 4: from the groups' values to the loss. One team.
//
// Oracle: reference::finalize. Expects `params`, `scratch`, `loss`, Cascade and a team.

// (Σ ω·v, Σ ω) over the groups of a sample that are neither foreign nor skipped, from `rank` on in steps of `step`.
fn sum_groups(index: u32, first: u32, count: u32, rank: u32, step: u32) -> vec4<f32> {
    var total = Cascade();
    for (var k = rank; k < count; k = k + step) {
        let weight = group_weight(index, first + k);
        let bits = scratch.words[params.group_values + loss.terms[index].first_group + first + k];
        let is_kept = weight >= 0.0 && bits != SKIPPED;
        // A weight of 0 leaves out even what is no number, unless a term asks for that.
        let takes = weight > 0.0 || loss.terms[index].zero_keeps_nan != 0u;
        let value = select(0.0, weight * bitcast<f32>(bits), is_kept && takes);
        add_to(&total, vec4<f32>(value, select(0.0, weight, is_kept), 0.0, 0.0));
    }
    return sum_of(total);
}

// The mean over the samples of their means over what is not skipped, times the number of samples; each sample's share is
// kept for `gradient`.
fn sum_of_means(at: Invocation, index: u32) -> f32 {
    let term = loss.terms[index];
    let size = term.groups / term.samples;
    var total = Cascade();
    for (var sample = team_rank(at); sample < term.samples; sample = sample + team_lanes()) {
        let sums = sum_groups(index, sample * size, size, 0u, 1u);
        let is_empty = sums.y == 0.0;
        let share = select(1.0 / sums.y, 0.0, is_empty);
        store_f32(params.sample_scales + index * sample_count() + sample, share);
        let mean = select(share * sums.x, select(0.0, bitcast<f32>(term.nothing_found), size > 0u), is_empty);
        add_to(&total, vec4<f32>(mean, 0.0, 0.0, 0.0));
    }
    return team_sum(at, sum_of(total)).x;
}

fn finalize_loss(at: Invocation, team: u32) {
    let first = team == 0u && team_rank(at) == 0u;
    var value = 0.0;
    for (var i = 0u; i < params.terms; i = i + 1u) {
        let term = loss.terms[i];
        var sum = 0.0;
        if term.averages_what_is_left != 0u {
            sum = sum_of_means(at, i);
        } else {
            sum = team_sum(at, sum_groups(i, 0u, term.groups, team_rank(at), team_lanes())).x;
        }
        let reduced = outer_mapped(term, term.scale * sum);
        value = value + term.weight * reduced.x;
        if first {
            store_f32(params.term_values + i, reduced.x);
            store_f32(params.term_scales + i, term.scale * reduced.y);
        }
    }
    if first {
        scratch.value = bitcast<u32>(value);
        scratch.done = 1u;
    }
}

fn finalize(at: Invocation) {
    finalize_loss(at, team_index(at));
}
