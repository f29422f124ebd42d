//! Which arguments are taken, refused and ignored.

use serde_json::{Value, json};

use super::{ACTIVATED, dense, labels, loss, read, refused};
use crate::loss::{Classes, Measure};
use crate::peers::Peer;
use crate::{Activation, ByteScale, Problem, TargetFormat};

#[test]
fn what_is_unknown_is_an_error() {
    for (name, params, message) in [
        ("DiceLoss", json!({ "smooth": 1 }), "unknown field `smooth`"),
        ("MaskedDiceLoss", json!({ "ignore_index": 1 }), "unknown field `ignore_index`"),
        ("DiceLoss", json!({ "reduction": "per_voxel" }), "unknown variant `per_voxel`"),
        ("DiceCELoss", json!({ "reduction": "none" }), "unknown variant `none`"),
        ("DiceLoss", json!({ "other_act": "relu" }), "unknown variant `relu`"),
        ("GeneralizedDiceLoss", json!({ "w_type": "cube" }), "unknown variant `cube`"),
        ("GeneralizedDiceLoss", json!({ "weight": 2 }), "unknown field `weight`"),
        ("DiceFocalLoss", json!({ "use_softmax": true }), "unknown field `use_softmax`"),
        ("FocalLoss", json!({ "weight": "2" }), "expected a number or a list of numbers"),
        ("DiceScore", json!({}), "unknown variant `DiceScore`"),
    ] {
        let error = read(name, &params).unwrap_err();
        assert!(error.contains(message), "{name} with {params}: {error}");
    }
}

#[test]
fn one_activation_at_most() {
    let problem = dense(&[2, 3, 4]);
    for name in ACTIVATED {
        let activation = |params| loss(name, &params, &problem).terms[0].activation;
        assert_eq!(activation(json!({})), Activation::None);
        assert_eq!(activation(json!({ "sigmoid": true })), Activation::Sigmoid);
        assert_eq!(activation(json!({ "softmax": true })), Activation::Softmax);
        for (function, expected) in [
            ("tanh", Activation::Tanh),
            ("torch.tanh", Activation::Tanh),
            ("sigmoid", Activation::Sigmoid),
            ("softmax", Activation::Softmax),
            ("log_softmax", Activation::LogSoftmax),
        ] {
            assert_eq!(activation(json!({ "other_act": function })), expected);
        }
        for params in [
            json!({ "sigmoid": true, "softmax": true }),
            json!({ "sigmoid": true, "other_act": "tanh" }),
            json!({ "softmax": true, "other_act": "tanh" }),
        ] {
            assert!(refused(name, &params, &problem).contains("at most one"));
        }
    }
}

#[test]
fn targets_are_what_to_onehot_y_says() {
    let (with, without) = (json!({ "to_onehot_y": true }), json!({ "to_onehot_y": false }));
    for name in ACTIVATED.into_iter().chain(["FocalLoss"]) {
        loss(name, &with, &labels(&[2, 3, 4]));
        loss(name, &without, &dense(&[2, 3, 4]));
        loss(name, &with, &dense(&[2, 1, 4]));
        assert!(refused(name, &without, &labels(&[2, 3, 4])).contains("labels have one channel, the prediction has 3"));
        assert!(refused(name, &with, &dense(&[2, 3, 4])).contains("the targets have 3 channels"));
        for params in [&with, &without] {
            assert!(refused(name, params, &labels(&[2, 1, 4])).contains("give it dense"));
        }
    }
}

#[test]
fn one_channel_is_measured_as_it_is() {
    let problem = dense(&[2, 1, 4]);
    let ignored = json!({ "softmax": true, "to_onehot_y": true, "include_background": false });
    for name in ACTIVATED {
        assert_eq!(loss(name, &ignored, &problem), loss(name, &json!({}), &problem), "{name}");
    }
    let ignored = json!({ "to_onehot_y": true, "include_background": false });
    assert_eq!(loss("FocalLoss", &ignored, &problem), loss("FocalLoss", &json!({}), &problem));
    // And Dice has no weights of one class, also where it is the last of two.
    for (problem, weight) in [(&problem, json!(3)), (&problem, json!([1, 2])), (&dense(&[2, 2, 4]), json!([-1]))] {
        let params = |weight| json!({ "include_background": false, "weight": weight });
        assert_eq!(loss("DiceLoss", &params(weight), problem), loss("DiceLoss", &params(json!(null)), problem));
    }
}

