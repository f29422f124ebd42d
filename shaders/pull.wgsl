// What an octet of the gradient receives for its distance from its labels. Expects `distances` and coefficients_of.

fn pull_of(run: Run, label: u32) -> f32 {
    var c = vec3<f32>();
    if (STATISTIC_0 & KIND) == WASSERSTEIN { c = coefficients_of(run.row + label, 0u); }
    if (STATISTIC_1 & KIND) == WASSERSTEIN { c = coefficients_of(run.row + label, 1u); }
    if (STATISTIC_2 & KIND) == WASSERSTEIN { c = coefficients_of(run.row + label, 2u); }
    if (STATISTIC_3 & KIND) == WASSERSTEIN { c = coefficients_of(run.row + label, 3u); }
    return c.y - c.x;
}

fn pulls_of(run: Run, labels: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(pull_of(run, labels.x), pull_of(run, labels.y), pull_of(run, labels.z), pull_of(run, labels.w));
}

fn distance_to_go(run: Run, voxel: u32) -> Distance {
    var distance = Distance();
    distance.labels = labels_of(run, voxel);
    distance.pull_low = pulls_of(run, distance.labels.low);
    distance.pull_high = pulls_of(run, distance.labels.high);
    return distance;
}
