//! Column chunks: where the planes of one sample exceed what can be bound, a piece of each is copied beside the others.
//! Pure arithmetic, no GPU.

use crate::geometry::{OCTET, Tiling, Window};

/// All pieces of a chunk together, of all tensors.
pub(crate) const STAGING_BYTES: u64 = 16 << 20;
/// Planes are as far apart as in the tensor but for multiples of this, so that every piece begins as far within a word as
/// what it is a copy of, whatever the bits of an element.
const WORD_BITS: u64 = 32;

/// How a problem's columns are cut into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    /// Tiles of a chunk, or 1 where it is less; the last of a sample may have fewer.
    tiles: u32,
    /// Voxels of each tile: all of them, or as many as a chunk holds.
    part: u32,
    /// From one plane of a chunk to the next, in elements.
    pub(crate) stride: u32,
    classes: u32,
}

/// A copy between a tensor and its place in a chunk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) tensor_offset: u64,
    pub(crate) chunk_offset: u64,
    pub(crate) bytes: u64,
}

impl Chunks {
    /// The largest chunks of whole tiles, or of parts of one, whose tensors, of so many bits an element together, fit into so
    /// many bytes; `None` if not even an octet of all classes does.
    pub(crate) fn new(tiling: &Tiling, bits: u64, bytes: u64) -> Option<Self> {
        let (classes, tile) = (u64::from(tiling.row_step), u64::from(tiling.tile_length));
        // At most two words are lost to the distance of the planes.
        let room = (bytes * 8 / (classes * bits).max(1)).saturating_sub(2 * WORD_BITS);
        let tiles = (room / tile).min(tiling.tiles_per_row.into());
        let part = if tiles > 0 { tile } else { room / OCTET * OCTET };
        let voxels = u64::from(tiling.voxels);
        let least = tiles.max(1) * part + WORD_BITS;
        // Whole planes stay neighbours: words at their edges belong to both.
        let is_whole = tiles == u64::from(tiling.tiles_per_row);
        let apart = least + (voxels + WORD_BITS - least % WORD_BITS) % WORD_BITS;
        let stride = if is_whole { voxels } else { apart };
        let (tiles, part) = (tiles.max(1) as u32, part as u32);
        (part > 0).then_some(Self { tiles, part, stride: stride as u32, classes: classes as u32 })
    }

    /// The chunks, as windows of columns.
    pub(crate) fn windows(self, tiling: &Tiling) -> Vec<Window> {
        let samples = tiling.rows / self.classes;
        let chunk = |sample: u32, tile: u32, begin: u32| {
            let tiles = self.tiles.min(tiling.tiles_per_row - tile);
            let first_voxel = tile * tiling.tile_length + begin;
            let part = begin..(begin + self.part).min(tiling.tile_length);
            let length = u64::from(tiles - 1) * u64::from(tiling.tile_length) + u64::from(part.end - part.start);
            Window {
                first_row: sample * self.classes,
                rows: self.classes,
                first_voxel,
                voxels: length.min(u64::from(tiling.voxels) - u64::from(first_voxel)) as u32,
                first_tile: sample * tiling.tiles_per_row + tile,
                tiles,
                part,
            }
        };
        // Where a chunk is less than a tile, the last tile of a row may end before the last of its parts.
        let is_there = move |tile: u32, begin: u32| {
            u64::from(tile) * u64::from(tiling.tile_length) + u64::from(begin) < u64::from(tiling.voxels)
        };
        let parts = move |tile: u32| {
            let begins = (0..tiling.tile_length).step_by(self.part as usize);
            begins.filter(move |&begin| is_there(tile, begin)).map(move |begin| (tile, begin))
        };
        let of_sample = move |sample| {
            let tiles = (0..tiling.tiles_per_row).step_by(self.tiles as usize);
            tiles.flat_map(parts).map(move |(tile, begin)| chunk(sample, tile, begin))
        };
        (0..samples).flat_map(of_sample).collect()
    }

    /// The bytes of the largest chunk of a tensor of so many bits an element.
    pub(crate) fn bytes(self, bits: u32) -> u64 {
        (u64::from(self.classes) * u64::from(self.stride) * u64::from(bits)).div_ceil(WORD_BITS) * 4 + 4
    }

    /// The elements of a chunk in its place: first and number. `offset` is where the tensor begins, in bytes.
    pub(crate) fn elements(self, window: &Window, voxels: u32, offset: u64, bits: u32) -> (u64, u64) {
        let begin = first_bit(window, voxels, offset, bits);
        let count = u64::from(self.classes - 1) * u64::from(self.stride) + u64::from(window.voxels);
        (begin % WORD_BITS / u64::from(bits), count)
    }