#[test]
fn weights_are_of_the_classes_measured() {
    let problem = dense(&[2, 3, 4]);
    let of = |name: &str, term: usize, background: bool, weight| {
        let params = json!({ "include_background": background, "weight": weight });
        match loss(name, &params, &problem).terms.swap_remove(term).measure {
            Measure::Overlap(overlap) => overlap.class_weights,
            Measure::Focal(focal) => focal.class_weights,
            Measure::CrossEntropy(ce) => ce.class_weights,
            Measure::BinaryCrossEntropy(_) | Measure::Wasserstein(_) => vec![],
        }
    };
    for (name, term) in [
        ("DiceLoss", 0),
        ("MaskedDiceLoss", 0),
        ("FocalLoss", 0),
        ("DiceFocalLoss", 0),
        ("DiceFocalLoss", 1),
        ("GeneralizedDiceFocalLoss", 1),
    ] {
        assert_eq!(of(name, term, true, json!(2.5)), [2.5]);
        assert_eq!(of(name, term, true, json!([1, 2, 3])), [1.0, 2.0, 3.0]);
        assert_eq!(of(name, term, false, json!([1, 2])), [0.0, 1.0, 2.0]);
        for (weight, message) in
            [(json!([1, 2]), "2 entries, 3 classes"), (json!([1, -2, 3]), "-2"), (json!(-1), "weight holds -1")]
        {
            assert!(refused(name, &json!({ "weight": weight }), &problem).contains(message));
        }
    }
    assert_eq!(of("DiceCELoss", 0, false, json!([1, 2, 3])), [0.0, 2.0, 3.0]);
    assert_eq!(of("DiceCELoss", 1, false, json!([1, 2, 3])), [1.0, 2.0, 3.0]);
    for weight in [json!([1, 2]), json!(2)] {
        let params = json!({ "include_background": false, "weight": weight });
        assert!(refused("DiceCELoss", &params, &problem).contains("one for each of the 3 classes"));
    }
}

#[test]
fn one_class_has_a_number_for_a_weight() {
    for (dims, background) in [([2, 1, 4], true), ([2, 2, 4], false)] {
        for name in ["FocalLoss", "DiceFocalLoss", "GeneralizedDiceFocalLoss"] {
            let params = |weight| json!({ "include_background": background, "weight": weight });
            loss(name, &params(json!(2)), &dense(&dims));
            assert!(refused(name, &params(json!([2])), &dense(&dims)).contains("give a number"));
        }
    }
    for weight in [json!(3), json!([3])] {
        let loss = loss("DiceCELoss", &json!({ "weight": weight, "label_smoothing": 0.5 }), &dense(&[2, 1, 4]));
        let Measure::BinaryCrossEntropy(bce) = &loss.terms[1].measure else { panic!("{loss:?}") };
        assert_eq!((&bce.positive_weights[..], bce.label_smoothing), (&[3.0][..], 0.0));
    }
}

