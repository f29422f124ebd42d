//! What is refused, with the values at fault.

use segloss_surface::{Definition, Error, Grid, SurfaceDistances};

#[test]
fn grids_that_are_none_are_refused() {
    assert_eq!(Grid::new(&[], &[]), Err(Error::Rank { dims: vec![] }));
    assert_eq!(Grid::new(&[1; 4], &[1.0; 4]), Err(Error::Rank { dims: vec![1; 4] }));
    assert_eq!(Grid::new(&[3, 0], &[1.0; 2]), Err(Error::NoVoxels { dims: vec![3, 0] }));
    let spacing = vec![1.0];
    assert_eq!(Grid::new(&[3, 4], &spacing), Err(Error::SpacingRank { dims: vec![3, 4], spacing }));
    for dims in [[usize::MAX, 1], [1 << 20, 1 << 20], [usize::MAX / 2, usize::MAX / 2]] {
        assert!(matches!(Grid::new(&dims, &[1.0; 2]), Err(Error::TooLarge { dims: found, .. }) if found == dims));
    }
}

#[test]
fn spacings_that_are_no_lengths_are_refused() {
    for length in [0.0, -1.0, 1e-101, 1e101, f64::INFINITY, f64::NAN] {
        let error = Grid::new(&[3, 4], &[1.0, length]).unwrap_err();
        assert!(matches!(error, Error::Spacing { axis: 1, .. }), "{error}");
        assert!(error.to_string().contains("along axis 1; give a length from 1e-100 to 1e100"), "{error}");
    }
}

#[test]
fn percentiles_and_tolerances_that_are_none_are_refused() {
    let grid = Grid::new(&[3], &[1.0]).unwrap();
    let distances = SurfaceDistances::new(&grid, Definition::Monai, |i| i == 0, |i| i == 2);
    for percentile in [-1.0, 100.5, f64::INFINITY] {
        assert_eq!(distances.hausdorff_percentile(percentile), Err(Error::Percentile { percentile }));
        assert_eq!(
            distances.truth_to_prediction().hausdorff_percentile(percentile),
            Err(Error::Percentile { percentile })
        );
    }
    for tolerance in [-1e-9, f64::INFINITY] {
        assert_eq!(distances.surface_dice(tolerance), Err(Error::Tolerance { tolerance }));
    }
    assert!(distances.hausdorff_percentile(f64::NAN).is_err());
    assert!(distances.surface_dice(f64::NAN).is_err());
}
