// Loader of predicted labels: the probability of the voxel's is 1. Expects `params`, `tile`, `labels` and `logits_words`.

const PREDICTS_LABELS: bool = true;

fn logit_bits(run: Run, voxel: u32) -> Words {
    let label = logits_words(params.logits_base + voxel + run.mask_offset, 1u);
    let class_index = run.row % params.classes;
    return Words(is_class(label.low, class_index), is_class(label.high, class_index));
}
