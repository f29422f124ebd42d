//! Values by hand, and what losses are to each other.

use serde_json::json;

use super::{assert_close, batch, evaluate, tensors};
use crate::{Labels, Shape};

/// p = (¼, ¾, ½), t = (0, 1, 1): I = 5/4, P = 3/2, T = 2, Σp² = 7/8. Of t = (½, ½, 1), T = 2, too, the product has I = 1 and
/// the minimum 5/4.
#[test]
fn dice_by_hand() {
    let shape = Shape::new(&[1, 1, 3]).unwrap();
    let hard = batch(&shape, &[0.25, 0.75, 0.5], &[0.0, 1.0, 1.0]);
    let smooth = |mut params: serde_json::Value| {
        (params["smooth_nr"], params["smooth_dr"]) = (json!(1), json!(0.5));
        params
    };
    for (name, params, expected) in [
        ("DiceLoss", json!({}), 1.0 - 3.5 / 4.0),
        ("DiceLoss", json!({ "squared_pred": true }), 1.0 - 3.5 / 3.375),
        ("DiceLoss", json!({ "jaccard": true }), 1.0 - 3.5 / (2.0 * 2.25 + 0.5)),
        ("GeneralizedDiceLoss", json!({}), 1.0 - (2.5 / 4.0 + 1.0) / (3.5 / 4.0 + 0.5)),
        ("GeneralizedDiceLoss", json!({ "w_type": "simple" }), 1.0 - (2.5 / 2.0 + 1.0) / (3.5 / 2.0 + 0.5)),
        ("GeneralizedDiceLoss", json!({ "w_type": "uniform" }), 1.0 - 3.5 / 4.0),
        ("TverskyLoss", json!({}), 1.0 - 2.25 / (1.25 + 0.125 + 0.375 + 0.5)),
        ("TverskyLoss", json!({ "alpha": 1, "beta": 2 }), 1.0 - 2.25 / (1.25 + 0.25 + 1.5 + 0.5)),
        // TP, TN, FP and FN are 5/4, 3/4, 1/4 and 3/4.
        ("MCCLoss", json!({}), 1.0 - (1.25 * 0.75 - 0.25 * 0.75 + 1.0) / (1.5 * 2.0 * 1.0 * 1.5_f64 + 0.5).sqrt()),
    ] {
        assert_close(evaluate(name, &smooth(params), &hard).value, expected);
    }
    let soft = batch(&shape, &[0.25, 0.75, 0.5], &[0.5, 0.5, 1.0]);
    for (name, product, minimum) in [
        ("DiceLoss", 1.0 - 3.0 / 4.0, 1.0 - 3.5 / 4.0),
        ("TverskyLoss", 1.0 - 2.0 / (1.75 + 0.5), 1.0 - 2.25 / (1.75 + 0.5)),
    ] {
        assert_close(evaluate(name, &smooth(json!({})), &soft).value, product);
        assert_close(evaluate(name, &smooth(json!({ "soft_label": true })), &soft).value, minimum);
    }
}

