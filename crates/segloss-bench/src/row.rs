//! One line of the table: a case at a size in a direction.

use segloss::wgpu::CommandEncoder;
use segloss::{Gpu, Output};
use serde::Serialize;

use crate::clock::{Clock, wait};
use crate::workload::Workload;
use crate::{Case, Copy, Failure};

/// What is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The value: reads logits and targets.
    Forward,
    /// From the sums to the gradient: reads logits and targets, writes the gradient.
    Gradient,
    /// Value and gradient: reads everything twice.
    Both,
}

impl Direction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Forward, Self::Gradient, Self::Both];

    /// The bytes that must move: each direction reads [every logit](Case::logit_reads) and every target, in their formats, the
    /// gradient is written in the logits'.
    #[must_use]
    pub fn bytes(self, case: &Case, voxels: usize) -> u64 {
        let written = case.logits_bytes(voxels);
        let read = case.logit_reads() * case.logits_bytes(voxels) + case.targets_bytes(voxels);
        match self {
            Self::Forward => read,
            Self::Gradient => read + written,
            Self::Both => read + read + written,
        }
    }
}

/// A measurement. Times are medians.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The adapter's name and backend.
    pub adapter: String,
    /// The case's name.
    pub case: &'static str,
    /// Voxels: the elements of one class.
    pub voxels: u64,
    /// What was evaluated.
    pub direction: Direction,
    /// Time on the device, where it has a clock.
    pub device_ms: Option<f64>,
    /// Time from recording until the host has the value.
    pub wall_ms: f64,
    /// Bytes that must move between memory and the processors.
    pub bytes: u64,
    /// These over the time on the device, or over the wall time where that has no clock.
    pub gb_per_s: f64,
    /// The same over that of a copy from buffer to buffer which moves as many bytes.
    pub share_of_copy: f64,
    /// Device memory beyond inputs and gradient.
    pub extra_device_bytes: u64,
    /// How often a direction counts each logit among the bytes: see [`Case::logit_reads`].
    pub logit_reads: u64,
}

/// Rounds of measurement, and how long to go on with them.
const ROUNDS: std::ops::RangeInclusive<usize> = 7..=200;
const ENOUGH: std::time::Duration = std::time::Duration::from_millis(600);

/// A case at a size in every direction.
#[derive(Clone, Debug)]
pub struct Measured {
    /// A row a direction.
    pub rows: Vec<Row>,
    /// How long planning took: see [`Workload::first_use_ms`].
    pub first_use_ms: f64,
}

/// Measures a case at a size in every direction, in turns with the copy.
///
/// # Errors
/// [`Failure`]: if it does not fit, is wrong, or cannot be evaluated.
pub fn measure(gpu: &Gpu, case: &Case, voxels: usize) -> Result<Measured, Failure> {
    let workload = Workload::new(gpu, case, voxels)?;
    let clock = Clock::new(gpu);
    let rows = Direction::ALL.into_iter().map(|direction| row(gpu, case, voxels, direction, &workload, &clock));
    Ok(Measured { rows: rows.collect::<Result<_, _>>()?, first_use_ms: workload.first_use_ms() })
}

fn row(
    gpu: &Gpu,
    case: &Case,
    voxels: usize,
    direction: Direction,
    workload: &Workload,
    clock: &Clock,
) -> Result<Row, Failure> {
    let bytes = direction.bytes(case, voxels);
    let copy = Copy::new(gpu, bytes);
    let record = |encoder: &mut CommandEncoder| workload.record(direction, encoder);
    let mut output = Output::default();
    let [mut device, mut wall, mut copy_device, mut copy_wall] = [const { vec![] }; 4];
    let start = std::time::Instant::now();
    // The first round warms up.
    for round in 0..=*ROUNDS.end() {
        let times = (
            clock.device(record)?,
            clock.wall(record, || workload.read(direction, &mut output))?,
            clock.device(|encoder| copy.record(encoder))?,
            clock.wall(|encoder| copy.record(encoder), || wait(gpu))?,
        );
        if round > 0 {
            device.extend(times.0);
            wall.push(times.1);
            copy_device.extend(times.2);
            copy_wall.push(times.3);
        }
        if round >= *ROUNDS.start() && start.elapsed() > ENOUGH {
            break;
        }
    }
    let device_ms = median(&mut device);
    let wall_ms = median(&mut wall).unwrap_or_default();
    let (own, copied) = match (device_ms, median(&mut copy_device)) {
        (Some(own), Some(copied)) => (own, copied),
        _ => (wall_ms, median(&mut copy_wall).unwrap_or_default()),
    };
    let info = gpu.adapter_info();
    Ok(Row {
        adapter: format!("{} ({})", info.name, info.backend),
        case: case.name,
        voxels: voxels as u64,
        direction,
        device_ms,
        wall_ms,
        bytes,
        gb_per_s: bytes as f64 / own * 1e-6,
        share_of_copy: copied / own,
        extra_device_bytes: workload.extra_device_bytes(direction),
        logit_reads: case.logit_reads(),
    })
}

fn median(times: &mut [f64]) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}
