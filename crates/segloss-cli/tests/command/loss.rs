//! `segloss loss`: losses, arrays and result files.

use ndarray::ArrayD;
use segloss::peers::{Peer, pytorch, tensorlayer};
use segloss::{Batch, Loss, Map, Pool, Problem, Reduction, reference};
use serde_json::json;

use crate::arrays::{Arrays, COMMON, DIMS, spec, with};
use crate::files::npy;
use crate::run::{Folder, assert_number};

#[test]
fn specifications_by_name_and_in_own_terms() {
    let arrays = Arrays::new();
    let folder = arrays.folder();
    let own = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    for (written, loss) in [
        (
            json!({"peer": "pytorch", "loss": "SoftDiceLoss"}),
            pytorch::SoftDiceLoss::default().loss(&Problem::new(arrays.shape.clone())),
        ),
        (
            json!({"peer": "pytorch", "loss": "BCEWithLogitsLoss", "params": {"reduction": "sum", "pos_weight": [1, 2, 3]}}),
            pytorch::BCEWithLogitsLoss {
                reduction: Reduction::Sum,
                pos_weight: Some(vec![1.0, 2.0, 3.0]),
                ..Default::default()
            }
            .loss(&Problem::new(arrays.shape.clone())),
        ),
        (
            json!({"terms": [{"measure": {"overlap": {"threshold": 0.25, "map": "score"}}}]}),
            Ok(Loss::dice().hard(0.25).map(Map::Score)),
        ),
        (serde_json::to_value(&own).unwrap(), Ok(own)),
    ] {
        spec(&folder, &written);
        let expected = reference::evaluate(&loss.unwrap(), &arrays.batch()).unwrap().value;
        let evaluation = folder.json(with(&["--format", "json"]));
        assert_number(&evaluation, "value", expected, 1e-6 * expected.abs().max(1.0));
        assert!(evaluation["gradient_peak"].is_null(), "{evaluation}");
    }
}

#[test]
fn coefficients_of_probabilities() {
    let arrays = Arrays::new();
    let folder = arrays.folder();
    spec(
        &folder,
        &json!({"peer": "tensorlayer", "loss": "dice_hard_coe", "params": {"threshold": 0.25, "axis": [2, 3]}}),
    );
    let loss = tensorlayer::DiceHardCoe { threshold: 0.25, axis: vec![2, 3], ..Default::default() };
    let batch = Batch::new(&arrays.shape, &arrays.weights, &arrays.targets).unwrap();
    let expected = reference::evaluate(&loss.loss(&Problem::new(arrays.shape.clone())).unwrap(), &batch).unwrap().value;
    let args = ["loss", "--spec", "spec.json", "--input", "w.npy", "--target", "y.npy", "--format", "json"];
    assert_number(&folder.json(args), "value", expected, 1e-6);
}

#[test]
fn gradient_mask_and_weights() {
    let arrays = Arrays::new();
    let folder = arrays.folder();
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    spec(&folder, &serde_json::to_value(&loss).unwrap());
    let expected = reference::evaluate(&loss, &arrays.full_batch()).unwrap();
    let want = expected.gradient.unwrap();
    let peak = want.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
    for mask in ["m.npy", "m_short.npy"] {
        let evaluation =
            folder.json(with(&["--mask", mask, "--weight", "w.npy", "--gradient", "g.npy", "--format", "json"]));
        assert_number(&evaluation, "value", expected.value, 1e-6);
        assert_number(&evaluation, "gradient_peak", peak, 1e-5 * peak);
        assert_eq!(evaluation["gradient"], "g.npy");
        assert_eq!(evaluation["terms"][1]["weight"], 0.5);
        assert_number(&evaluation["terms"][1], "value", expected.terms[1], 1e-6);
        let got: ArrayD<f32> = ndarray_npy::read_npy(folder.path("g.npy")).unwrap();
        assert_eq!(got.shape(), DIMS);
        for (got, want) in got.iter().zip(&want) {
            assert!((f64::from(*got) - want).abs() <= 1e-5 * peak, "{got} is not {want}");
        }
    }
    assert_eq!(folder.names(), ["g.npy", "m.npy", "m_short.npy", "spec.json", "w.npy", "x.npy", "y.npy"]);
}

