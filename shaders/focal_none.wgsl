// No focal loss: compilers would take long to find out. Expects Chance and Pointwise.

fn focal_values(kind: u32, settings: vec4<f32>, c: Chance, t: vec4<f32>) -> Pointwise {
    return Pointwise();
}

fn focal_slopes(kind: u32, settings: vec4<f32>, c: Chance, t: vec4<f32>) -> Pointwise {
    return Pointwise();
}
