//! The slice of a volume in which prediction and truth differ most.

use super::case::Class;
use super::volume::{Meaning, Volume};

pub(crate) use super::case::{Agreement, Slice};

/// The slice with most voxels that are not the same class in both, across the axis that lies slowest in memory: the slices
/// that a scanner makes. Of a series, those of all its volumes. `None` where both are the same.
pub(crate) fn of_largest_disagreement(
    volumes: [&Volume; 2],
    classes: &[Class],
    ignored: Option<i32>,
    spacing: Option<&[f64]>,
) -> Option<Slice> {
    let [prediction, truth] = volumes;
    let rank = prediction.dims.len();
    let axes: Vec<usize> = if prediction.first_axis_fastest { (0..rank).rev().collect() } else { (0..rank).collect() };
    // Slowest, then rows, then columns; what has fewer axes has one slice, or one row.
    let along = |from_end: usize| axes.len().checked_sub(from_end).map(|at| axes[at]);
    let length = |axis: Option<usize>| axis.map_or(1, |axis| prediction.dims[axis]);
    let [slow, row, column] = [along(3), along(2), along(1)];
    let (height, width) = (length(row), length(column));
    let plane = height * width;

    let agreement = |voxel: usize| {
        let labels = [prediction.labels.at(voxel), truth.labels.at(voxel)];
        if Some(labels[1]) == ignored { Agreement::Neither } else { agreement(labels, prediction.meaning, classes) }
    };
    let disagreeing = |slice: usize| {
        let voxels = slice * plane..(slice + 1) * plane;
        let differ = |voxel: &usize| prediction.labels.at(*voxel) != truth.labels.at(*voxel);
        voxels.filter(differ).filter(|&voxel| !matches!(agreement(voxel), Agreement::Both | Agreement::Neither)).count()
    };
    let slices = prediction.labels.len() / plane;
    // The first of equals.
    let (count, index) =
        (0..slices).map(|slice| (disagreeing(slice), slice)).max_by_key(|(count, slice)| (*count, slices - slice))?;
    if count == 0 {
        return None;
    }
    let mut pixels: Vec<_> = (index * plane..(index + 1) * plane).map(agreement).collect();
    if prediction.first_axis_fastest {
        // In the space of NIfTI the second axis points to the front, or up: screens count rows down.
        pixels = pixels.chunks(width).rev().flatten().copied().collect();
    }
    let size = |axis: Option<usize>| axis.and_then(|axis| spacing?.get(axis).copied()).unwrap_or(1.0);
    let of_volume = length(slow);
    Some(Slice {
        axis: slow.unwrap_or(0),
        index: index % of_volume,
        volume: (slices > of_volume).then_some(index / of_volume),
        width,
        height,
        aspect: size(row) / size(column),
        pixels,
    })
}

/// What two labels say of a voxel.
fn agreement([prediction, truth]: [i32; 2], meaning: Meaning, classes: &[Class]) -> Agreement {
    let of = |label: i32| classes.iter().map(move |class| meaning.is_of(label, class));
    match (of(prediction).any(|is_in| is_in), of(truth).any(|is_in| is_in)) {
        (false, false) => Agreement::Neither,
        (true, false) => Agreement::Prediction,
        (false, true) => Agreement::Truth,
        (true, true) if of(prediction).eq(of(truth)) => Agreement::Both,
        (true, true) => Agreement::Confused,
    }
}

#[cfg(test)]
mod tests {
    use super::super::labels::Labels;
    use super::*;

    fn volume(dims: &[usize], labels: &[u8], first_axis_fastest: bool) -> Volume {
        Volume {
            path: "v".into(),
            dims: dims.to_vec(),
            labels: Labels::Narrow(labels.to_vec().into()),
            meaning: Meaning::Labels,
            channels: 1,
            first_axis_fastest,
            space: None,
        }
    }

    fn classes() -> [Class; 2] {
        [1, 2].map(|label| Class::of_label(label.to_string(), label))
    }

    #[test]
    fn the_slice_that_differs_most_is_drawn() {
        use Agreement::{Both, Confused, Neither, Prediction, Truth};
        // Three slices of 2×3.
        let prediction = [1, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 2, 0, 0, 0, 0, 0, 1];
        let truth = [0, 0, 0, 0, 0, 0, 1, 1, 0, 2, 0, 2, 0, 0, 0, 0, 0, 1];
        let expected = [Both, Confused, Prediction, Truth, Neither, Both];
        let volumes = [&prediction, &truth].map(|labels| volume(&[3, 2, 3], labels, false));
        let slice =
            of_largest_disagreement([&volumes[0], &volumes[1]], &classes(), None, Some(&[5.0, 2.0, 0.5])).unwrap();
        assert_eq!((slice.axis, slice.index, slice.width, slice.height, slice.aspect), (0, 1, 3, 2, 4.0));
        assert_eq!(slice.pixels, expected);

        // The same memory with the first axis fastest: rows from below.
        let volumes = [&prediction, &truth].map(|labels| volume(&[3, 2, 3], labels, true));
        let slice = of_largest_disagreement([&volumes[0], &volumes[1]], &classes(), Some(2), None).unwrap();
        assert_eq!((slice.axis, slice.index, slice.aspect), (2, 1, 1.0));
        assert_eq!(slice.pixels, [Neither, Neither, Neither, Both, Confused, Prediction]);
    }

    /// Every axis spatial: the second volume of a series differs more than the first.
    #[test]
    fn every_volume_of_a_series_is_searched() {
        let truth = [0; 16];
        let prediction = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1];
        for (dims, first_axis_fastest, axis) in [([2, 2, 2, 2], false, 1), ([2, 2, 2, 2], true, 2)] {
            let volumes = [&prediction, &truth].map(|labels| volume(&dims, labels, first_axis_fastest));
            let slice = of_largest_disagreement([&volumes[0], &volumes[1]], &classes(), None, None).unwrap();
            assert_eq!((slice.axis, slice.index, slice.volume), (axis, 1, Some(1)));
        }
    }

    #[test]
    fn images_are_their_only_slice_and_equal_masks_have_none() {
        let [a, b] = [[0, 1, 1, 0], [0, 1, 0, 0]].map(|labels| volume(&[2, 2], &labels, false));
        let slice = of_largest_disagreement([&a, &b], &classes(), None, None).unwrap();
        assert_eq!((slice.index, slice.width, slice.height), (0, 2, 2));
        assert!(of_largest_disagreement([&a, &a], &classes(), None, None).is_none());
    }
}
