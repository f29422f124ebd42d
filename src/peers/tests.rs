//! What peers refuse, and what closed forms say of the rest.

use serde_json::{Value, json};

use super::{Peer, Recipe, smp};
use crate::{Batch, Error, Labels, Loss, Problem, Shape, TargetFormat, Targets, reference};

fn recipe(peer: &str, loss: &str, params: Value) -> Result<Recipe, serde_json::Error> {
    serde_json::from_value(json!({ "peer": peer, "loss": loss, "params": params }))
}

/// A problem with so many classes, of labels or of a dense target.
fn problem(classes: usize, is_labels: bool) -> Problem {
    let mut problem = Problem::new(Shape::new(&[2, classes, 3, 2]).unwrap());
    if is_labels {
        problem.targets = TargetFormat::Labels(crate::LabelFormat::U8);
    }
    problem
}

const DENSE: bool = false;
const LABELS: bool = true;

fn check_refusals(peer: &str, refusals: impl IntoIterator<Item = (&'static str, Value, Problem, &'static str)>) {
    for (name, params, problem, message) in refusals {
        let error = recipe(peer, name, params.clone()).unwrap().loss(&problem).unwrap_err();
        assert!(matches!(error, Error::Peer { .. }), "{name} {params}: {error}");
        assert!(error.to_string().contains(message), "{name} {params}: {error}");
    }
}

fn evaluate(recipe: &Recipe, input: &[f32], dims: &[usize], targets: Targets) -> reference::Evaluation {
    let shape = Shape::new(dims).unwrap();
    let batch = Batch::new(&shape, input, targets).unwrap();
    reference::evaluate(&recipe.loss(batch.problem()).unwrap(), &batch).unwrap()
}

fn value(peer: &str, loss: &str, params: Value, input: &[f32], dims: &[usize], targets: Targets) -> f64 {
    evaluate(&recipe(peer, loss, params).unwrap(), input, dims, targets).value
}

#[test]
fn pytorch_refuses() {
    let ce = "CrossEntropyLoss";
    check_refusals(
        "pytorch",
        [
            (ce, json!({"weight": [1.0, 2.0]}), problem(3, LABELS), "weight has 2 entries, give one per class (3)"),
            (ce, json!({"weight": [1.0]}), problem(3, LABELS), "weight has 1 entries"),
            (ce, json!({"ignore_index": 0}), problem(3, DENSE), "ignore_index 0 goes with labels"),
            (ce, json!({"reduction": "per_voxel"}), problem(3, LABELS), "give mean, sum or none"),
            ("BCELoss", json!({"reduction": "per_voxel"}), problem(3, DENSE), "give mean, sum or none"),
        ],
    );
    assert!(recipe("pytorch", ce, json!({"weight": 2.0})).is_err());
}

