//! How a problem is cut into tiles and windows. Pure arithmetic, no GPU.

use std::ops::Range;

use crate::kernel::slot::Width;
use crate::{Loss, Problem, Shape};

/// The tiles of a problem in all: enough to fill any GPU several times, few enough for 1 MiB of partials.
const MAX_TILES: u64 = 8192;
/// The least tile, 16 elements for each of 256 lanes: below, starting a workgroup costs more than its work.
const MIN_TILE: u64 = 4096;
/// The largest tile: its counts are exact in f32 (2^24), and one of 8 lanes, which takes 8 elements at a time, stays
/// below the 65,535 loop iterations after which Mesa's software adapters silently leave a shader's loops.
const LARGEST_TILE: u64 = 1 << 20;
/// The sums of tiles of columns, one a statistic and class, in all: 16 bytes each, together below 1 MiB.
const MAX_COLUMN_SUMS: u64 = 56_000;
/// The least tile of columns, an octet for each of 256 lanes.
const MIN_COLUMN_TILE: u64 = 2048;
/// The least tile of columns where workgroups are a cost: a thousand octets a lane, whose sums still keep their digits.
const COARSE_COLUMN_TILE: u64 = 1 << 16;
/// The largest tile of columns: its counts are exact in f32.
const LARGEST_COLUMN_TILE: u64 = 1 << 24;
/// Elements that a lane takes at a time. Tiles are whole octets but for a row's last.
pub(crate) const OCTET: u64 = 8;
/// Tiles up to this length are summed by one lane each: short rows, and the tiles of small problems.
const SHORT_TILE: u64 = 64;
/// A problem of so many elements and few rows is small: one workgroup works through it in less time than starting five
/// dispatches takes.
const SMALL: u64 = 1 << 14;
/// So few parts (partial sums of a row, rows of a group) are added up by one lane.
const FEW_PARTS: u64 = 32;

/// How finely an adapter wants problems to be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grain {
    /// The least tile of a problem that is not small.
    min_tile: u64,
    /// The least tile of columns, in elements of all classes.
    min_column_tile: u64,
    /// Lanes that a small problem is to keep busy, each with a tile of its own.
    lanes: u64,
}

impl Grain {
    /// The most tiles that any adapter gets.
    pub(crate) const FINEST: Self = Self { min_tile: MIN_TILE, min_column_tile: 0, lanes: u64::MAX };

    /// For a few cores that work on so many lanes at once, to which every workgroup is a cost: eight times the tile, if five
    /// of it fit in a binding of so many bytes.
    pub(crate) fn coarse(lanes: u32, binding: u64) -> Self {
        let largest = binding / (5 * 4) / 2;
        let min_tile = (8 * MIN_TILE).min(largest).max(MIN_TILE);
        Self { min_tile, min_column_tile: largest.min(1 << 17), lanes: lanes.into() }
    }
}

/// What a tile is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// The voxels of a row.
    Rows,
    /// The voxels of a sample with all their classes, of each of which so many statistics are summed.
    Columns {
        /// Their number.
        statistics: u32,
    },
}

impl Walk {
    pub(crate) fn of(loss: &Loss) -> Self {
        if loss.couples_classes() { Self::Columns { statistics: loss.statistics().len() as u32 } } else { Self::Rows }
    }
}

/// The cut of every row into tiles. It depends on the shape and the adapter's grain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tiling {
    pub(crate) rows: u32,
    /// Rows of a tile: 1, or all classes of a sample.
    pub(crate) row_step: u32,
    pub(crate) walk: Walk,
    /// Voxels of a row.
    pub(crate) voxels: u32,
    /// Voxels of a tile; the last of a row may be shorter.
    pub(crate) tile_length: u32,
    /// 0 for a problem without elements.
    pub(crate) tiles_per_row: u32,
}

