//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, Subcommand, ValueEnum};
use segloss_surface::Definition;

use crate::eval::{Channels, Empty, Kind, NpzOrder};

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
    /// Score predicted segmentations against the truth: two files, or two folders
    Eval(Eval),
    /// Evaluate any loss on arrays
    Loss(Loss),
    /// Measure how fast losses are on an adapter, beside a plain copy
    Bench(Bench),
    /// List the adapters and say which one is used
    Adapters(Adapters),
    /// Print the script that completes arguments in a shell
    Completions(Completions),
    /// Print the manual page, in roff
    Man,
}

const EVAL_HELP: &str = "\
Files: NIfTI-1 (.nii, .nii.gz; its scaling is applied), NumPy (.npy, .npz), grey or palette images (.png, .tif). They hold
label maps, masks (0 and 1, or black and white), probabilities of one class, or one channel for each class (4-D NIfTI,
[C, ...] arrays): one-hot masks and probabilities that add up to 1 are made label maps by the largest, others one mask a
channel by the threshold. What a file holds is told by its numbers; --as and --channels override it.

Files of two folders, and of the folders in them, belong together by their names without endings, and without what says their
role, such as _0000, _seg, _dseg, _pred, _gt or _mask. Files without a partner are listed.

Predicted probabilities or logits of one class also score softly: soft Dice and cross-entropy of the class of label 1, on the
GPU. Masks are counted as they are read, on the CPU: exact integers.

Surface metrics: MONAI's definition takes a mask's outermost voxels, as monai.metrics does; DeepMind's the areas between
voxels, as its surface-distance package does. Distances are in mm where files or --spacing say how large voxels are, else
in voxels.

Exit codes: 0, all is scored; 1, some files could not be scored or have no partner; 2, nothing could be done.

Examples:
  segloss eval predicted.nii.gz truth.nii.gz --threshold 0.4 --format json
  segloss eval predicted/ truth/ --classes dataset.json --surface --tolerance 2 --report report.html
  segloss eval predicted/ truth/ --format json --output summary.json";

/// Arguments of `segloss eval`.
#[derive(clap::Args)]
#[command(after_help = EVAL_HELP)]
pub(crate) struct Eval {
    /// What was predicted: a file or a folder of files
    pub(crate) prediction: PathBuf,
    /// The truth: a file or a folder of files
    pub(crate) truth: PathBuf,
    /// The prediction holds logits: p = 1/(1 + e^-z); of several channels, the largest is the class
    #[arg(long)]
    pub(crate) logits: bool,
    /// The probability above which a voxel is foreground, in prediction and truth [default: 0.5]
    #[arg(long, value_name = "P", value_parser = threshold)]
    pub(crate) threshold: Option<f64>,
    /// What the numbers of the files are
    #[arg(long = "as", value_name = "KIND", value_enum, default_value_t = Kind::Auto)]
    pub(crate) kind: Kind,
    /// Where files have one channel for each class
    #[arg(long, value_enum, default_value_t = Channels::Auto)]
    pub(crate) channels: Channels,
    /// Names of the classes: nnU-Net's dataset.json (regions too), {"name": label}, {"label": "name"} or ["name", ...]
    #[arg(long, value_name = "FILE.json")]
    pub(crate) classes: Option<PathBuf>,
    /// Label 0 is a class, too
    #[arg(long)]
    pub(crate) background: bool,
    /// Voxels with this true label do not count [default: the label "ignore" of --classes]
    #[arg(long, value_name = "LABEL", allow_negative_numbers = true)]
    pub(crate) ignore_label: Option<i32>,
    /// What Dice and IoU are where masks are empty
    #[arg(long, value_enum, default_value_t = Empty::Nan)]
    pub(crate) empty: Empty,
    /// Also measure the distances between surfaces
    #[arg(long, value_name = "DEFINITION", value_enum, num_args = 0..=1, require_equals = true,
          default_missing_value = "monai")]
    pub(crate) surface: Option<Surfaces>,
    /// How far apart surfaces count as the same in the normalised surface Dice, in mm
    #[arg(long, value_name = "MM", default_value_t = 1.0, value_parser = length, requires = "surface")]
    pub(crate) tolerance: f64,
    /// The size of a voxel along every axis, in mm [default: what the files say]
    #[arg(long, value_name = "MM", value_delimiter = ',', value_parser = positive)]
    pub(crate) spacing: Option<Vec<f64>>,
    /// Compare voxels as they are stored, even where headers say that they lie elsewhere
    #[arg(long)]
    pub(crate) any_space: bool,
    /// Files without a partner are no failure
    #[arg(long)]
    pub(crate) subset: bool,
    /// The array of .npz files to read [default: the only one, or probabilities, softmax, arr_0]
    #[arg(long, value_name = "NAME")]
    pub(crate) npz_key: Option<String>,
    /// Which way round the axes of .npz arrays lie beside NIfTI files
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = NpzOrder::Auto)]
    pub(crate) npz_order: NpzOrder,
    /// The grey value of an image that means 1 [default: white, 255 or 65535]
    #[arg(long, value_name = "GREY", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) png_white: Option<u16>,
    /// How many threads read and count [default: one for every core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// How to print the result; JSON has the keys of nnU-Net's summary.json, for two files as for folders [default: what the
    /// ending of --output says, .json, .csv or .md, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<TableFormat>,
    /// Write the result to a file instead
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Also write a page with tables, box plots and the worst slices, to look at in a browser
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}

