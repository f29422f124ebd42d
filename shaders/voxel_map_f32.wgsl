// A map of voxels: the values of all classes together, as f32. Expects `params`, `tile`, `column`, `map` and `output_store`.

fn store_voxel_map(run: Run, voxel: u32, inside: Inside, column: Column) {
    var low = vec4<f32>();
    var high = vec4<f32>();
    for (var class_index = 0u; class_index < params.classes; class_index = class_index + 1u) {
        let own = class_run(run, class_index);
        let octet = class_octet(own, voxel, inside, column, class_index);
        low = low + map_of(own.row, octet.low);
        high = high + map_of(own.row, octet.high);
    }
    let words = Words(bitcast<vec4<u32>>(low), bitcast<vec4<u32>>(high));
    output_store(params.output_base + voxel + run.mask_offset, 1u, words, inside);
}
