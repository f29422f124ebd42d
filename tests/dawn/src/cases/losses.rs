//! Every loss of the tests, and what only labels have.

use segloss::{Activation, Batch, Labels, Loss, Pool, Reduction};

use super::{SMALL, STAGED, with_output};
use crate::arrangement::Arrangement;
use crate::columns::{foreground, labels, losses as coupled, wasserstein};
use crate::context::Context;
use crate::data::{Tensors, conventions, losses, takes_probabilities};
use crate::record::Recorder;
use crate::shares;

pub(super) fn record(recorder: &mut Recorder) {
    let mut structures = vec![];
    for (index, (name, loss)) in losses().into_iter().chain(conventions()).enumerate() {
        // Compiling takes longest: what differs in numbers only has the pipelines of the first of its kind.
        let structure = structure(&loss);
        let kind = structures.iter().position(|other| *other == structure).unwrap_or(structures.len());
        if kind == structures.len() {
            structures.push(structure);
        }
        dense(recorder, name, &loss, if index % 2 == 0 { &STAGED } else { &SMALL }, kind);
    }
    for (index, (name, loss)) in coupled().into_iter().enumerate() {
        dense(recorder, &format!("coupled: {name}"), &loss, &[2, 3, 301], index);
    }
    for (index, (name, loss)) in shares::losses().into_iter().enumerate() {
        let tensors = shares::shares(&[2, 3, 301], index as u32);
        let batch = with_output(&loss, tensors.batch(index as u32 % 4));
        let batch = if index % 3 == 0 { batch.channel_last() } else { batch };
        let name = format!("shares: {name}");
        recorder.whole(&name, Context::nth(index), &loss, &batch, Arrangement::APART);
    }
    of_labels(recorder);
    upstream(recorder);
}

/// What a loss's shaders follow from: its statistics but for their numbers, and its map.
fn structure(loss: &Loss) -> String {
    let words = format!("{:?} {:?}", loss.statistics(), loss.map_reduction());
    words.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The parts, and who adds up, in turn.
fn dense(recorder: &mut Recorder, name: &str, loss: &Loss, dims: &[usize], index: usize) {
    let tensors = Tensors::random(dims, index as u32, takes_probabilities(name));
    // Matthews' counts take no voxel weights.
    let parts = if name.contains("matthews") { index % 2 } else { index % 6 } as u32;
    let batch = with_output(loss, tensors.batch(parts));
    recorder.whole(name, Context::nth(index), loss, &batch, Arrangement::APART);
}

/// Distances, the foreground's softmax, ignored labels and counts, in both orders of axes.
fn of_labels(recorder: &mut Recorder) {
    let hard = Loss::dice().hard(0.5).activation(Activation::Argmax);
    let losses = [
        ("distances", wasserstein(5, false).with(0.5, Loss::cross_entropy())),
        ("distances, by volume", wasserstein(5, true)),
        ("foreground", foreground()),
        ("largest logit", hard),
        ("sigmoid of labels", Loss::dice().smooth(1.0).with(0.5, Loss::bce())),
    ];
    for (index, dims) in [[2, 5, 303], [1, 5, 3501]].into_iter().enumerate() {
        let tensors = Tensors::random(&dims, 70 + index as u32, false);
        let labels = labels(&tensors.shape, index as u32);
        let batch = Batch::new(&tensors.shape, &tensors.logits, Labels::I32(&labels)).unwrap();
        let batch = batch.with_mask(&tensors.mask).unwrap();
        for (position, (name, loss)) in losses.iter().enumerate() {
            let loss = loss.clone().ignore_index(255);
            let batch = if *name == "largest logit" { batch.clone() } else { batch.clone().with_gradient() };
            let batch = if (index + position) % 2 == 0 { batch } else { batch.channel_last() };
            recorder.whole(name, Context::nth(index + position), &loss, &batch, Arrangement::APART);
        }
    }
}

/// What arrives from outside for every row.
fn upstream(recorder: &mut Recorder) {
    let dice = || Loss::dice().smooth(1.0).reduction(Reduction::None);
    for (index, loss) in [dice(), dice().softmax(), dice().pool(Pool::Batch)].into_iter().enumerate() {
        for dims in [SMALL, STAGED] {
            let tensors = Tensors::random(&dims, 97, false);
            let rows: Vec<f32> = (0..tensors.shape.rows()).map(|row| row as f32 - 2.5).collect();
            let batch = tensors.batch(3).with_row_upstream(&rows).unwrap();
            recorder.whole("upstream of rows", Context::nth(index), &loss, &batch, Arrangement::APART);
        }
    }
}