/// A perfect prediction has the loss 0, of a class that is nowhere or everywhere, too; any other has what the root's constant makes
/// of it.
#[test]
fn matthews_of_what_is_perfect() {
    let shape = Shape::new(&[1, 3, 2]).unwrap();
    let masks = batch(&shape, &[0.0, 0.0, 1.0, 1.0, 0.0, 1.0], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    let values = evaluate("MCCLoss", &json!({ "reduction": "none" }), &masks);
    assert_eq!(values.groups[0], [0.0, 0.0, 1.0]);
    let undefined = evaluate("MCCLoss", &json!({ "reduction": "none", "smooth_dr": 0 }), &masks);
    assert_eq!(undefined.groups[0][..2], [0.0, 0.0]);
    assert!(undefined.groups[0][2].is_nan());
}

/// Labels (1, 0) and mask (1, 0): the second voxel is background in the target, and nothing in the prediction. So I = (0, ½),
/// P = (¼, ½) and T = (1, 1), where T of class 0 would be 0 if the mask left out both.
#[test]
fn masked_labels_are_background() {
    let shape = Shape::new(&[1, 2, 2]).unwrap();
    let probabilities = [0.25, 0.75, 0.5, 0.125];
    let exact = json!({ "smooth_nr": 0, "smooth_dr": 0, "reduction": "none" });
    let with = |name: &str, value: bool| {
        let mut params = exact.clone();
        params[name] = json!(value);
        params
    };
    let labels = batch(&shape, &probabilities, Labels::U8(&[1, 0])).with_mask(&[1.0, 0.0]).unwrap();
    let masked = evaluate("MaskedDiceLoss", &with("to_onehot_y", true), &labels);
    assert_eq!(masked.groups[0], [1.0, 1.0 - 1.0 / 1.5]);
    // Of targets that are one-hot already it leaves out both.
    let one_hot = batch(&shape, &probabilities, &[0.0, 1.0, 1.0, 0.0]).with_mask(&[1.0, 0.0]).unwrap();
    let masked = evaluate("MaskedDiceLoss", &with("to_onehot_y", false), &one_hot);
    assert_eq!((masked.groups[0][0], masked.sums[0][0].target()), (1.0, 0.0));
    // Without a mask it is DiceLoss.
    let labels = batch(&shape, &probabilities, Labels::U8(&[1, 0]));
    let both = ["MaskedDiceLoss", "DiceLoss"].map(|name| evaluate(name, &with("to_onehot_y", true), &labels));
    assert_eq!(both[0], both[1]);
}

/// Class 0 has nothing in either mask: 0/0, which a weight of 0 does not make 0.
#[test]
fn a_weight_of_zero_does_not_hide_what_is_no_number() {
    let shape = Shape::new(&[1, 2, 2]).unwrap();
    let batch = batch(&shape, &[0.0, 0.0, 0.5, 0.5], &[0.0, 0.0, 1.0, 0.0]);
    for reduction in ["mean", "sum"] {
        let with = |smooth: f64| {
            let params = json!({ "weight": [0, 2], "smooth_nr": smooth, "smooth_dr": smooth, "reduction": reduction });
            evaluate("DiceLoss", &params, &batch).value
        };
        assert!(with(0.0).is_nan(), "{}", with(0.0));
        // 2·(1 − 2/3) by 2, or not.
        assert_close(with(1.0), if reduction == "mean" { 1.0 / 3.0 } else { 2.0 / 3.0 });
    }
}

/// The sum is Σ over samples and classes of means over the voxels that count; the mean of an ignore index divides by those
/// voxels, not by elements.
#[test]
fn focal_reductions_follow_from_the_map() {
    let (shape, logits, _) = tensors(&[2, 3, 4]);
    let labels = [0, 1, 2, 255, 255, 255, 1, 0];
    let batch = batch(&shape, &logits, Labels::U8(&labels));
    for form in [false, true] {
        for background in [true, false] {
            let params = |reduction: &str| {
                json!({
                    "to_onehot_y": true, "ignore_index": 255, "alpha": 0.25, "weight": 2, "use_softmax": form,
                    "include_background": background, "reduction": reduction,
                })
            };
            let map = evaluate("FocalLoss", &params("none"), &batch).voxel_map.unwrap();
            let samples: Vec<f64> = map.chunks(12).map(|sample| sample.iter().sum()).collect();
            assert!(samples[0] > 0.0 && map[3] == 0.0 && map[12] == 0.0 && (background || map[0] == 0.0));
            assert_close(evaluate("FocalLoss", &params("sum"), &batch).value, samples[0] / 3.0 + samples[1] / 2.0);
            assert_close(evaluate("FocalLoss", &params("mean"), &batch).value, (samples[0] + samples[1]) / 5.0);
        }
    }
}

/// Without an ignore index the mean divides by the elements of the classes measured.
#[test]
fn focal_means_divide_by_elements() {
    let (shape, logits, targets) = tensors(&[2, 3, 2, 2]);
    let batch = batch(&shape, &logits, &targets[..]);
    for form in [false, true] {
        for (background, classes) in [(true, 3.0), (false, 2.0)] {
            let params = |reduction: &str| json!({ "use_softmax": form, "include_background": background, "reduction": reduction });
            let map: f64 = evaluate("FocalLoss", &params("none"), &batch).voxel_map.unwrap().iter().sum();
            assert_close(evaluate("FocalLoss", &params("mean"), &batch).value, map / (8.0 * classes));
            assert_close(evaluate("FocalLoss", &params("sum"), &batch).value, map / 4.0);
        }
    }
}

/// With γ = 0 and t = 1 or 0 the loss of a voxel is α times −ln σ(z), or 1 − α times −ln σ(−z); a list weighs positives alone.
#[test]
fn alpha_weighs_both_sides_or_positives() {
    let shape = Shape::new(&[1, 2, 2]).unwrap();
    let batch = batch(&shape, &[0.0; 4], &[1.0, 0.0, 1.0, 0.0]);
    let map = |alpha| {
        let params = json!({ "gamma": 0, "reduction": "none", "alpha": alpha });
        let map = evaluate("FocalLoss", &params, &batch).voxel_map.unwrap();
        map.iter().map(|value| value / std::f64::consts::LN_2).collect::<Vec<_>>()
    };
    for (alpha, expected) in [
        (json!(null), [1.0, 1.0, 1.0, 1.0]),
        (json!(0.25), [0.25, 0.75, 0.25, 0.75]),
        (json!([0.25, 3]), [0.25, 1.0, 3.0, 1.0]),
    ] {
        map(alpha).iter().zip(expected).for_each(|(&got, want)| assert_close(got, want));
    }
}

/// With γ = 0 and z = 0 the loss of a voxel is ln 2 whatever t is. What is not exactly 1 a list does not weigh; one number weighs
/// both shares.
#[test]
fn a_list_for_alpha_weighs_ones_alone() {
    let shape = Shape::new(&[1, 2, 2]).unwrap();
    let batch = batch(&shape, &[0.0; 4], &[1.0, 0.5, 1.0, 0.75]).with_gradient();
    for (alpha, expected) in [(json!([0.25, 3]), [0.25, 1.0, 3.0, 1.0]), (json!(0.25), [0.25, 0.5, 0.25, 0.375])] {
        let loss = evaluate("FocalLoss", &json!({ "gamma": 0, "reduction": "none", "alpha": alpha }), &batch);
        for (element, factor) in expected.into_iter().enumerate() {
            assert_close(loss.voxel_map.as_ref().unwrap()[element], factor * std::f64::consts::LN_2);
            // dℓ/dz = σ(0) − t.
            let slope = 0.5 - [1.0, 0.5, 1.0, 0.75][element];
            assert_close(loss.gradient.as_ref().unwrap()[element], factor * slope);
        }
    }
}

/// Each part is a loss of its own: λ times it, at both reductions.
#[test]
fn compounds_are_sums_of_their_parts() {
    let (shape, logits, targets) = tensors(&[3, 4, 5]);
    let batch = batch(&shape, &logits, &targets[..]);
    let value = |name: &str, params: serde_json::Value| evaluate(name, &params, &batch).value;
    for reduction in ["mean", "sum"] {
        let dice = json!({ "softmax": true, "batch": true, "reduction": reduction });
        let generalized = json!({ "softmax": true, "reduction": reduction });
        let focal = json!({ "gamma": 3, "weight": 2, "reduction": reduction });
        let with = |of: &serde_json::Value, more: serde_json::Value| {
            let mut params = of.clone();
            params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            params
        };
        let compound = value("DiceFocalLoss", with(&dice, json!({ "lambda_dice": 0.5, "gamma": 3 })));
        let alone = value("FocalLoss", json!({ "gamma": 3, "reduction": reduction }));
        assert_close(compound, 0.5 * value("DiceLoss", dice.clone()) + alone);
        let more = json!({ "lambda_gdl": 0.5, "lambda_focal": 3, "gamma": 3, "weight": 2 });
        let compound = value("GeneralizedDiceFocalLoss", with(&generalized, more));
        assert_close(compound, 0.5 * value("GeneralizedDiceLoss", generalized) + 3.0 * value("FocalLoss", focal));
        let only_entropy = value("DiceCELoss", with(&dice, json!({ "lambda_dice": 0 })));
        let compound = value("DiceCELoss", with(&dice, json!({ "lambda_dice": 0.5, "lambda_ce": 2 })));
        assert_close(compound, 0.5 * value("DiceLoss", dice) + 2.0 * only_entropy);
    }
}

/// Uniform logits have −ln p = ln C. Labels: Σ w·ln C/Σ w; dense: Σ w·t·ln C over the voxels, whatever Σ w is.
#[test]
fn cross_entropy_divides_by_weights_or_by_voxels() {
    let shape = Shape::new(&[1, 3, 2]).unwrap();
    let ln = 3.0_f64.ln();
    let params = |one_hot: bool| json!({ "lambda_dice": 0, "weight": [1, 2, 4], "to_onehot_y": one_hot });
    let labels = batch(&shape, &[0.0; 6], Labels::U8(&[1, 2]));
    assert_close(evaluate("DiceCELoss", &params(true), &labels).value, ln);
    let one_hot = batch(&shape, &[0.0; 6], &[0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    assert_close(evaluate("DiceCELoss", &params(false), &one_hot).value, 3.0 * ln);
    // ln p of one channel is that of a sigmoid: (π + 1)·ln 2 over two voxels.
    let shape = Shape::new(&[1, 1, 2]).unwrap();
    let binary = batch(&shape, &[0.0; 2], &[1.0, 0.0]);
    let value = evaluate("DiceCELoss", &json!({ "lambda_dice": 0, "weight": 3 }), &binary).value;
    assert_close(value, 2.0 * std::f64::consts::LN_2);
}

/// An empty list of axes means all of them to the original: one ratio, which the weights' mean or sum multiplies.
#[test]
fn without_spatial_axes_everything_is_added_up() {
    let (shape, logits, targets) = tensors(&[4, 3]);
    let (flat, _, _) = tensors(&[1, 1, 12]);
    let (given, together) = (batch(&shape, &logits, &targets[..]), batch(&flat, &logits, &targets[..]));
    for name in ["DiceLoss", "TverskyLoss"] {
        let value = evaluate(name, &json!({}), &together).value;
        for reduction in ["mean", "sum", "none"] {
            assert_close(evaluate(name, &json!({ "reduction": reduction }), &given).value, value);
        }
    }
    let value = evaluate("DiceLoss", &json!({}), &together).value;
    for (reduction, weight, expected) in [
        ("mean", json!([1, 2, 6]), 3.0),
        ("sum", json!([1, 2, 6]), 9.0),
        ("mean", json!(2), 2.0),
        ("sum", json!(2), 6.0),
    ] {
        let params = json!({ "reduction": reduction, "weight": weight });
        assert_close(evaluate("DiceLoss", &params, &given).value, expected * value);
    }
    // So the focal loss's sum of means over no axes is its mean.
    let focal = |reduction| evaluate("FocalLoss", &json!({ "reduction": reduction }), &given).value;
    assert_close(focal("sum"), focal("mean"));
}

/// What an ignore index leaves out might as well not be there.
#[test]
fn ignored_voxels_do_not_count() {
    let (kept, shape) = (Shape::new(&[1, 3, 2]).unwrap(), Shape::new(&[1, 3, 3]).unwrap());
    let (short, long) = ([0.5, -1.0, 0.25, 2.0, -0.5, 1.0], [0.5, 9.0, -1.0, 0.25, 9.0, 2.0, -0.5, 9.0, 1.0]);
    let without = batch(&kept, &short, Labels::U8(&[2, 1]));
    let of = |name: &str, labels: &[u8; 3], index: i64| {
        let with = batch(&shape, &long, Labels::U8(labels));
        let params = |params: serde_json::Value| {
            let mut params = params;
            params["to_onehot_y"] = json!(true);
            params
        };
        let value = evaluate(name, &params(json!({ "softmax": true, "ignore_index": index })), &with).value;
        assert_close(value, evaluate(name, &params(json!({ "softmax": true })), &without).value);
    };
    for name in ["DiceLoss", "TverskyLoss"] {
        of(name, &[2, 255, 1], 255);
        of(name, &[2, 0, 1], 0);
    }
}
