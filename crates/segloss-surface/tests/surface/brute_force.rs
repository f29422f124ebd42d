//! Distances against the least over all pairs of points.

use segloss_surface::{Definition, DirectedDistances, Grid};

use crate::masks::{difference, pairs};

/// A point in units of the spacing.
type Point = Vec<usize>;

/// The coordinates of a voxel, or of a corner if the axes are one longer.
fn coordinates(dims: &[usize], mut number: usize) -> Point {
    let mut point = vec![0; dims.len()];
    for axis in (0..dims.len()).rev() {
        point[axis] = number % dims[axis];
        number /= dims[axis];
    }
    point
}

/// Whether there is a voxel of the mask; outside the grid there is none.
fn is_set(grid: &Grid, mask: &[bool], point: &[isize]) -> bool {
    let mut number = 0;
    for (&at, &length) in point.iter().zip(grid.dims()) {
        if at < 0 || at >= length as isize {
            return false;
        }
        number = number * length + at as usize;
    }
    mask[number]
}

/// Voxels of the mask with a neighbour along an axis that is none.
fn surface_voxels(grid: &Grid, mask: &[bool]) -> Vec<Point> {
    let mut found = vec![];
    for number in 0..grid.voxels() {
        let point = coordinates(grid.dims(), number);
        let here: Vec<isize> = point.iter().map(|&at| at as isize).collect();
        let all_around = (0..here.len()).all(|axis| {
            [-1, 1].iter().all(|step| {
                let mut neighbour = here.clone();
                neighbour[axis] += step;
                is_set(grid, mask, &neighbour)
            })
        });
        if is_set(grid, mask, &here) && !all_around {
            found.push(point);
        }
    }
    found
}

/// Corners, numbered by the voxel behind them, around which some voxels are in the mask and some are not.
fn surface_corners(grid: &Grid, mask: &[bool]) -> Vec<Point> {
    let dims: Vec<usize> = grid.dims().iter().map(|length| length + 1).collect();
    let mut found = vec![];
    for number in 0..dims.iter().product() {
        let corner = coordinates(&dims, number);
        let around = (0..1 << dims.len()).map(|sides: usize| {
            let voxel: Vec<isize> =
                (0..dims.len()).map(|axis| corner[axis] as isize - (sides >> axis & 1) as isize).collect();
            is_set(grid, mask, &voxel)
        });
        let inside = around.filter(|&set| set).count();
        if inside > 0 && inside < 1 << dims.len() {
            found.push(corner);
        }
    }
    found
}

/// The distance from each point to the nearest of the others, ascending.
fn nearest(grid: &Grid, from: &[Point], to: &[Point]) -> Vec<f64> {
    let distance = |a: &Point, b: &Point| {
        let squares = a.iter().zip(b).zip(grid.spacing()).map(|((&a, &b), s)| (a.abs_diff(b) as f64 * s).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let mut found: Vec<f64> =
        from.iter().map(|a| to.iter().map(|b| distance(a, b)).fold(f64::INFINITY, f64::min)).collect();
    found.sort_by(f64::total_cmp);
    found
}

fn assert_distances(name: &str, found: &DirectedDistances, expected: &[f64]) {
    let found: Vec<f64> = found.elements().iter().map(|element| element.distance).collect();
    assert_eq!(found.len(), expected.len(), "{name}");
    for (&found, &expected) in found.iter().zip(expected) {
        assert!(difference(found, expected) < 1e-14, "{name}: {found} is not {expected}");
    }
}

/// Compares both directions of all pairs of masks, given what the points of a surface are.
fn assert_least_over_all_pairs(definition: Definition, surface: impl Fn(&Grid, &[bool]) -> Vec<Point>) {
    for pair in pairs() {
        let (prediction, truth) = (surface(&pair.grid, &pair.prediction), surface(&pair.grid, &pair.truth));
        // What there is to say of empty masks, the libraries decide.
        if prediction.is_empty() || truth.is_empty() {
            continue;
        }
        let distances = pair.distances(definition);
        let name = &pair.name;
        assert_distances(name, distances.prediction_to_truth(), &nearest(&pair.grid, &prediction, &truth));
        assert_distances(name, distances.truth_to_prediction(), &nearest(&pair.grid, &truth, &prediction));
    }
}

#[test]
fn distances_between_surface_voxels_are_the_least_over_all_pairs() {
    assert_least_over_all_pairs(Definition::Monai, surface_voxels);
}

#[test]
fn distances_between_surface_corners_are_the_least_over_all_pairs() {
    assert_least_over_all_pairs(Definition::DeepMind, surface_corners);
}
