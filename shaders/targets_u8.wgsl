// Loader of bytes, each worth `params.target_scale`; the ignore index is the byte that is worth it. Expects `params`, `targets_words` and `ignored`.

const HAS_LABELS: bool = false;

fn worth(byte: vec4<u32>) -> vec4<u32> {
    return ignored(byte, bitcast<vec4<u32>>(vec4<f32>(byte) * params.target_scale));
}

fn target_bits(run: Run, voxel: u32) -> Words {
    let words = targets_words(params.targets_base + element_index(run, voxel), params.voxel_step);
    return Words(worth(words.low), worth(words.high));
}