/// One weight a voxel, with a class axis and without.
#[test]
fn weights_of_voxels() {
    let arrays = Arrays::new();
    let folder = arrays.folder();
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    spec(&folder, &serde_json::to_value(&loss).unwrap());
    let weights = &arrays.weights[..70];
    npy(&folder.path("full.npy"), &[2, 1, 5, 7], weights);
    npy(&folder.path("short.npy"), &[2, 5, 7], weights);
    let batch = arrays.batch().with_weights_per_voxel(weights).unwrap();
    let expected = reference::evaluate(&loss, &batch).unwrap();
    for weight in ["full.npy", "short.npy"] {
        let evaluation = folder.json(with(&["--weight", weight, "--format", "json"]));
        assert_number(&evaluation, "value", expected.value, 1e-6);
        assert_number(&evaluation["terms"][1], "value", expected.terms[1], 1e-6);
    }
}

#[test]
fn losses_without_a_reduction() {
    let arrays = Arrays::new();
    let folder = arrays.folder();
    let loss = Loss::dice().reduction(Reduction::None);
    spec(&folder, &serde_json::to_value(&loss).unwrap());
    let groups = &reference::evaluate(&loss, &arrays.batch()).unwrap().groups[0];
    let evaluation = folder.json(with(&["--format", "json"]));
    let values = evaluation["terms"][0]["values"].as_array().unwrap();
    assert_eq!(values.len(), 6);
    for (got, want) in values.iter().zip(groups) {
        assert!((got.as_f64().unwrap() - want).abs() <= 1e-6);
    }
    let message = folder.failure(with(&["--map", "map.npy"]));
    assert!(message.contains("spec.json") && message.contains("--map"), "{message}");

    let loss = Loss::bce().reduction(Reduction::None);
    spec(&folder, &serde_json::to_value(&loss).unwrap());
    let map = reference::evaluate(&loss, &arrays.batch()).unwrap().voxel_map.unwrap();
    let evaluation = folder.json(with(&["--map", "map.npy", "--format", "json"]));
    assert_number(&evaluation, "value", map.iter().sum(), 1e-6 * map.iter().sum::<f64>());
    let got: ArrayD<f32> = ndarray_npy::read_npy(folder.path("map.npy")).unwrap();
    assert_eq!(got.shape(), DIMS);
    for (got, want) in got.iter().zip(&map) {
        assert!((f64::from(*got) - want).abs() <= 1e-6 * want);
    }
}

