//! A label volume of the size of a brain: a bound that it must keep, and its time, which is only printed, as it depends on the
//! machine and on what else that does.
//!
//! `cargo test --package segloss-surface --release --test large -- --ignored --nocapture`

use std::time::Instant;

use segloss_surface::{Definition, Grid, SurfaceDistances};

const DIMS: [usize; 3] = [197, 233, 189];

/// Shells around a wavy ball, labelled from the inside outwards; 0 is background. Moved along the first axis by some voxels.
fn shells(shift: f64) -> Vec<u8> {
    let [planes, rows, columns] = DIMS;
    let mut labels = Vec::with_capacity(planes * rows * columns);
    for voxel in 0..planes * rows * columns {
        let at = [voxel / (rows * columns), voxel / columns % rows, voxel % columns].map(|at| at as f64);
        let [z, y, x] = [at[0] - 98.0 - shift, at[1] - 116.0, at[2] - 94.0];
        let waves = 1.0 + 0.06 * (z / 5.0).sin() + 0.06 * (y / 4.0).sin() + 0.06 * (x / 6.0).sin();
        let radius = ((z / 76.0).powi(2) + (y / 92.0).powi(2) + (x / 74.0).powi(2)).sqrt() * waves;
        labels.push(if radius < 1.0 { 4 - (radius * 4.0) as u8 } else { 0 });
    }
    labels
}

#[test]
#[ignore = "takes a release build"]
fn surfaces_of_a_brain_sized_volume_are_no_farther_apart_than_they_were_moved() {
    let grid = Grid::new(&DIMS, &[1.0, 1.0, 1.0]).unwrap();
    let (prediction, truth) = (shells(2.0), shells(0.0));
    for definition in [Definition::Monai, Definition::DeepMind] {
        for class in 0..=4 {
            let start = Instant::now();
            let distances = SurfaceDistances::new(&grid, definition, |i| prediction[i] == class, |i| truth[i] == class);
            let taken = start.elapsed();
            let elements =
                [distances.prediction_to_truth(), distances.truth_to_prediction()].map(|d| d.elements().len());
            println!(
                "{definition:?}, class {class}, {elements:?} elements: {taken:.0?}; HD {:.3}, HD95 {:.3}, average {:.4}, \
                 surface Dice at 1 {:.4}",
                distances.hausdorff(),
                distances.hausdorff_percentile(95.0).unwrap(),
                distances.average_symmetric(),
                distances.surface_dice(1.0).unwrap(),
            );
            // Each surface is the other, moved by two voxels.
            assert!(distances.hausdorff() <= 2.0);
        }
    }
}
