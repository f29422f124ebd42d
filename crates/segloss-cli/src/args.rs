//! The command line.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, Subcommand, ValueEnum};

/// Segmentation losses and overlap metrics, computed on the GPU.
#[derive(Parser)]
#[command(name = "segloss", version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// The adapter to use: its index in `segloss adapters`, or a part of its name [default: the best]
    #[arg(long, global = true, value_name = "INDEX|NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) adapter: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Score a predicted segmentation against the truth
    Eval(Eval),
    /// Evaluate any loss on arrays
    Loss(Loss),
    /// Measure how fast losses are on an adapter, beside a plain copy
    Bench(Bench),
    /// List the adapters and say which one is used
    Adapters(Adapters),
}

const EVAL_HELP: &str = "\
Files: NIfTI-1 (.nii, .nii.gz; its scaling is applied), NumPy (.npy), grey PNG (.png; black is 0, white is 1).
Both files must have the same shape; all voxels are pooled. Voxels are compared as they are stored, nothing is
resampled: where the headers of two NIfTI files disagree on the voxel size or on where the voxels lie in space
(sform, else qform), a warning on stderr says so.

Example:
  segloss eval predicted.nii.gz truth.nii.gz --threshold 0.4 --format json";

/// Arguments of `segloss eval`.
#[derive(clap::Args)]
#[command(after_help = EVAL_HELP)]
pub(crate) struct Eval {
    /// Predicted probabilities in [0, 1], or logits with --logits
    pub(crate) prediction: PathBuf,
    /// The truth: a mask of 0 and 1, or probabilities in [0, 1]
    pub(crate) truth: PathBuf,
    /// The prediction holds logits: p = 1/(1 + e^-z)
    #[arg(long)]
    pub(crate) logits: bool,
    /// The probability above which a voxel is foreground, in prediction and truth
    #[arg(long, value_name = "P", default_value_t = 0.5, value_parser = threshold)]
    pub(crate) threshold: f64,
    /// The grey value of a PNG that means 1 [default: white, 255 or 65535]
    #[arg(long, value_name = "GREY", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) png_white: Option<u16>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

const LOSS_HELP: &str = "\
Arrays have the shape [N, C, spatial...], a mask has [N, 1, spatial...] or [N, spatial...]. They are .npy files, or
NIfTI or PNG files as `segloss eval` reads them, where their axes happen to be these. Results are .npy files:
all are in place when the report is printed; where one cannot be written or the report fails, new ones are removed.
The specification is a peer's loss by name, or a loss in the library's own terms:

  {\"peer\": \"pytorch\", \"loss\": \"BCEWithLogitsLoss\", \"params\": {\"reduction\": \"sum\"}}
  {\"terms\": [{\"measure\": {\"overlap\": {\"smooth_numerator\": 1, \"smooth_denominator\": 1}}},
             {\"weight\": 0.5, \"measure\": {\"binary_cross_entropy\": {}}}]}

Peers, under the names their users know: pytorch (dice_coeff, SoftDiceLoss, BCELoss2d, BCELoss,
BCEWithLogitsLoss), keras (dice_coef, dice_coef_loss), tensorlayer (dice_coe, dice_hard_coe, iou_coe).
SoftDiceLoss, BCELoss2d and BCEWithLogitsLoss take logits, the others probabilities.

A term of a loss in the library's own terms has
  weight      a factor [1]
  activation  \"sigmoid\" (the input holds logits) or \"none\" (probabilities) [\"sigmoid\"]
  measure     overlap: squared, factor, alpha, beta, smooth_numerator, smooth_denominator, floor, pool, map,
              reduction, threshold; or binary_cross_entropy: positive_weights, reduction
where
  pool        adds up rows before a score s is taken: \"none\" (one for every sample and class), \"batch\" (for
              every class), \"classes\" (for every sample) or \"all\" (one) [\"none\"]
  map         \"complement\" (1 - s), \"score\" (s), \"negated\" (-s), {\"neg_log\": {\"eps\": 1e-7}} (-ln s) or
              {\"power\": {\"gamma\": 0.75}} ((1 - s)^gamma) [\"complement\"]
  reduction   \"mean\", \"sum\" or \"none\" [\"mean\"]
The library's documentation of `Overlap` and `BinaryCrossEntropy` says what each means and what it defaults to.

The value of a loss without a reduction is the sum over its values.

Example:
  segloss loss --spec dice_bce.json --input logits.npy --target truth.npy --gradient gradient.npy";

/// Arguments of `segloss loss`.
#[derive(clap::Args)]
#[command(after_help = LOSS_HELP)]
pub(crate) struct Loss {
    /// The loss, a JSON file
    #[arg(long, value_name = "SPEC.json")]
    pub(crate) spec: PathBuf,
    /// Logits, or probabilities in [0, 1], whichever the loss takes
    #[arg(long, value_name = "X.npy")]
    pub(crate) input: PathBuf,
    /// Targets in [0, 1], of the input's shape
    #[arg(long, value_name = "Y.npy")]
    pub(crate) target: PathBuf,
    /// Which voxels count: 1 or 0
    #[arg(long, value_name = "M.npy")]
    pub(crate) mask: Option<PathBuf>,
    /// A weight for every element, of the input's shape
    #[arg(long, value_name = "W.npy")]
    pub(crate) weight: Option<PathBuf>,
    /// Where to write the gradient with respect to the input (f32, the input's shape)
    #[arg(long, value_name = "OUT.npy")]
    pub(crate) gradient: Option<PathBuf>,
    /// Where to write the values of a loss that has one for every voxel (f32, the input's shape)
    #[arg(long, value_name = "OUT.npy")]
    pub(crate) map: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

const BENCH_HELP: &str = "\
Every row is compared with a reference in 64-bit arithmetic, value and every element of the gradient, before it is
timed. Its columns:
  voxels     elements of one class; the last case has four classes
  direction  forward (the value), gradient (from the sums on), both
  device     time on the device, where the adapter has a clock
  wall       time from recording until the host has the value
  GB/s       bytes that must move (each logit and target read once a direction, each gradient element written once)
             over the time on the device, or the wall time
  of copy    the same over that of a copy between two buffers that moves as many bytes, timed in turns with the row
  extra      device memory beyond inputs and gradient
Times are medians, each of its own column: where the machine is busy, one on the device may exceed one on the wall.
By default it takes some minutes on a software adapter, and 4 GB of memory. JSON is an array of objects with the keys
adapter, case, voxels, direction, device_ms, wall_ms, bytes, gb_per_s, share_of_copy, extra_device_bytes.

Example:
  segloss bench --voxels 20,24 --format json";

/// Arguments of `segloss bench`.
#[derive(clap::Args)]
#[command(after_help = BENCH_HELP)]
pub(crate) struct Bench {
    /// Sizes, as powers of two between 8 and 31 with commas between them: 20 for 2^20 voxels
    #[arg(long, value_name = "POWER", value_delimiter = ',', default_values_t = [16, 20, 24, 26],
          value_parser = clap::value_parser!(u32).range(8..=31))]
    pub(crate) voxels: Vec<u32>,
    /// Only cases whose name contains this
    #[arg(long, value_name = "PART")]
    pub(crate) case: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// Arguments of `segloss adapters`.
#[derive(clap::Args)]
pub(crate) struct Adapters {
    /// How to print the list
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    Table,
    Json,
    Csv,
}

fn threshold(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        _ => Err("give a number between 0 and 1, such as 0.5".to_owned()),
    }
}