impl Eval {
    /// How the result is printed.
    pub(crate) fn format(&self) -> TableFormat {
        let ending = self.output.as_ref().and_then(|path| path.extension()).unwrap_or_default();
        let by_ending = match ending.to_ascii_lowercase().to_str() {
            Some("json") => TableFormat::Json,
            Some("csv") => TableFormat::Csv,
            Some("md") => TableFormat::Markdown,
            _ => TableFormat::Table,
        };
        self.format.unwrap_or(by_ending)
    }

    /// Whether something is asked for that only masks have, or that a page shows of them.
    pub(crate) fn asks_for_masks(&self) -> bool {
        self.report.is_some()
            || self.surface.is_some()
            || self.classes.is_some()
            || self.ignore_label.is_some()
            || self.spacing.is_some()
            || self.background
            || self.empty != Empty::default()
    }
}

/// Usage that has a definition of surfaces where a file is expected.
pub(crate) fn surface_advice(words: &[OsString]) -> Option<String> {
    let is_split = |pair: &&[OsString]| pair[0] == "--surface" && Surfaces::is_name(&pair[1]);
    let split = words.windows(2).find(is_split)?;
    Some(format!("a definition of surfaces is written with an equals sign: --surface={}", split[1].display()))
}

/// Whose definition of surfaces is taken.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Surfaces {
    Monai,
    Deepmind,
}

impl Surfaces {
    /// Whether a word is the name of a definition.
    pub(crate) fn is_name(word: &OsStr) -> bool {
        word.to_str().is_some_and(|word| Self::from_str(word, true).is_ok())
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Monai => "MONAI",
            Self::Deepmind => "DeepMind",
        }
    }
}

impl From<Surfaces> for Definition {
    fn from(surfaces: Surfaces) -> Self {
        match surfaces {
            Surfaces::Monai => Self::Monai,
            Surfaces::Deepmind => Self::DeepMind,
        }
    }
}