impl Tiling {
    /// The cut with the most tiles that any adapter takes: what scratch memory must have room for.
    pub(crate) fn finest(shape: &Shape, walk: Walk) -> Self {
        Self::new(shape, walk, Grain::FINEST)
    }

    pub(crate) fn new(shape: &Shape, walk: Walk, grain: Grain) -> Self {
        // `Shape` keeps all of them below 2^32.
        let (rows, classes, voxels) = (shape.rows() as u64, shape.classes() as u64, shape.voxels() as u64);
        let row_step = if walk == Walk::Rows { 1 } else { classes as u32 };
        let tiling =
            Self { rows: rows as u32, row_step, walk, voxels: voxels as u32, tile_length: 1, tiles_per_row: 0 };
        if rows * voxels == 0 {
            return tiling;
        }
        let (least_tile, share, largest) = match walk {
            Walk::Rows => {
                let small_tile = SHORT_TILE.max(voxels.div_ceil(grain.lanes));
                let least_tile = if is_small(rows, voxels) { small_tile } else { grain.min_tile };
                (least_tile, MAX_TILES / rows, LARGEST_TILE)
            }
            Walk::Columns { statistics } => {
                let share = MAX_COLUMN_SUMS / (rows * u64::from(statistics));
                let least_tile = (grain.min_column_tile / classes).clamp(MIN_COLUMN_TILE, COARSE_COLUMN_TILE);
                (least_tile, share, LARGEST_COLUMN_TILE)
            }
        };
        let wanted = voxels.div_ceil(least_tile).min(share.max(1)).max(voxels.div_ceil(largest));
        let tile_length = voxels.div_ceil(wanted).next_multiple_of(OCTET);
        let tiles_per_row = voxels.div_ceil(tile_length) as u32;
        Self { tile_length: tile_length as u32, tiles_per_row, ..tiling }
    }

    /// How many rows, or columns of rows, are cut into tiles.
    fn bands(&self) -> u64 {
        u64::from(self.rows).checked_div(self.row_step.into()).unwrap_or_default()
    }

    /// The number of tiles, none of which is empty.
    pub(crate) fn tiles(&self) -> u64 {
        self.bands() * u64::from(self.tiles_per_row)
    }