#[test]
fn nnunet_refuses() {
    let masked = problem(2, DENSE).with_mask();
    let legacy = json!({"use_ignore_label": true, "bce_kwargs": {"reduce": false}});
    check_refusals(
        "nnunet",
        [
            ("SoftDiceLoss", json!({"clip_tp": 1.0}), problem(2, DENSE), "clip_tp 1 is not supported"),
            ("SoftDiceLoss", json!({}), problem(1, LABELS), "one channel takes its target as it is"),
            ("MemoryEfficientSoftDiceLoss", json!({}), problem(1, LABELS), "one channel"),
            ("RobustCrossEntropyLoss", json!({}), problem(2, DENSE), "takes a label map"),
            ("DC_and_CE_loss", json!({}), problem(2, DENSE), "takes a label map"),
            (
                "DC_and_CE_loss",
                json!({"ce_kwargs": {"ignore_index": 1}}),
                problem(2, LABELS),
                "give it as ignore_label",
            ),
            ("DC_and_CE_loss", json!({"ce_kwargs": {"reduction": "none"}}), problem(2, LABELS), "does not add up"),
            (
                "DC_and_CE_loss",
                json!({"ce_kwargs": {"weight": [1.0]}}),
                problem(2, LABELS),
                "DC_and_CE_loss: weight has 1",
            ),
            ("DC_and_BCE_loss", json!({}), problem(2, LABELS), "not a label map"),
            ("DC_and_BCE_loss", json!({"use_ignore_label": true}), problem(2, DENSE), "give it as the mask"),
            ("DC_and_BCE_loss", json!({"bce_kwargs": {"weight": 2.0}}), problem(2, DENSE), "would weigh Dice, too"),
            ("DC_and_BCE_loss", json!({"bce_kwargs": {"reduction": "none"}}), problem(2, DENSE), "does not add up"),
            ("DC_and_BCE_loss", legacy, masked, "leave them out"),
            (
                "DC_and_topk_loss",
                json!({"ce_kwargs": {"k": 10}}),
                problem(2, LABELS),
                "is not supported; take DC_and_CE",
            ),
        ],
    );
    for (name, params) in [
        ("MemoryEfficientSoftDiceLoss", json!({"clip_tp": 1.0})),
        ("SoftDiceLoss", json!({"apply_nonlin": "relu"})),
        ("DC_and_CE_loss", json!({"dice_class": "DiceLoss"})),
        ("DC_and_CE_loss", json!({"use_ignore_label": true})),
    ] {
        assert!(recipe("nnunet", name, params.clone()).is_err(), "{name} {params}");
    }
}

#[test]
fn nnunet_names_its_activations() {
    let dice = |params| recipe("nnunet", "SoftDiceLoss", params).unwrap();
    let softmax = dice(json!({"apply_nonlin": "softmax"}));
    assert_eq!(dice(json!({"apply_nonlin": "softmax_helper_dim1", "ddp": true})), softmax);
    let none = dice(json!({}));
    for written in [json!(null), json!("none")] {
        assert_eq!(dice(json!({ "apply_nonlin": written })), none);
    }
    let ddp = dice(json!({"ddp": false})).loss(&problem(2, DENSE));
    assert_eq!(ddp, none.loss(&problem(2, DENSE)));
}

/// The batch may say what a peer's own argument would.
#[test]
fn an_ignore_index_of_the_problem_is_the_peers() {
    for (peer, name, argument, params, classes) in [
        ("monai", "FocalLoss", "ignore_index", json!({"to_onehot_y": true}), 3),
        ("monai", "DiceLoss", "ignore_index", json!({"to_onehot_y": true, "softmax": true}), 3),
        ("smp", "FocalLoss", "ignore_index", json!({"mode": "multiclass", "reduction": "batchwise_mean"}), 3),
        ("smp", "FocalLoss", "ignore_index", json!({"mode": "multiclass", "reduction": "sum"}), 3),
        ("smp", "DiceLoss", "ignore_index", json!({"mode": "multiclass"}), 3),
        ("smp", "SoftCrossEntropyLoss", "ignore_index", json!({"smooth_factor": 0.1, "reduction": "none"}), 3),
        ("nnunet", "DC_and_CE_loss", "ignore_label", json!({}), 3),
        ("pytorch", "CrossEntropyLoss", "ignore_index", json!({"reduction": "mean"}), 3),
    ] {
        let problem = problem(classes, LABELS);
        let of_batch = Problem { ignore_index: Some(255), ..problem.clone() };
        let mut own = params.clone();
        own[argument] = json!(255);
        let (own, bare) = (recipe(peer, name, own).unwrap(), recipe(peer, name, params).unwrap());
        let ignoring =
            |recipe: &Recipe, problem: &Problem| Loss { ignore_index: None, ..recipe.loss(problem).unwrap() };
        assert_eq!(ignoring(&bare, &of_batch), ignoring(&own, &problem), "{peer} {name}");
        assert_eq!(bare.result_shape(&of_batch), own.result_shape(&problem), "{peer} {name}");
    }
}

