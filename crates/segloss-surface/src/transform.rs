//! Distances to the nearest of many points: the exact Euclidean distance transform, asked at some points only.

use crate::envelope::Envelope;
use crate::surface::Lattice;

/// The distance from each query to the nearest site, in the order of the queries; infinite if there is no site.
///
/// Both are numbers of points on the lattice, ascending.
///
/// The squared distance is a sum over axes, so its minimum can be taken axis by axis:
///
/// ```text
/// f₀(z, y, x) = min over z' with a site at (z', y, x) of ((z − z')·s₀)²
/// f₁(z, y, x) = min over y' of f₀(z, y', x) + ((y − y')·s₁)²
/// f₂(z, y, x) = min over x' of f₁(z, y, x') + ((x − x')·s₂)²
/// ```
///
/// The first needs whole steps only, counted from plane to plane. The others are minima of parabolas, see [`Envelope`]; they
/// are taken for one plane after the other, and only where there are queries. The work is linear in the number of points.
/// Squares are summed from the first axis to the last, as SciPy sums them, so that equal distances round equally.
pub(crate) fn distances(lattice: &Lattice, sites: &[u32], queries: &[u32]) -> Vec<f64> {
    if sites.is_empty() {
        return vec![f64::INFINITY; queries.len()];
    }
    let [planes, rows, columns] = lattice.dims;
    let plane_of = |point: u32| point as usize / (rows * columns);
    let row_of = |point: u32| point as usize / columns % rows;

    let steps = steps_along_first_axis(lattice, sites);
    let mut squares: Vec<f64> = (0..planes).map(|steps| (steps as f64 * lattice.spacing[0]).powi(2)).collect();
    squares.push(f64::INFINITY);

    let mut along_rows = Envelope::new(rows, lattice.spacing[1]);
    let mut along_columns = Envelope::new(columns, lattice.spacing[2]);
    let mut squared = vec![f64::INFINITY; rows * columns];
    let mut wanted_rows = vec![];
    let mut found = Vec::with_capacity(queries.len());
    for queries in queries.chunk_by(|&a, &b| plane_of(a) == plane_of(b)) {
        let offset = plane_of(queries[0]) * rows * columns;
        let steps = &steps[offset..offset + rows * columns];
        wanted_rows.clear();
        wanted_rows.extend(queries.chunk_by(|&a, &b| row_of(a) == row_of(b)).map(|queries| row_of(queries[0])));
        for column in 0..columns {
            along_rows.build(steps[column..].iter().step_by(columns).map(|&steps| squares[steps as usize]));
            let mut walk = along_rows.walk();
            for &row in &wanted_rows {
                squared[row * columns + column] = walk.lowest_at(row);
            }
        }
        for queries in queries.chunk_by(|&a, &b| row_of(a) == row_of(b)) {
            let start = row_of(queries[0]) * columns;
            along_columns.build(squared[start..start + columns].iter().copied());
            let mut walk = along_columns.walk();
            found.extend(queries.iter().map(|&query| walk.lowest_at(query as usize % columns).sqrt()));
        }
    }
    found
}

/// How many planes away the nearest site of the same row and column is, point by point; the number of planes if there is none.
fn steps_along_first_axis(lattice: &Lattice, sites: &[u32]) -> Vec<u32> {
    let [planes, rows, columns] = lattice.dims;
    let size = rows * columns;
    let mut steps = vec![planes as u32; planes * size];
    for &site in sites {
        steps[site as usize] = 0;
    }
    let mut relax = |from: usize, to: usize| {
        let (low, high) = steps.split_at_mut(from.max(to) * size);
        let low = &mut low[from.min(to) * size..];
        let (from, to) = if from < to { (low, &mut high[..size]) } else { (&mut high[..size], low) };
        for (to, from) in to.iter_mut().zip(from) {
            *to = (*to).min(*from + 1);
        }
    };
    for plane in 1..planes {
        relax(plane - 1, plane);
    }
    for plane in (1..planes).rev() {
        relax(plane, plane - 1);
    }
    steps
}