    /// The number of a statistic's partial sums.
    pub(crate) fn partials(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.tiles_per_row)
    }

    /// Whether a lane sums a tile by itself.
    pub(crate) fn has_short_tiles(&self) -> bool {
        u64::from(self.tile_length) <= SHORT_TILE
    }

    /// Whether one workgroup evaluates all of it in one dispatch.
    pub(crate) fn is_small(&self) -> bool {
        self.walk == Walk::Rows && is_small(self.rows.into(), self.voxels.into())
    }

    /// The accesses, widest first, at whose multiples all rows of a window of so many begin if the first does.
    pub(crate) fn widths(&self, rows: u32, widest: Width) -> impl Iterator<Item = Width> {
        let fits = move |width: &Width| rows == 1 || u64::from(self.voxels).is_multiple_of(width.elements());
        Width::WIDEST_FIRST.into_iter().filter(move |width| *width <= widest).filter(fits)
    }

    /// Whether a lane combines a row's partial sums by itself.
    pub(crate) fn has_few_partials(&self) -> bool {
        is_few(self.tiles_per_row.into())
    }

    /// Cuts the tensor into windows of at most `limit` elements: several whole rows, or whole tiles of one row.
    ///
    /// Where the classes lie last, the elements of a row are spread over those of its sample: a window then holds whole
    /// samples of the rows it has, or one row's tiles and what lies between their elements. Columns are whole samples, or
    /// tiles of one where the classes lie last.
    ///
    /// `None` if not even that fits.
    pub(crate) fn windows(&self, limit: u64, problem: &Problem) -> Option<Vec<Window>> {
        let (step, voxels) = (u64::from(problem.voxel_step()), u64::from(self.voxels));
        if let Walk::Columns { .. } = self.walk {
            let limit = limit / u64::from(self.row_step.max(1));
            return if step == 1 && limit < voxels { None } else { self.cut(limit) };
        }
        if step == 1 {
            return self.cut(limit);
        }
        // k rows lie in at most k/C + 2 samples, which are (k + 2·C)·voxels elements.
        let rows = (limit / voxels.max(1)).saturating_sub(2 * step);
        self.cut(if rows > 0 { rows * voxels } else { (limit / step).min(voxels) })
    }

    fn cut(&self, limit: u64) -> Option<Vec<Window>> {
        let (voxels, tile_length) = (u64::from(self.voxels), u64::from(self.tile_length));
        if self.tiles() == 0 {
            return Some(vec![]);
        }
        if limit >= voxels {
            let step = (limit / voxels).min(self.bands());
            let window = |first: u64| {
                let bands = step.min(self.bands() - first) as u32;
                Window {
                    first_row: first as u32 * self.row_step,
                    rows: bands * self.row_step,
                    first_voxel: 0,
                    voxels: self.voxels,
                    first_tile: first as u32 * self.tiles_per_row,
                    tiles: bands * self.tiles_per_row,
                    part: 0..self.tile_length,
                }
            };
            return Some((0..self.bands()).step_by(step as usize).map(window).collect());
        }
        let step = limit / tile_length;
        if step == 0 {
            return None;
        }
        let parts = |band: u32| {
            (0..u64::from(self.tiles_per_row)).step_by(step as usize).map(move |tile| {
                let first_voxel = tile * tile_length;
                Window {
                    first_row: band * self.row_step,
                    rows: self.row_step,
                    first_voxel: first_voxel as u32,
                    voxels: (step * tile_length).min(voxels - first_voxel) as u32,
                    first_tile: band * self.tiles_per_row + tile as u32,
                    tiles: step.min(u64::from(self.tiles_per_row) - tile) as u32,
                    part: 0..self.tile_length,
                }
            })
        };
        Some((0..self.bands() as u32).flat_map(parts).collect())
    }
}

fn is_small(rows: u64, voxels: u64) -> bool {
    is_few(rows) && (1..=SMALL).contains(&(rows * voxels))
}

/// Whether one lane adds up so many parts.
pub(crate) fn is_few(parts: u64) -> bool {
    parts <= FEW_PARTS
}

/// A part of the tensor that is bound at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) first_row: u32,
    /// More than one, or than one sample's, only where whole rows are bound.
    pub(crate) rows: u32,
    pub(crate) first_voxel: u32,
    /// Voxels of each of its rows.
    pub(crate) voxels: u32,
    pub(crate) first_tile: u32,
    pub(crate) tiles: u32,
    /// The voxels of each of its tiles: all of them, or of a tile of columns the part that a chunk holds.
    pub(crate) part: Range<u32>,
}

impl Window {
    /// The blocks of its parts of tiles of columns, for a team of so many lanes that take an octet each.
    pub(crate) fn blocks(&self, lanes: u32) -> u32 {
        u64::from(self.part.end - self.part.start).div_ceil(OCTET * u64::from(lanes)) as u32
    }

    /// The elements of a tensor of the logits' shape: first and number.
    pub(crate) fn elements(&self, tiling: &Tiling, problem: &Problem) -> (u64, u64) {
        let step = u64::from(problem.voxel_step());
        if step > 1 {
            let (first, count) = self.mask_entries(tiling, step as u32);
            return (first * step, count * step);
        }
        let first = u64::from(self.first_row) * u64::from(tiling.voxels) + u64::from(self.first_voxel);
        (first, u64::from(self.rows) * u64::from(self.voxels))
    }

    /// The entries of a `[N, 1, spatial…]` mask: first and number. Never more than elements.
    pub(crate) fn mask_entries(&self, tiling: &Tiling, classes: u32) -> (u64, u64) {
        let first_sample = u64::from(self.first_row / classes);
        let samples = u64::from((self.first_row + self.rows - 1) / classes) - first_sample + 1;
        let first = first_sample * u64::from(tiling.voxels) + u64::from(self.first_voxel);
        (first, samples * u64::from(self.voxels))
    }
}

