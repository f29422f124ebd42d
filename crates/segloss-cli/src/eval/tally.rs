//! Counts of pairs of bytes.

use std::collections::BTreeMap;

use multiversion::multiversion;

/// Pairs that are looked at together: few enough that some blocks have one label only, and that all stay in the nearest cache.
const BLOCK: usize = 1024;

/// Labels below this are counted pair by pair of them, many voxels at once.
const FEW: u8 = 4;

/// All pairs of few labels: those that agree first, since most voxels do, and what is left over may soon be nothing.
const PAIRS: [[u8; 2]; (FEW as usize) * (FEW as usize)] = [
    [0, 0],
    [1, 1],
    [2, 2],
    [0, 1],
    [1, 0],
    [2, 1],
    [1, 2],
    [0, 2],
    [2, 0],
    [3, 3],
    [0, 3],
    [3, 0],
    [1, 3],
    [3, 1],
    [2, 3],
    [3, 2],
];

/// Neighbours of which, where there are many labels, most are still equal.
const RUN: usize = 64;

/// Pairs of prediction and truth, counted.
///
/// A table of counts has to wait for the same cell again and again. Where there are few labels it is quicker to compare all voxels
/// with every pair of labels there can be, in vectors.
#[derive(Default)]
pub(super) struct Tally {
    /// In the order of `PAIRS`.
    few: [u64; PAIRS.len()],
    /// By prediction and truth, made when needed; two in turns, so that an addition seldom waits for the one before.
    tables: [Vec<u64>; 2],
}

impl Tally {
    /// Takes in as many predictions as truths.
    pub(super) fn take(&mut self, prediction: &[u8], truth: &[u8]) {
        for (p, t) in prediction.chunks(BLOCK).zip(truth.chunks(BLOCK)) {
            let bits = [bits(p), bits(t)];
            if bits[0] | bits[1] < FEW {
                self.take_few(p, t, bits);
            } else {
                self.take_many(p, t);
            }
        }
    }

    /// All pairs with how often they were taken in.
    pub(super) fn finish(self) -> BTreeMap<[u8; 2], u64> {
        let few = PAIRS.into_iter().zip(self.few);
        let of_cell = |(cell, count)| ([(cell >> 8) as u8, cell as u8], count);
        let many = self.tables.into_iter().flat_map(|table| table.into_iter().enumerate().map(of_cell));
        let mut pairs = BTreeMap::new();
        // A pair may be among the few of one block and among the many of another.
        for (pair, count) in few.chain(many).filter(|(_, count)| *count > 0) {
            *pairs.entry(pair).or_default() += count;
        }
        pairs
    }

    /// Labels with no bits but these.
    fn take_few(&mut self, prediction: &[u8], truth: &[u8], [p_bits, t_bits]: [u8; 2]) {
        let mut codes = [0; BLOCK];
        let codes = &mut codes[..prediction.len()];
        if p_bits | t_bits != 0 {
            encode(prediction, truth, codes);
        }
        let mut left = prediction.len() as u64;
        for (count, [p, t]) in self.few.iter_mut().zip(PAIRS) {
            if left > 0 && p & !p_bits == 0 && t & !t_bits == 0 {
                let found = occurrences(FEW * p + t, codes);
                *count += found;
                left -= found;
            }
        }
    }

    fn take_many(&mut self, prediction: &[u8], truth: &[u8]) {
        for table in &mut self.tables {
            table.resize(1 << 16, 0);
        }
        let cell = |p: u8, t: u8| usize::from(p) << 8 | usize::from(t);
        for (p, t) in prediction.chunks(RUN).zip(truth.chunks(RUN)) {
            let (first_p, first_t) = (p[0], t[0]);
            let differences = p.iter().zip(t).fold(0, |all, (&p, &t)| all | (p ^ first_p) | (t ^ first_t));
            if differences == 0 {
                self.tables[0][cell(first_p, first_t)] += p.len() as u64;
                continue;
            }
            for (index, (&p, &t)) in p.iter().zip(t).enumerate() {
                self.tables[index % 2][cell(p, t)] += 1;
            }
        }
    }
}

/// All bits of all bytes.
#[multiversion(targets("x86_64+avx2"))]
fn bits(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |bits, &byte| bits | byte)
}

/// FEW·prediction + truth.
#[multiversion(targets("x86_64+avx2"))]
fn encode(prediction: &[u8], truth: &[u8], codes: &mut [u8]) {
    for ((code, &p), &t) in codes.iter_mut().zip(prediction).zip(truth) {
        *code = FEW * p + t;
    }
}

/// How often a byte occurs.
#[multiversion(targets("x86_64+avx2"))]
fn occurrences(wanted: u8, codes: &[u8]) -> u64 {
    // So many at a time that a byte holds their number: then the compiler adds up bytes side by side.
    codes
        .chunks(128)
        .map(|chunk| u64::from(chunk.iter().fold(0_u8, |count, &code| count + u8::from(code == wanted))))
        .sum()
}
