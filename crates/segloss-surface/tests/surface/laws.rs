//! What holds of every pair of masks.

use segloss_surface::{Definition, Grid, SurfaceDistances};

use crate::masks::{DEFINITIONS, difference, noise, pairs};

#[test]
fn the_order_of_the_masks_does_not_matter() {
    for pair in pairs() {
        for definition in DEFINITIONS {
            let distances = pair.distances(definition);
            let swapped = SurfaceDistances::new(&pair.grid, definition, |i| pair.truth[i], |i| pair.prediction[i]);
            assert_eq!(distances.prediction_to_truth(), swapped.truth_to_prediction(), "{}", pair.name);
            assert_eq!(distances.truth_to_prediction(), swapped.prediction_to_truth(), "{}", pair.name);
            assert_eq!(difference(distances.hausdorff(), swapped.hausdorff()), 0.0, "{}", pair.name);
        }
    }
}

#[test]
fn equal_masks_are_nowhere_apart() {
    for pair in pairs().iter().filter(|pair| pair.prediction == pair.truth && pair.truth.contains(&true)) {
        for definition in DEFINITIONS {
            let distances = pair.distances(definition);
            assert_eq!(distances.hausdorff(), 0.0, "{}", pair.name);
            assert_eq!(distances.average_symmetric(), 0.0, "{}", pair.name);
            assert_eq!(distances.surface_dice(0.0), Ok(1.0), "{}", pair.name);
        }
    }
}

/// Where the masks lie on a grid does not matter, nor how much background is around them.
#[test]
fn a_larger_grid_changes_nothing() {
    let (small, large) = ([5, 6, 7], [12, 9, 11]);
    let spacing = [1.5, 0.7, 0.9];
    let (prediction, truth) = (noise(210, 71, 30), noise(210, 72, 30));
    // The first voxel of the small grid is (4, 2, 3) of the large one.
    let within = |mask: &[bool], voxel: usize| {
        let at = [voxel / 99, voxel / 11 % 9, voxel % 11];
        let at: [usize; 3] = std::array::from_fn(|axis| at[axis].wrapping_sub([4, 2, 3][axis]));
        (0..3).all(|axis| at[axis] < small[axis]) && mask[(at[0] * small[1] + at[1]) * small[2] + at[2]]
    };
    for definition in DEFINITIONS {
        let grid = Grid::new(&small, &spacing).unwrap();
        let alone = SurfaceDistances::new(&grid, definition, |i| prediction[i], |i| truth[i]);
        let grid = Grid::new(&large, &spacing).unwrap();
        let surrounded = SurfaceDistances::new(&grid, definition, |i| within(&prediction, i), |i| within(&truth, i));
        assert_eq!(alone, surrounded);
    }
}

/// On a long axis the rounding of distances does not grow.
#[test]
fn two_points_of_a_long_image_are_as_far_apart_as_they_are() {
    let grid = Grid::new(&[3, 1_000_000], &[0.3, 0.1]).unwrap();
    let distances = SurfaceDistances::new(&grid, Definition::Monai, |i| i == 0, |i| i == 2_999_999);
    assert_eq!(distances.hausdorff(), (0.6_f64.powi(2) + (999_999.0_f64 * 0.1).powi(2)).sqrt());
}

/// Spacings at both ends of what is allowed.
#[test]
fn extreme_spacings_give_the_distance_of_the_longer_axis() {
    let grid = Grid::new(&[4, 4, 4], &[1e-100, 1e100, 1e-100]).unwrap();
    let distances = SurfaceDistances::new(&grid, Definition::Monai, |i| i == 0, |i| i == 63);
    assert_eq!(distances.hausdorff(), 3.0 * 1e100);
}

/// DeepMind's package knows no single axis, where the surface is the ends of intervals.
#[test]
fn ends_of_intervals_are_compared_on_one_axis() {
    let grid = Grid::new(&[12], &[0.5]).unwrap();
    let distances =
        SurfaceDistances::new(&grid, Definition::DeepMind, |i| (2..5).contains(&i), |i| (4..12).contains(&i));
    // Ends at 2 and 5, and at 4 and 12, half a unit apart each.
    assert_eq!(distances.hausdorff(), 3.5);
    assert_eq!(distances.hausdorff_percentile(50.0), Ok(0.5));
    assert_eq!(distances.prediction_to_truth().average(), (1.0 + 0.5) / 2.0);
    assert_eq!(distances.truth_to_prediction().average(), (0.5 + 3.5) / 2.0);
    assert_eq!(distances.average_symmetric(), 5.5 / 4.0);
    assert_eq!(distances.surface_dice(0.5), Ok(0.5));
}