/// A grid of at least `groups` workgroups with no side above `limit`; `None` if that takes a third side.
pub(crate) fn grid(groups: u64, limit: u32) -> Option<[u32; 2]> {
    let limit = u64::from(limit);
    if groups <= limit {
        return Some([groups as u32, 1]);
    }
    let height = groups.div_ceil(limit);
    (height <= limit).then(|| [groups.div_ceil(height) as u32, height as u32])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 14] = [1, 2, 63, 64, 65, 255, 256, 257, 4095, 4096, 4097, 8193, 70_001, 40_000_000];

    #[test]
    fn tiles_cover_every_row_once_and_stay_capped() {
        for rows in [1, 2, 3, 100, 8191, 8193, 1_000_000] {
            let grains = [Grain::FINEST, Grain::coarse(8, 1 << 27)];
            for (voxels, grain) in SIZES.into_iter().flat_map(|size| grains.map(|grain| (size, grain))) {
                let shape = Shape::new(&[rows, 1, voxels]).unwrap();
                let tiling = Tiling::new(&shape, Walk::Rows, grain);
                assert!(tiling.tiles() <= Tiling::finest(&shape, Walk::Rows).tiles());
                let covered = u64::from(tiling.tile_length) * u64::from(tiling.tiles_per_row);
                assert!(covered >= voxels as u64 && covered - u64::from(tiling.tile_length) < voxels as u64);
                let least = rows as u64 * (voxels as u64).div_ceil(LARGEST_TILE);
                assert!(tiling.tiles() <= MAX_TILES.max(least), "{tiling:?}");
                assert!(u64::from(tiling.tile_length) <= LARGEST_TILE);
            }
        }
        assert_eq!(Tiling::finest(&Shape::new(&[1, 1, 3_000_000_000]).unwrap(), Walk::Rows).tiles(), 8192);
    }

    #[test]
    fn windows_cover_the_tensor_once_within_the_limit() {
        for (samples, classes, voxels) in [(1, 1, 70_001), (2, 3, 5000), (7, 2, 100), (3, 4, 9000)] {
            let problem = Problem::new(Shape::new(&[samples, classes, voxels]).unwrap());
            let tiling = Tiling::finest(&problem.shape, Walk::Rows);
            for limit in [4096, 5000, 8192, 12_345, 1 << 30] {
                let windows = tiling.cut(limit).unwrap();
                let (mut next, mut tile) = (0, 0);
                for window in &windows {
                    let (first, count) = window.elements(&tiling, &problem);
                    let (mask_first, mask_count) = window.mask_entries(&tiling, classes as u32);
                    assert_eq!((first, window.first_tile), (next, tile), "{window:?}");
                    assert!(count <= limit && mask_count <= count && count > 0);
                    assert!(mask_first + mask_count <= (samples * voxels) as u64);
                    next += count;
                    tile += window.tiles;
                }
                assert_eq!((next, u64::from(tile)), ((samples * classes * voxels) as u64, tiling.tiles()));
            }
        }
        assert_eq!(Tiling::finest(&Shape::new(&[1, 1, 50_000]).unwrap(), Walk::Rows).cut(2000), None);
        assert_eq!(Tiling::finest(&Shape::new(&[2, 1, 0]).unwrap(), Walk::Rows).cut(2000), Some(vec![]));
    }

    #[test]
    fn grids_hold_enough_workgroups() {
        for groups in [0, 1, 65_535, 65_536, 1_000_000, 65_535 * 65_535] {
            let [x, y] = grid(groups, 65_535).unwrap();
            assert!(u64::from(x) * u64::from(y) >= groups && x <= 65_535 && y <= 65_535);
        }
        assert_eq!(grid(65_535 * 65_535 + 1, 65_535), None);
    }
}
