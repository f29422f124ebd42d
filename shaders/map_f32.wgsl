// A map of elements: the value of every one, as f32. Expects `params`, `tile`, `map` and `output_store`.

fn store_map(run: Run, voxel: u32, octet: Octet, inside: Inside) {
    let words = Words(bitcast<vec4<u32>>(map_of(run.row, octet.low)), bitcast<vec4<u32>>(map_of(run.row, octet.high)));
    output_store(params.output_base + element_index(run, voxel), params.voxel_step, words, inside);
}