#[test]
fn alpha_of_a_softmax_is_one_of_classes() {
    let problem = dense(&[2, 3, 4]);
    let weights = |mut params: Value| {
        params["use_softmax"] = json!(true);
        match loss("FocalLoss", &params, &problem).terms.remove(0) {
            term if term.activation == Activation::Softmax => assert_eq!(term.classes, Classes::All),
            term => assert_eq!((term.activation, term.classes), (Activation::ForegroundSoftmax, Classes::Foreground)),
        }
        match loss("FocalLoss", &params, &problem).terms.remove(0).measure {
            Measure::CrossEntropy(ce) => ce.class_weights,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(weights(json!({})), [0.0; 0]);
    assert_eq!(weights(json!({ "alpha": 0.25 })), [0.75, 0.25, 0.25]);
    assert_eq!(weights(json!({ "alpha": 0.25, "weight": 2 })), [1.5, 0.5, 0.5]);
    assert_eq!(weights(json!({ "alpha": 0.25, "weight": [4, 8, 2] })), [3.0, 2.0, 0.5]);
    assert_eq!(weights(json!({ "alpha": [1, 2, 3] })), [1.0, 2.0, 3.0]);
    let foreground = |params: Value| {
        let mut params = params;
        params["include_background"] = json!(false);
        weights(params)
    };
    assert_eq!(foreground(json!({ "alpha": 0.25 })), [0.0; 0]);
    assert_eq!(foreground(json!({ "alpha": 0.25, "weight": [4, 8] })), [0.0, 4.0, 8.0]);
    assert_eq!(foreground(json!({ "alpha": [1, 2], "weight": [4, 8] })), [0.0, 4.0, 16.0]);
    assert!(refused("FocalLoss", &json!({ "alpha": [1, 2] }), &problem).contains("alpha has 2 entries, 3 classes"));
}

#[test]
fn ignore_indices_are_values_of_labels_or_of_one_channel() {
    let params = json!({ "to_onehot_y": true, "ignore_index": 255 });
    let one_hot = json!({ "ignore_index": 1 });
    let of = |targets| Problem { targets, ..dense(&[2, 1, 4]) };
    for name in ["DiceLoss", "TverskyLoss", "FocalLoss"] {
        assert_eq!(loss(name, &params, &labels(&[2, 3, 4])).ignore_index, Some(255));
        let bytes = [ByteScale::One, ByteScale::Inverse255].map(TargetFormat::U8);
        for targets in [TargetFormat::F32, TargetFormat::Bits].into_iter().chain(bytes) {
            assert_eq!(loss(name, &params, &of(targets)).ignore_index, Some(255));
        }
        assert!(refused(name, &one_hot, &dense(&[2, 3, 4])).contains("give labels"));
    }
    let masked = Problem { ignore_index: Some(255), ..labels(&[2, 3, 4]) }.with_mask();
    assert!(refused("MaskedDiceLoss", &json!({ "to_onehot_y": true }), &masked).contains("ignore index"));
}

#[test]
fn what_cannot_be_added_up_is_refused() {
    let problem = dense(&[2, 3, 4]);
    for name in ["DiceFocalLoss", "GeneralizedDiceFocalLoss"] {
        assert!(refused(name, &json!({ "reduction": "none" }), &problem).contains("one by one"));
        assert!(refused(name, &json!({ "lambda_focal": -1 }), &problem).contains("lambda_focal is -1"));
    }
    for (name, params) in [
        ("DiceCELoss", json!({ "lambda_dice": -1 })),
        ("DiceCELoss", json!({ "lambda_ce": -0.5 })),
        ("DiceFocalLoss", json!({ "lambda_dice": -1 })),
        ("GeneralizedDiceFocalLoss", json!({ "lambda_gdl": -1 })),
    ] {
        assert!(refused(name, &params, &problem).contains("no less than 0"));
    }
    for name in ["GeneralizedDiceLoss", "GeneralizedDiceFocalLoss"] {
        assert!(refused(name, &json!({}), &dense(&[2, 3])).contains("set batch"));
        loss(name, &json!({ "batch": true }), &dense(&[2, 3]));
    }
    let weighted = json!({ "weight": [1, 2, 3], "reduction": "none" });
    assert!(refused("DiceLoss", &weighted, &dense(&[2, 3])).contains("leave out either"));
}

#[test]
fn results_have_the_shapes_of_the_original() {
    let none = json!({ "reduction": "none" });
    let batch = json!({ "reduction": "none", "batch": true });
    let foreground = json!({ "reduction": "none", "include_background": false });
    let foreground_batch = json!({ "reduction": "none", "include_background": false, "batch": true });
    let shape = |name: &str, params: &Value, dims: &[usize]| read(name, params).unwrap().result_shape(&dense(dims));
    let given = |shape: &[usize]| Some(shape.to_vec());
    assert_eq!(shape("DiceLoss", &none, &[2, 3, 4, 5]), given(&[2, 3, 1, 1]));
    assert_eq!(shape("MaskedDiceLoss", &foreground, &[2, 3, 4, 5, 6]), given(&[2, 2, 1, 1, 1]));
    assert_eq!(shape("DiceLoss", &batch, &[2, 3, 4, 5]), given(&[3, 1, 1]));
    assert_eq!(shape("DiceLoss", &foreground_batch, &[2, 3, 4]), given(&[2, 1]));
    assert_eq!(shape("DiceLoss", &foreground_batch, &[2, 1, 4]), given(&[1, 1]));
    assert_eq!(shape("DiceLoss", &batch, &[2, 3]), given(&[3]));
    assert_eq!(shape("GeneralizedDiceLoss", &none, &[2, 3, 4, 5]), given(&[2, 1, 1, 1]));
    assert_eq!(shape("GeneralizedDiceLoss", &batch, &[2, 3, 4, 5]), given(&[1, 1, 1]));
    // Everything else has the shape it has here.
    assert_eq!(shape("DiceLoss", &none, &[2, 3]), None);
    for name in ["DiceLoss", "GeneralizedDiceLoss", "DiceFocalLoss"] {
        assert_eq!(shape(name, &json!({ "reduction": "sum" }), &[2, 3, 4, 5]), None);
    }
    for name in ["TverskyLoss", "FocalLoss"] {
        assert_eq!(shape(name, &foreground, &[2, 3, 4, 5]), None);
    }
}