/// Before any reduction, in JSON always, in the table where there is none.
#[test]
fn the_values_of_groups_say_whose_they_are() {
    let arrays = Arrays::new();
    let folder = arrays.folder();
    for (pool, name, labels) in [
        (Pool::None, "none", &["sample 0, class 0", "sample 0, class 1", "sample 0, class 2", "sample 1, class 0"][..]),
        (Pool::Batch, "batch", &["class 0", "class 1", "class 2"]),
        (Pool::Classes, "classes", &["sample 0", "sample 1"]),
        (Pool::All, "all", &["all samples and classes"]),
    ] {
        let loss = Loss::dice().pool(pool);
        let groups = &reference::evaluate(&loss, &arrays.batch()).unwrap().groups[0];
        spec(&folder, &serde_json::to_value(&loss).unwrap());
        let evaluation = folder.json(with(&["--format", "json"]));
        let term = &evaluation["terms"][0];
        assert_eq!((&term["pool"], &term["reduction"]), (&name.into(), &"mean".into()));
        let values: Vec<_> = term["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert_eq!(values.len(), groups.len());
        assert!(values.iter().zip(groups).all(|(got, want)| (got - want).abs() <= 1e-6), "{values:?}");

        let table = |loss: Loss| {
            spec(&folder, &serde_json::to_value(&loss).unwrap());
            String::from_utf8(folder.run(COMMON).stdout).unwrap()
        };
        assert!(!table(loss.clone()).contains("overlap"));
        let table = table(loss.reduction(Reduction::None));
        for (label, value) in labels.iter().zip(&values) {
            let line = table.lines().find(|line| line.starts_with(&format!("overlap, {label} ")));
            assert!(line.is_some_and(|line| line.ends_with(&format!(" {value:.9}"))), "{label}: {table}");
        }
    }
}

#[test]
fn coefficients_are_called_scores() {
    let folder = Arrays::new().folder();
    for (written, heading) in [
        (json!({"peer": "pytorch", "loss": "dice_coeff"}), "score  "),
        (json!({"peer": "keras", "loss": "dice_coef"}), "score  "),
        (json!({"peer": "keras", "loss": "dice_coef_loss"}), "loss  "),
        (json!({"peer": "tensorlayer", "loss": "iou_coe"}), "score  "),
        (json!({"peer": "pytorch", "loss": "BCELoss"}), "loss  "),
    ] {
        spec(&folder, &written);
        let output = folder.run(["loss", "--spec", "spec.json", "--input", "w.npy", "--target", "y.npy"]);
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(table.starts_with(heading), "{written}: {table}");
    }
}

#[test]
fn arrays_that_do_not_fit_and_places_that_cannot_be_written() {
    let folder = Arrays::new().folder();
    spec(&folder, &json!({"peer": "pytorch", "loss": "SoftDiceLoss"}));
    npy(&folder.path("flat.npy"), &[210], &[0.0_f32; 210]);
    npy(&folder.path("last.npy"), &[2, 5, 7, 3], &[0.0_f32; 210]);
    npy(&folder.path("fuzzy.npy"), &[2, 1, 5, 7], &[0.5_f32; 70]);
    npy(&folder.path("nan.npy"), &DIMS, &[f32::NAN; 210]);
    let args = |input, target| vec!["loss", "--spec", "spec.json", "--input", input, "--target", target];
    for (args, part) in [
        (args("x.npy", "flat.npy"), "flat.npy: its shape is [210]; expected [2, 3, 5, 7], since x.npy is"),
        (args("flat.npy", "flat.npy"), "flat.npy: the shape [210] is not usable: give [N, C, spatial…]"),
        (args("x.npy", "nan.npy"), "nan.npy: 210 of 210 values are not finite"),
        (
            args("x.npy", "last.npy"),
            "since x.npy is [2, 3, 5, 7]; its classes seem to be last: move them to the second axis",
        ),
        (args("x.npy", "m_short.npy"), "m_short.npy: its shape [2, 5, 7] has no classes; expected [2, 3, 5, 7] (`seg"),
        (with(&["--mask", "w.npy"]), "w.npy: its shape is [2, 3, 5, 7]; expected [2, 1, 5, 7] or [2, 5, 7]"),
        (with(&["--mask", "fuzzy.npy"]), "fuzzy.npy: the value 0.5 at [0, 0, 0, 0] is neither 0 nor 1"),
        (
            with(&["--weight", "flat.npy"]),
            "flat.npy: its shape is [210]; expected [2, 3, 5, 7] or [2, 1, 5, 7] or [2, 5, 7]",
        ),
        (with(&["--gradient", "x.npy"]), "x.npy: it is the input x.npy"),
        (with(&["--gradient", "./x.npy"]), "./x.npy: it is the input x.npy"),
        (with(&["--gradient", "r.npy", "--map", "r.npy"]), "r.npy: two results would be written there"),
        (with(&["--gradient", "r.npy", "--map", "./r.npy"]), "./r.npy: two results would be written there"),
        (with(&["--gradient", "nowhere/g.npy"]), "nowhere/g.npy: its folder does not exist"),
        (with(&["--gradient", "."]), "it is a folder"),
        (with(&["--mask", "m_gone.npy"]), "m_gone.npy: it cannot be read"),
    ] {
        let before = folder.names();
        let message = folder.failure(&args);
        assert!(message.contains(part) && !message.contains(".segloss-"), "{args:?}: {message}");
        assert_eq!(folder.names(), before);
    }
}

#[test]
fn values_that_are_no_probabilities() {
    let arrays = Arrays::new();
    let folder = arrays.folder();
    let mut targets = arrays.targets.clone();
    // Sample 1, class 2, the last voxel: not counted by the mask of the second call.
    targets[209] = 255.0;
    npy(&folder.path("ignored.npy"), &DIMS, &targets);
    npy(&folder.path("all_but_one.npy"), &[2, 1, 5, 7], &{
        let mut mask = [1.0_f32; 70];
        mask[69] = 0.0;
        mask
    });
    spec(&folder, &json!({"peer": "pytorch", "loss": "BCEWithLogitsLoss"}));
    let args = ["loss", "--spec", "spec.json", "--input", "x.npy", "--target", "ignored.npy"];
    let message = folder.failure(args);
    let expected = "ignored.npy: the value 255 at [1, 2, 4, 6] lies outside [0, 1]; expected targets from 0 to 1";
    assert!(message.ends_with(expected), "{message}");
    assert!(folder.run([&args[..], &["--mask", "all_but_one.npy"]].concat()).status.success());

    for written in [
        json!({"peer": "pytorch", "loss": "BCELoss"}),
        json!({"peer": "tensorlayer", "loss": "dice_coe"}),
        json!({"terms": [{"measure": {"overlap": {}}}, {"activation": "none", "measure": {"overlap": {}}}]}),
    ] {
        spec(&folder, &written);
        let message = folder.failure(with(&["--gradient", "g.npy"]));
        assert!(message.contains("x.npy: the value -4 at [0, 0, 0, 0] lies outside [0, 1]"), "{message}");
        assert!(message.contains("sigmoid or softmax of MONAI's params, the activation of a term"), "{message}");
    }
    assert!(!folder.path("g.npy").exists());
}

#[test]
fn two_results_in_one_place_are_refused_before_anything_is_read() {
    let message = Folder::new().failure(with(&["--gradient", "r.npy", "--map", "r.npy"]));
    assert!(message.contains("r.npy: two results would be written there; expected a name for each"), "{message}");
}

#[test]
#[cfg(unix)]
fn a_result_goes_where_a_link_leads() {
    let folder = Arrays::new().folder();
    spec(&folder, &json!({"peer": "pytorch", "loss": "SoftDiceLoss"}));
    std::fs::create_dir(folder.path("store")).unwrap();
    std::fs::write(folder.path("store/old.npy"), "old").unwrap();
    std::os::unix::fs::symlink("store/old.npy", folder.path("g.npy")).unwrap();
    let before = folder.names();
    assert!(folder.run(with(&["--gradient", "g.npy"])).status.success());
    assert_eq!(folder.names(), before);
    assert_eq!(std::fs::read_link(folder.path("g.npy")).unwrap().to_str(), Some("store/old.npy"));
    let gradient: ArrayD<f32> = ndarray_npy::read_npy(folder.path("store/old.npy")).unwrap();
    assert_eq!(gradient.shape(), DIMS);
    assert_eq!(std::fs::read_dir(folder.path("store")).unwrap().count(), 1);
}

/// Refused before anything is read, and left as it is: there are no inputs.
#[test]
#[cfg(unix)]
fn a_result_replaces_only_a_regular_file() {
    use std::os::unix::fs::{FileTypeExt, symlink};

    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo").arg(folder.path("pipe.npy")).status().unwrap();
    assert!(made.success());
    symlink("pipe.npy", folder.path("to_pipe.npy")).unwrap();
    symlink("gone.npy", folder.path("to_nothing.npy")).unwrap();
    let before = folder.names();
    for (output, reason) in [
        ("pipe.npy", "it is a device, a pipe or the like"),
        ("to_pipe.npy", "it is a device, a pipe or the like"),
        ("to_nothing.npy", "it is a link that leads to no file"),
        ("/dev/null", "it is a device, a pipe or the like"),
    ] {
        let message = folder.failure(with(&["--gradient", output]));
        assert_eq!(message, format!("segloss: {output}: {reason}; expected the name of a file to write"));
        assert_eq!(folder.names(), before);
    }
    assert!(folder.path("pipe.npy").metadata().unwrap().file_type().is_fifo());
    assert!(folder.path("to_nothing.npy").is_symlink());
}

/// Where the report is lost, the result files do not appear either.
#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_printed() {
    let folder = Arrays::new().folder();
    spec(&folder, &json!({"peer": "pytorch", "loss": "SoftDiceLoss"}));
    let before = folder.names();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = folder.command().args(with(&["--gradient", "g.npy"])).stdout(full).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("segloss: the result cannot be printed: No space left"), "{stderr}");
    assert_eq!(folder.names(), before);
}

/// A plain image is taken for samples and classes, which the table shows; and it says why there is no number.
#[test]
fn the_table_says_what_the_axes_were_taken_for() {
    let folder = Folder::new();
    spec(&folder, &json!({"terms": [{"activation": "none", "measure": {"overlap": {}}}]}));
    npy(&folder.path("x.npy"), &[2, 3], &[0.0_f32, 0.5, 0.0, 0.25, 0.0, 1.0]);
    npy(&folder.path("y.npy"), &[2, 3], &[0.0_f32, 1.0, 0.0, 1.0, 0.0, 1.0]);
    let args = ["loss", "--spec", "spec.json", "--input", "x.npy", "--target", "y.npy"];
    let table = String::from_utf8(folder.run(args).stdout).unwrap();
    let line = |start: &str| table.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{table}"));
    assert!(line("shape").ends_with("N 2, C 3, no spatial axes"), "{table}");
    assert!(line("loss").ends_with("not a number"), "{table}");
    assert!(line("why").contains("3 of 6 scores are 0/0"), "{table}");
}