/// Everything ignored: CE is 0, and Dice −s/s.
#[test]
fn nnunet_has_no_cross_entropy_of_nothing() {
    let params = json!({"ignore_label": 9, "weight_dice": 2.0});
    let labels = Labels::I64(&[9, 9]).into();
    let evaluation =
        evaluate(&recipe("nnunet", "DC_and_CE_loss", params).unwrap(), &[1.0, -1.0, 2.0, 0.5], &[1, 2, 2], labels);
    assert_eq!((evaluation.value, evaluation.terms), (-2.0, vec![-1.0, 0.0]));
}

/// With logits 0 an element's BCE is ln 2; by the voxels that count, that is C·ln 2.
#[test]
fn nnunet_divides_masked_bce_by_voxels() {
    let params = json!({"use_ignore_label": true, "weight_dice": 0.0});
    let shape = Shape::new(&[1, 3, 2]).unwrap();
    let batch = Batch::new(&shape, &[0.0; 6], &[1.0; 6]).unwrap().with_mask(&[0.0, 1.0]).unwrap();
    let loss = recipe("nnunet", "DC_and_BCE_loss", params).unwrap().loss(batch.problem()).unwrap();
    let value = reference::evaluate(&loss, &batch).unwrap().value;
    assert!((value - 3.0 * 2f64.ln()).abs() < 1e-12, "{value}");
}

#[test]
fn smp_refuses() {
    let multiclass = |more: Value| with(json!({"mode": "multiclass"}), more);
    let binary = |more: Value| with(json!({"mode": "binary"}), more);
    let multilabel = |more: Value| with(json!({"mode": "multilabel"}), more);
    let focal = "FocalLoss";
    let mask = problem(2, DENSE).with_mask();
    check_refusals(
        "smp",
        [
            ("DiceLoss", multiclass(json!({})), problem(2, DENSE), "takes a label map"),
            ("JaccardLoss", binary(json!({})), problem(1, LABELS), "not a label map"),
            ("DiceLoss", binary(json!({"classes": [0]})), problem(1, DENSE), "takes no classes"),
            ("TverskyLoss", binary(json!({"class_weights": [1]})), problem(1, DENSE), "takes no class_weights"),
            ("DiceLoss", multiclass(json!({"class_weights": [1, 2]})), problem(3, LABELS), "class_weights has 2"),
            ("DiceLoss", multilabel(json!({"class_weights": [0, 0]})), problem(2, DENSE), "class_weights are 0"),
            (
                "JaccardLoss",
                multiclass(json!({"class_weights": [1, 0, 0], "classes": [1, -1]})),
                problem(3, LABELS),
                "class_weights are 0 for all classes that take part",
            ),
            (focal, multilabel(json!({"class_weights": [0, 0]})), problem(2, DENSE), "class_weights are 0"),
            ("DiceLoss", multiclass(json!({"classes": [-4]})), problem(3, LABELS), "class -4 does not exist"),
            ("DiceLoss", multiclass(json!({"classes": [3]})), problem(3, LABELS), "class 3 does not exist"),
            (focal, multilabel(json!({"ignore_index": 255})), problem(2, DENSE), "takes no ignore_index"),
            (focal, binary(json!({"reduced_threshold": 0.0})), problem(1, DENSE), "give one in (0, 1]"),
            (focal, multilabel(json!({"class_weights": [1, 2], "reduction": "none"})), problem(2, DENSE), "do not fit"),
            (focal, binary(json!({"reduction": "none", "ignore_index": 2})), problem(1, DENSE), "give a mask"),
            (focal, binary(json!({"reduction": "none", "normalized": true})), problem(1, DENSE), "normalized loss"),
            (focal, binary(json!({"normalized": true, "ignore_index": 2})), problem(1, DENSE), "give sum"),
            (focal, multilabel(json!({"normalized": true})), mask, "give sum"),
            (focal, binary(json!({})), problem(1, LABELS), "not a label map"),
            ("SoftBCEWithLogitsLoss", json!({"smooth_factor": 0.6}), problem(1, DENSE), "smooth_factor is 0.6"),
            ("SoftBCEWithLogitsLoss", json!({"weight": [1]}), problem(1, DENSE), "voxel weights"),
            ("SoftBCEWithLogitsLoss", json!({"pos_weight": [1, 2]}), problem(3, DENSE), "pos_weight has 2 entries"),
            ("SoftCrossEntropyLoss", json!({}), problem(2, LABELS), "fails without a smooth_factor"),
            ("SoftCrossEntropyLoss", json!({"smooth_factor": 0.0, "dim": -1}), problem(2, LABELS), "dim -1"),
            ("SoftCrossEntropyLoss", json!({"smooth_factor": 0.0}), problem(2, DENSE), "takes a label map"),
            ("MCCLoss", json!({}), problem(1, LABELS), "not a label map"),
        ],
    );
    for name in ["DiceLoss", "JaccardLoss", "TverskyLoss", focal] {
        assert!(recipe("smp", name, json!({})).unwrap_err().to_string().contains("missing field `mode`"));
    }
    let twice = recipe("smp", "DiceLoss", multiclass(json!({"classes": [-1, 2]}))).unwrap();
    assert!(crate::plan::check(&twice.loss(&problem(3, LABELS)).unwrap(), &problem(3, LABELS)).is_err());
}

