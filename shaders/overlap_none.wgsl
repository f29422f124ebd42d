// No overlap: compilers would take long to find out. Expects Quad.

fn overlap_contribution(kind: u32, cut: vec2<f32>, v: Quad) -> vec4<f32> {
    return vec4<f32>();
}

fn overlap_slope(kind: u32, is_positive: f32, c: vec2<f32>, v: Quad) -> vec4<f32> {
    return vec4<f32>();
}
