//! Counts of pairs of bytes.

use std::collections::BTreeMap;

use multiversion::multiversion;

/// Bytes that a vector may hold.
const LANES: usize = 32;

/// Voxels that are looked at together: where all are 0, as outside a body, they are passed over.
const RUN: usize = 4 * LANES;

/// Runs whose counts fit in a byte for each lane.
const BATCH: usize = 255 * LANES / RUN;

/// Labels below this are counted pair by pair of them, many voxels at once.
const FEW: u8 = 4;

/// The codes, FEW·prediction + truth, of all pairs of three labels and of four, but for two zeros, which are what is left over.
const OF_THREE: [u8; 8] = [1, 2, 4, 5, 6, 8, 9, 10];
const OF_FOUR: [u8; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Neighbours that are often equal even where there are many labels.
const GROUP: usize = LANES;

/// Pairs of bytes.
const CELLS: usize = 1 << 16;

/// Tables that are added to in turns: neighbours are often equal, and the second would wait for the first one's sum.
const TABLES: usize = 4;

/// How many of each code there are.
type Few = [u64; (FEW * FEW) as usize];

/// How many labels there have been.
#[derive(Clone, Copy, Default)]
enum Labels {
    #[default]
    Three,
    Four,
    Many,
}

/// Pairs of prediction and truth, counted.
///
/// A table of counts has to wait for the same cell again and again. Where there are few labels it is quicker to compare all voxels
/// with every pair of labels there can be, in vectors. How many labels there are is seen on the way: a batch with more than all
/// before it is counted again.
#[derive(Default)]
pub(super) struct Tally {
    labels: Labels,
    few: Few,
    /// By prediction and truth, made when needed.
    tables: Vec<[u32; CELLS]>,
    /// The largest prediction in them.
    largest: u8,
    /// What a cell of them is at most.
    in_tables: u32,
    /// What was counted otherwise, and in tables before.
    pairs: BTreeMap<[u8; 2], u64>,
}

impl Tally {
    /// Takes in as many predictions as truths.
    pub(super) fn take(&mut self, prediction: &[u8], truth: &[u8]) {
        let (p_runs, p_rest) = prediction.as_chunks::<RUN>();
        let (t_runs, t_rest) = truth.as_chunks::<RUN>();
        for (p, t) in p_runs.chunks(BATCH).zip(t_runs.chunks(BATCH)) {
            self.take_batch(p, t);
        }
        for (&p, &t) in p_rest.iter().zip(t_rest) {
            self.add([p, t], 1);
        }
    }

    /// All pairs with how often they were taken in.
    pub(super) fn finish(mut self) -> BTreeMap<[u8; 2], u64> {
        self.empty_tables();
        for (code, count) in (0..).zip(self.few) {
            self.add([code / FEW, code % FEW], count);
        }
        self.pairs
    }

    fn add(&mut self, pair: [u8; 2], count: u64) {
        if count > 0 {
            *self.pairs.entry(pair).or_default() += count;
        }
    }

    fn empty_tables(&mut self) {
        for table in &std::mem::take(&mut self.tables) {
            let cells = (0..=self.largest).flat_map(|p| (0..=u8::MAX).map(move |t| [p, t]));
            for (pair, &count) in cells.zip(table) {
                self.add(pair, count.into());
            }
        }
        self.in_tables = 0;
    }

    fn take_batch(&mut self, prediction: &[[u8; RUN]], truth: &[[u8; RUN]]) {
        let (found, more) = match self.labels {
            Labels::Three => (pairs_of_three(prediction, truth), Labels::Four),
            Labels::Four => (pairs_of_four(prediction, truth), Labels::Many),
            Labels::Many => return self.take_many(prediction.as_flattened(), truth.as_flattened()),
        };
        match found {
            Some(found) => self.few.iter_mut().zip(found).for_each(|(count, found)| *count += found),
            None => {
                self.labels = more;
                self.take_batch(prediction, truth);
            }
        }
    }

    fn take_many(&mut self, prediction: &[u8], truth: &[u8]) {
        let voxels = prediction.len() as u32;
        if self.in_tables.checked_add(voxels).is_none() {
            self.empty_tables();
        }
        self.in_tables += voxels;
        if self.tables.is_empty() {
            self.tables = vec![[0; CELLS]; TABLES];
        }
        if let Some(tables) = self.tables.first_chunk_mut() {
            self.largest = self.largest.max(add_groups(prediction, truth, tables));
        }
    }
}

fn cell(prediction: u8, truth: u8) -> usize {
    usize::from(prediction) << 8 | usize::from(truth)
}

/// Adds whole groups. Returns the largest prediction.
#[multiversion(targets("x86_64+avx2"))]
fn add_groups(prediction: &[u8], truth: &[u8], tables: &mut [[u32; CELLS]; TABLES]) -> u8 {
    let (p_groups, t_groups) = (prediction.as_chunks::<GROUP>().0, truth.as_chunks::<GROUP>().0);
    let mut largest = [0; GROUP];
    for (p, t) in p_groups.iter().zip(t_groups) {
        for lane in 0..GROUP {
            largest[lane] = largest[lane].max(p[lane]);
        }
        let differences = p.iter().zip(t).fold(0, |all, (&a, &b)| all | (a ^ p[0]) | (b ^ t[0]));
        if differences == 0 {
            tables[0][cell(p[0], t[0])] += GROUP as u32;
            continue;
        }
        for (p, t) in p.as_chunks::<TABLES>().0.iter().zip(t.as_chunks::<TABLES>().0) {
            for table in 0..TABLES {
                tables[table][cell(p[table], t[table])] += 1;
            }
        }
    }
    largest.into_iter().fold(0, u8::max)
}

/// How often each pair of the labels 0, 1 and 2 occurs in at most `BATCH` runs. `None` if there are others.
#[multiversion(targets("x86_64+avx2"))]
fn pairs_of_three(prediction: &[[u8; RUN]], truth: &[[u8; RUN]]) -> Option<Few> {
    pairs(3, OF_THREE, prediction, truth)
}

/// The same of 0 to 3.
#[multiversion(targets("x86_64+avx2"))]
fn pairs_of_four(prediction: &[[u8; RUN]], truth: &[[u8; RUN]]) -> Option<Few> {
    pairs(4, OF_FOUR, prediction, truth)
}

/// One function with its callers, that it becomes vectors of the width that they are for.
#[inline(always)]
fn pairs<const N: usize>(labels: u8, codes: [u8; N], prediction: &[[u8; RUN]], truth: &[[u8; RUN]]) -> Option<Few> {
    let mut counts = [[0_u8; LANES]; N];
    let mut largest = [0; LANES];
    for (p, t) in prediction.iter().zip(truth) {
        let (p, t) = (p.as_chunks::<LANES>().0, t.as_chunks::<LANES>().0);
        let mut in_run = [0; LANES];
        for (p, t) in p.iter().zip(t) {
            for lane in 0..LANES {
                in_run[lane] = in_run[lane].max(p[lane]).max(t[lane]);
            }
        }
        if in_run == [0; LANES] {
            continue;
        }
        for lane in 0..LANES {
            largest[lane] = largest[lane].max(in_run[lane]);
        }
        for (p, t) in p.iter().zip(t) {
            let mut found = [0; LANES];
            for lane in 0..LANES {
                found[lane] = p[lane].wrapping_mul(FEW).wrapping_add(t[lane]);
            }
            for (counts, code) in counts.iter_mut().zip(codes) {
                for lane in 0..LANES {
                    counts[lane] = counts[lane].wrapping_add(u8::from(found[lane] == code));
                }
            }
        }
    }
    if largest.iter().any(|&label| label >= labels) {
        return None;
    }
    let mut few = Few::default();
    for (counts, code) in counts.iter().zip(codes) {
        few[usize::from(code)] = counts.iter().map(|&count| u64::from(count)).sum();
    }
    few[0] = (prediction.len() * RUN) as u64 - few.iter().sum::<u64>();
    Some(few)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_emptied_before_their_cells_are_full() {
        let labels = [200; 4 * RUN];
        let mut tally = Tally { labels: Labels::Many, ..Tally::default() };
        tally.take(&labels, &labels);
        // As after so many voxels.
        tally.in_tables = u32::MAX - 3 * RUN as u32;
        tally.take(&labels, &labels);
        assert_eq!((tally.in_tables, tally.pairs[&[200, 200]]), (4 * RUN as u32, 4 * RUN as u64));
        assert_eq!(tally.finish(), BTreeMap::from([([200, 200], 8 * RUN as u64)]));
    }
}