    /// The copies that make a chunk of a tensor, one a class (of whole planes one in all), or that bring it back.
    pub(crate) fn pieces(
        self,
        window: &Window,
        voxels: u32,
        offset: u64,
        bits: u32,
    ) -> impl Iterator<Item = Piece> + use<> {
        let begin = first_bit(window, voxels, offset, bits);
        let is_whole = window.voxels == voxels;
        let (planes, copies) = if is_whole { (self.classes, 1) } else { (1, self.classes) };
        let bits = u64::from(bits);
        let length = bits * u64::from(window.voxels) * u64::from(planes);
        (0..u64::from(copies)).map(move |class| {
            let from = begin + class * bits * u64::from(voxels);
            let to = begin % WORD_BITS + class * bits * u64::from(self.stride);
            let (first, end) = (from / WORD_BITS, (from + length).div_ceil(WORD_BITS));
            Piece { tensor_offset: 4 * first, chunk_offset: to / WORD_BITS * 4, bytes: 4 * (end - first) }
        })
    }
}

/// Where a window's first element lies in its buffer.
fn first_bit(window: &Window, voxels: u32, offset: u64, bits: u32) -> u64 {
    let first = u64::from(window.first_row) * u64::from(voxels) + u64::from(window.first_voxel);
    8 * offset + u64::from(bits) * first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use crate::geometry::Walk;

    #[test]
    fn pieces_keep_their_place_within_a_word_and_do_not_overlap() {
        for (dims, elements) in
            [([2, 4, 3_000_001], 0), ([1, 105, 200_003], 3), ([1, 3, 9_999_999], 1), ([3, 3, 12_001], 1)]
        {
            let shape = Shape::new(&dims).unwrap();
            let tiling = Tiling::finest(&shape, Walk::Columns { statistics: 2 });
            for bits in [1, 8, 16, 32] {
                let offset = elements * u64::from(bits).div_ceil(8);
                let chunks = Chunks::new(&tiling, 32 + u64::from(bits), STAGING_BYTES).unwrap();
                assert!(chunks.bytes(bits) + chunks.bytes(32) <= STAGING_BYTES);
                let windows = chunks.windows(&tiling);
                let covered: u64 = windows.iter().map(|window| u64::from(window.voxels)).sum();
                assert_eq!(covered, (dims[0] * dims[2]) as u64);
                for window in windows {
                    let (first, count) = chunks.elements(&window, tiling.voxels, offset, bits);
                    assert!((first + count) * u64::from(bits) <= 8 * chunks.bytes(bits));
                    let mut end = 0;
                    for (class, piece) in chunks.pieces(&window, tiling.voxels, offset, bits).enumerate() {
                        assert!(piece.chunk_offset >= end, "{piece:?}");
                        end = piece.chunk_offset + piece.bytes;
                        // The first element of a class, from the beginning of its piece, in either place.
                        let row = u64::from(window.first_row) + class as u64;
                        let element = row * u64::from(tiling.voxels) + u64::from(window.first_voxel);
                        let in_tensor = 8 * offset + u64::from(bits) * element - 8 * piece.tensor_offset;
                        let place = first + class as u64 * u64::from(chunks.stride);
                        assert_eq!(in_tensor, u64::from(bits) * place - 8 * piece.chunk_offset);
                        assert!(in_tensor + u64::from(bits) * u64::from(window.voxels) <= 8 * piece.bytes);
                    }
                    assert!(end <= chunks.bytes(bits));
                    // Whole planes are one piece, since words at their edges belong to two.
                    let pieces = chunks.pieces(&window, tiling.voxels, offset, bits).count();
                    assert_eq!(pieces, if window.voxels == tiling.voxels { 1 } else { dims[1] });
                }
            }
        }
    }

    #[test]
    fn a_tile_that_is_too_large_is_cut_into_parts() {
        for dims in [[1, 1000, 60_000_001], [2, 105, 300_005]] {
            let shape = Shape::new(&dims).unwrap();
            let tiling = Tiling::finest(&shape, Walk::Columns { statistics: 4 });
            let bytes = u64::from(tiling.tile_length) * dims[1] as u64 * 64 / 8 / 3;
            let chunks = Chunks::new(&tiling, 64, bytes.min(STAGING_BYTES)).unwrap();
            let mut next = 0;
            for window in chunks.windows(&tiling) {
                let (sample, tile) =
                    (window.first_tile / tiling.tiles_per_row, window.first_tile % tiling.tiles_per_row);
                let begin = u64::from(tile) * u64::from(tiling.tile_length) + u64::from(window.part.start);
                assert_eq!((begin, window.tiles), (window.first_voxel.into(), 1));
                assert_eq!(u64::from(sample) * u64::from(tiling.voxels) + begin, next);
                assert!(window.voxels <= window.part.end - window.part.start && window.part.end <= tiling.tile_length);
                next += u64::from(window.voxels);
            }
            assert_eq!(next, (dims[0] * dims[2]) as u64);
        }
        let shape = Shape::new(&[1, 1 << 21, 1000]).unwrap();
        assert_eq!(Chunks::new(&Tiling::finest(&shape, Walk::Columns { statistics: 1 }), 64, STAGING_BYTES), None);
    }
}