const LOSS_HELP: &str = "\
Arrays have the shape [N, C, spatial...], a mask has [N, 1, spatial...] or [N, spatial...]. They are .npy files, or
NIfTI or PNG files as `segloss eval` reads them, where their axes happen to be these. Targets are dense, a number for
every class: label maps and arrays with the classes last are not read yet. Results are .npy files: all are in place
when the report is printed; where one cannot be written or the report fails, new ones are removed.
The specification is a peer's loss by name, or a loss in the library's own terms:

  {\"peer\": \"pytorch\", \"loss\": \"BCEWithLogitsLoss\", \"params\": {\"reduction\": \"sum\"}}
  {\"peer\": \"monai\", \"loss\": \"DiceFocalLoss\", \"params\": {\"sigmoid\": true, \"gamma\": 1.5}}
  {\"terms\": [{\"measure\": {\"overlap\": {\"smooth_numerator\": 1, \"smooth_denominator\": 1}}},
             {\"weight\": 0.5, \"measure\": {\"binary_cross_entropy\": {}}}]}

Peers and their losses, whose parameters have the names and defaults that they have there:
  pytorch      dice_coeff, SoftDiceLoss, BCELoss2d, BCELoss, BCEWithLogitsLoss, CrossEntropyLoss
  keras        dice_coef, dice_coef_loss, Dice, Tversky, BinaryCrossentropy, BinaryFocalCrossentropy,
               CategoricalCrossentropy, CategoricalFocalCrossentropy, SparseCategoricalCrossentropy*
  tensorlayer  dice_coe, dice_hard_coe, iou_coe
  monai        DiceLoss, MaskedDiceLoss, GeneralizedDiceLoss, TverskyLoss, MCCLoss, DiceCELoss, DiceFocalLoss,
               GeneralizedDiceFocalLoss, FocalLoss, GeneralizedWassersteinDiceLoss*
  nnunet       SoftDiceLoss, MemoryEfficientSoftDiceLoss, RobustCrossEntropyLoss*, DC_and_CE_loss*,
               DC_and_BCE_loss, DC_and_topk_loss (refused)
  smp          DiceLoss, JaccardLoss, TverskyLoss, FocalLoss, SoftBCEWithLogitsLoss, SoftCrossEntropyLoss*, MCCLoss
  kornia       DiceLoss*, TverskyLoss*, FocalLoss*, BinaryFocalLossWithLogits
Those with a * take label maps only, as do smp's with the mode multiclass: they are for the library. Whether a loss
takes logits or probabilities is said by the tables in docs/peers.md.

A term of a loss in the library's own terms has
  weight      a factor [1]
  activation  \"sigmoid\" (the input holds logits), \"softmax\" (over the classes) or \"none\" (probabilities), among
              others [\"sigmoid\"]
  classes     \"all\", \"foreground\" (all but class 0) or {\"only\": [1, 2]} [\"all\"]
  measure     overlap: squared, factor, alpha, beta, smooth_numerator, smooth_denominator, floor, pool, map,
              reduction, threshold and more; binary_cross_entropy: positive_weights, reduction and more;
              cross_entropy (with the activation \"softmax\"); focal: gamma and more
where
  pool        adds up rows before a score s is taken: \"none\" (one for every sample and class), \"batch\" (for
              every class), \"classes\" (for every sample) or \"all\" (one) [\"none\"]
  map         \"complement\" (1 - s), \"score\" (s), \"negated\" (-s), {\"neg_log\": {\"eps\": 1e-7}} (-ln s) or
              {\"power\": {\"gamma\": 0.75}} ((1 - s)^gamma) [\"complement\"]
  reduction   \"mean\", \"sum\" or \"none\" [\"mean\"]
The library's documentation of `loss` says what each means, what else there is and what it defaults to.

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
    /// Targets in [0, 1], dense, of the input's shape
    #[arg(long, value_name = "Y.npy")]
    pub(crate) target: PathBuf,
    /// Which voxels count: 1 or 0
    #[arg(long, value_name = "M.npy")]
    pub(crate) mask: Option<PathBuf>,
    /// Weights: one for every element, of the input's shape, or one for every voxel, of the mask's
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
  case         the loss, its activation, the classes where there are several, the formats of logits and targets: f32,
               f16, bits, or u8 for labels of a byte; \"4-labels\" has a dense target for each of four classes
  voxels       elements of one class: a case of 105 classes has 105 times as many logits
  direction    forward (the value), gradient (from the sums on), both
  device       time on the device, where the adapter has a clock
  wall         time from recording until the host has the value
  GB/s         bytes that must move (each logit and target read once a direction, each gradient element written once, in
               their formats: f16 is 2 bytes, a label 1 byte a voxel, a bit 1/8 byte) over the time on the device, or
               the wall time
  of copy      the same over that of a copy between two buffers that moves as many bytes, timed in turns with the row
  extra        device memory beyond inputs and gradient
  logit reads  how often a direction counts each logit: twice for a softmax of more than 32 classes, whose logits are
               not near any more when they are read again, else once
Times are medians, each of its own column: where the machine is busy, one on the device may exceed one on the wall.
By default it takes some minutes on a software adapter, and 4 GB of memory. What does not fit, in --memory or in the
device's buffers, is left out, and stderr says so. JSON is an array of objects with the keys adapter, case, voxels,
direction, device_ms, wall_ms, bytes, gb_per_s, share_of_copy, extra_device_bytes, logit_reads.

Example:
  segloss bench --voxels 20,24 --format json";

/// Arguments of `segloss bench`.
#[derive(clap::Args)]
#[command(after_help = BENCH_HELP)]
pub(crate) struct Bench {
    /// Sizes, as powers of two between 8 and 31 with commas between them: 20 or 2^20 for 2^20 voxels
    #[arg(long, value_name = "POWER", value_delimiter = ',', default_values_t = [16, 20, 24, 26],
          value_parser = power)]
    pub(crate) voxels: Vec<u32>,
    /// What logits, targets and gradient of a case may take together, in GiB; larger ones are left out
    #[arg(long, value_name = "GIB", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub(crate) memory: u64,
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

/// Arguments of `segloss completions`.
#[derive(clap::Args)]
pub(crate) struct Completions {
    pub(crate) shell: clap_complete::Shell,
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
    Markdown,
}

fn threshold(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        _ => Err("give a number between 0 and 1, such as 0.5".to_owned()),
    }
}

fn power(text: &str) -> Result<u32, String> {
    match text.strip_prefix("2^").unwrap_or(text).parse() {
        Ok(power) if (8..=31).contains(&power) => Ok(power),
        _ => Err("give a power of two between 8 and 31, such as 20 or 2^20".to_owned()),
    }
}

fn length(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        _ => Err("give a length of 0 or more, such as 1.5".to_owned()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match length(text) {
        Ok(value) if value > 0.0 => Ok(value),
        _ => Err("give a length above 0, such as 1.5".to_owned()),
    }
}
