// No sum over voxels: compilers would take long to find out. Expects Quad.

struct Pointwise {
    first: vec4<f32>,
    second: vec4<f32>,
    third: vec4<f32>,
}

fn pointwise_values(kind: u32, settings: vec4<f32>, v: Quad) -> Pointwise {
    return Pointwise();
}

fn pointwise_slopes(kind: u32, settings: vec4<f32>, v: Quad) -> Pointwise {
    return Pointwise();
}