fn with(mut params: Value, more: Value) -> Value {
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

#[test]
fn smp_has_its_own_defaults() {
    use super::smp::{DiceLoss, FocalLoss, JaccardLoss, Mode, TverskyLoss};
    let read = |loss: &str| recipe("smp", loss, json!({"mode": "multilabel"})).unwrap();
    let wrap = |recipe| Recipe::Smp(recipe);
    assert_eq!(read("DiceLoss"), wrap(super::smp::Recipe::DiceLoss(DiceLoss::new(Mode::Multilabel))));
    assert_eq!(read("JaccardLoss"), wrap(super::smp::Recipe::JaccardLoss(JaccardLoss::new(Mode::Multilabel))));
    assert_eq!(read("TverskyLoss"), wrap(super::smp::Recipe::TverskyLoss(TverskyLoss::new(Mode::Multilabel))));
    assert_eq!(read("FocalLoss"), wrap(super::smp::Recipe::FocalLoss(FocalLoss::new(Mode::Multilabel))));
}

/// At logits 0 an element has ℓ = ln 2 and f = ½^γ.
#[test]
fn smp_focal_reductions() {
    let element = 0.25 * 2f64.ln();
    let targets: &[f32] = &[1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
    let focal = |params: Value| value("smp", "FocalLoss", params, &[0.0; 8], &[2, 2, 2], targets.into());
    for (mode, reduction, normalized, expected) in [
        ("multilabel", json!("mean"), false, element),
        ("multilabel", json!("sum"), false, 4.0 * element),
        ("multilabel", json!("batchwise_mean"), false, 2.0 * element),
        ("multilabel", json!(null), false, element),
        ("binary", json!("sum"), false, 8.0 * element),
        ("binary", json!("batchwise_mean"), false, 8.0 * element),
        // Σf is ¼ an element.
        ("multilabel", json!("sum"), true, 2f64.ln()),
        ("multilabel", json!("mean"), true, 2f64.ln() / 4.0),
        ("binary", json!("mean"), true, 2f64.ln() / 8.0),
    ] {
        let got = focal(json!({"mode": mode, "reduction": reduction, "normalized": normalized}));
        assert!((got - expected).abs() < 1e-12, "{mode} {reduction} {normalized}: {got}, not {expected}");
    }
}

/// Two classes in the batch, the second without a target: it scores 0 and is counted.
#[test]
fn smp_counts_absent_classes() {
    let labels = Labels::U8(&[0, 0]).into();
    let dice = json!({"mode": "multiclass", "from_logits": false});
    // I = 1, P = 1, T = 2: 1 − 2/3, halved.
    let got = value("smp", "DiceLoss", dice, &[0.5, 0.5, 0.5, 0.5], &[1, 2, 2], labels);
    assert!((got - (1.0 - 2.0 / 3.0) / 2.0).abs() < 1e-12, "{got}");
}

#[test]
fn kornia_refuses() {
    let volume = |is_labels: bool| Problem { shape: Shape::new(&[1, 2, 3, 3, 3]).unwrap(), ..problem(2, is_labels) };
    let tversky = json!({"alpha": 0.5, "beta": 0.5});
    check_refusals(
        "kornia",
        [
            ("DiceLoss", json!({}), volume(LABELS), "takes [N, C, H, W]"),
            ("DiceLoss", json!({}), problem(2, DENSE), "takes a label map"),
            ("DiceLoss", json!({"weight": [1, 2]}), problem(3, LABELS), "weight has 2 entries"),
            ("TverskyLoss", tversky, volume(LABELS), "takes [N, C, H, W]"),
            ("FocalLoss", json!({"alpha": 0.5}), problem(2, DENSE), "takes a label map"),
            ("FocalLoss", json!({"alpha": 0.5, "reduction": "per_voxel"}), problem(2, LABELS), "mean, sum or none"),
            ("BinaryFocalLossWithLogits", json!({"alpha": 0.5}), problem(2, LABELS), "not a label map"),
            ("BinaryFocalLossWithLogits", json!({"pos_weight": [1]}), problem(2, DENSE), "pos_weight has 1 entries"),
        ],
    );
    assert!(recipe("kornia", "TverskyLoss", json!({})).unwrap_err().to_string().contains("missing field `alpha`"));
    assert!(recipe("kornia", "DiceLoss", json!({"average": "weighted"})).is_err());
    assert!(recipe("kornia", "FocalLoss", json!({"eps": 1e-8})).is_err());
}

/// A sample whose voxels are all ignored has the loss 1, also without ε.
#[test]
fn kornia_loses_what_is_ignored() {
    for params in [json!({"average": "micro", "eps": 0.0}), json!({"average": "macro", "eps": 0.0})] {
        let labels = Labels::I64(&[-100, -100]).into();
        let got = value("kornia", "DiceLoss", params.clone(), &[0.0, 1.0, 2.0, 3.0], &[1, 2, 1, 2], labels);
        assert_eq!(got, 1.0, "{params}");
    }
}

#[test]
fn keras_refuses() {
    check_refusals(
        "keras",
        [
            ("SparseCategoricalCrossentropy", json!({"from_logits": true}), problem(2, DENSE), "takes a label map"),
            ("CategoricalCrossentropy", json!({"from_logits": true}), problem(2, DENSE), "axis -1"),
            (
                "BinaryCrossentropy",
                json!({"axis": 0, "reduction": "sum"}),
                problem(2, DENSE),
                "axis 0 is not the class",
            ),
        ],
    );
}

/// I = ½, P = ¾, T = 2: ∂L/∂I = −2/(P+T), ∂L/∂P = 2I/(P+T)²; where p is 0, too, the gradient is that from above.
#[test]
fn smp_has_a_gradient_where_a_probability_is_zero() {
    let loss = smp::DiceLoss { from_logits: false, ..smp::DiceLoss::new(smp::Mode::Binary) };
    let shape = Shape::new(&[1, 1, 4]).unwrap();
    let batch = Batch::new(&shape, &[0.0, 0.5, 0.0, 0.25], &[1.0, 1.0, 0.0, 0.0]).unwrap().with_gradient();
    let got = reference::evaluate(&loss.loss(batch.problem()).unwrap(), &batch).unwrap().gradient.unwrap();
    let (by_i, by_p) = (-2.0 / 2.75, 1.0 / (2.75 * 2.75));
    let want = [by_i + by_p, by_i + by_p, 0.5 * by_i + by_p, by_p];
    assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-6), "{got:?}, not {want:?}");
}
