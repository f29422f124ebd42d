// Loader of labels: 1 where the voxel's is the row's class, NaN where it is no class. Expects `params`, `targets_words`,
// `ignored` and ONE_BITS.

const HAS_LABELS: bool = true;

fn is_class(label: vec4<u32>, class_index: u32) -> vec4<u32> {
    let known = select(vec4<u32>(), vec4<u32>(ONE_BITS), label == vec4<u32>(class_index));
    return ignored(label, select(vec4<u32>(0x7fc00000u), known, label < vec4<u32>(params.classes)));
}

fn target_bits(run: Run, voxel: u32) -> Words {
    let words = targets_words(params.targets_base + voxel + run.mask_offset, 1u);
    let class_index = run.row % params.classes;
    return Words(is_class(words.low, class_index), is_class(words.high, class_index));
}
