// Loader of labels. Expects `params`, `tile`, `labels`, `targets_words` and `ignored`.

const HAS_LABELS: bool = true;

fn target_bits(run: Run, voxel: u32) -> Words {
    let label = targets_words(params.targets_base + voxel + run.mask_offset, 1u);
    let class_index = run.row % params.classes;
    return Words(
        ignored(label.low, is_class(label.low, class_index)),
        ignored(label.high, is_class(label.high, class_index)),
    );
}
