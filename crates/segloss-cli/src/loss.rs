//! `segloss loss`: any loss on arrays.

use std::path::{Path, PathBuf};

use segloss::loss::Measure;
use segloss::{Activation, Batch, Loss, Map, Pool, Problem, Reduction, Shape};
use segloss_files::number;
use serde::Serialize;

use crate::args::{self, Format};
use crate::array::Array;
use crate::engine::{Engine, Numbers};
use crate::failure::Failure;
use crate::output::{Pending, check_places};
use crate::progress::Progress;
use crate::report;
use crate::spec;

/// What is printed. A value that is not a number is `None`.
#[derive(Serialize)]
struct Evaluation {
    value: Option<f64>,
    terms: Vec<Term>,
    gradient_peak: Option<f64>,
    gradient: Option<String>,
    map: Option<String>,
    shape: Vec<usize>,
    adapter: String,
    computed_by: &'static str,
}

#[derive(Serialize)]
struct Term {
    measure: &'static str,
    weight: f64,
    value: Option<f64>,
    /// Which rows of an overlap share a value.
    pool: Option<Pool>,
    reduction: Reduction,
    /// An overlap's values before the reduction, in the order of samples, and of classes within a sample.
    values: Vec<Option<f64>>,
}

/// The arrays of an evaluation.
struct Arrays {
    /// The input's.
    shape: Shape,
    input: Array,
    target: Array,
    mask: Option<Array>,
    weight: Option<Array>,
}

/// The report, and the result files that wait for their names.
pub(crate) fn run(args: &args::Loss, adapter: Option<&str>) -> Result<(String, Vec<Pending>), Failure> {
    let outputs: Vec<&Path> = [&args.gradient, &args.map].into_iter().flatten().map(PathBuf::as_path).collect();
    let optional = [&args.mask, &args.weight].into_iter().flatten();
    let inputs: Vec<&Path> =
        [&args.spec, &args.input, &args.target].into_iter().chain(optional).map(PathBuf::as_path).collect();
    check_places(&outputs, &inputs)?;
    let mut arrays = Arrays::read(args)?;
    let shape = arrays.shape.clone();
    let loss = spec::read(&args.spec, &Problem::new(shape.clone()))?;
    if args.map.is_some() && !loss.is_voxel_map() {
        return Err(Failure::file(
            &args.spec,
            "this loss has no value for every voxel to write to --map; expected a cross-entropy with the reduction none",
        ));
    }
    arrays.check_intervals(&loss)?;
    let batch = arrays.batch(args.gradient.is_some())?;
    segloss::scratch_size(&loss, batch.problem()).map_err(|error| Failure::file(&args.spec, error))?;
    let create = |path: &PathBuf| Pending::create(path);
    let gradient = args.gradient.as_ref().map(create).transpose()?;
    let map = args.map.as_ref().map(create).transpose()?;

    let engine = Engine::choose(adapter)?;
    let mut numbers = engine.evaluate(&loss, &batch)?;
    // A value a voxel has no class axis.
    let map_dims = match loss.map_reduction() {
        Some(Reduction::PerVoxel) => [&shape.dims()[..1], &shape.dims()[2..]].concat(),
        _ => shape.dims().to_vec(),
    };
    let mut files = vec![];
    files.extend(write(gradient, shape.dims(), numbers.gradient.take())?);
    files.extend(write(map, &map_dims, numbers.voxel_map.take())?);
    let evaluation = evaluation(args, &loss, &shape, &engine, &numbers);
    let report = match args.format {
        Format::Json => report::json(&evaluation)?,
        Format::Table => table(&evaluation, if is_score(&loss) { "score" } else { "loss" }),
    };
    Ok((report, files))
}

impl Arrays {
    fn read(args: &args::Loss) -> Result<Self, Failure> {
        let _progress = Progress::new("reading");
        let read = |path: &PathBuf| Array::read(path, None);
        let input = read(&args.input)?;
        let shape = Shape::new(&input.dims).map_err(|error| input.failure(error))?;
        let target = read(&args.target)?;
        let mask = args.mask.as_ref().map(read).transpose()?;
        let weight = args.weight.as_ref().map(read).transpose()?;
        let one_a_voxel = one_a_voxel(&shape);
        if one_a_voxel.contains(&target.dims) && target.dims != input.dims {
            let (found, expected, remark) = (&target.dims, &input.dims, spec::NO_LABELS);
            return Err(target.failure(format!("its shape {found:?} has no classes; expected {expected:?} ({remark})")));
        }
        expect_shape(&target, &input, std::slice::from_ref(&input.dims))?;
        if let Some(weight) = &weight {
            let [full, short] = one_a_voxel.clone();
            expect_shape(weight, &input, &[input.dims.clone(), full, short])?;
        }
        if let Some(mask) = &mask {
            expect_shape(mask, &input, &one_a_voxel)?;
            if let Some(bad) = mask.values.iter().position(|&m| m != 0.0 && m != 1.0) {
                let (value, position) = (number(mask.values[bad]), mask.position(bad));
                return Err(mask.failure(format!("the value {value} at {position:?} is neither 0 nor 1")));
            }
        }
        Ok(Self { shape, input, target, mask, weight })
    }

    /// Refuses targets, and the input of a term without an activation, where they count and are no probabilities.
    fn check_intervals(&mut self, loss: &Loss) -> Result<(), Failure> {
        let (mask, dims) = (self.mask.as_ref(), &self.input.dims);
        let elements: usize = dims[1..].iter().product();
        let voxels: usize = dims[2..].iter().product();
        let counts =
            |index: usize| mask.is_none_or(|mask| mask.values[index / elements * voxels + index % voxels] != 0.0);
        self.target.confine_to_unit_interval(counts, "expected targets from 0 to 1")?;
        if loss.terms.iter().any(|term| matches!(term.activation, Activation::None | Activation::Normalized)) {
            let expected = "the loss takes probabilities; if these are logits, say so where it can be said (sigmoid or \
                softmax of MONAI's params, the activation of a term), or choose a loss that takes those \
                (BCEWithLogitsLoss of pytorch)";
            self.input.confine_to_unit_interval(counts, expected)?;
        }
        Ok(())
    }

    fn batch(&self, gradient: bool) -> Result<Batch<'_>, Failure> {
        let mut batch = Batch::new(&self.shape, &self.input.values, &self.target.values)?;
        if let Some(mask) = &self.mask {
            batch = batch.with_mask(&mask.values)?;
        }
        if let Some(weight) = &self.weight {
            batch = if weight.dims == self.input.dims {
                batch.with_voxel_weights(&weight.values)?
            } else {
                batch.with_weights_per_voxel(&weight.values)?
            };
        }
        Ok(if gradient { batch.with_gradient() } else { batch })
    }
}

/// The shapes of what has one number a voxel: with a class axis of 1 and without.
fn one_a_voxel(shape: &Shape) -> [Vec<usize>; 2] {
    let (samples, spatial) = (shape.samples(), &shape.dims()[2..]);
    [[&[samples, 1], spatial].concat(), [&[samples], spatial].concat()]
}

fn expect_shape(array: &Array, input: &Array, allowed: &[Vec<usize>]) -> Result<(), Failure> {
    if allowed.contains(&array.dims) {
        return Ok(());
    }
    let mut allowed: Vec<_> = allowed.iter().map(|dims| format!("{dims:?}")).collect();
    // Of a single class the first two.
    allowed.dedup();
    // [N, spatial…, C] in the place of [N, C, spatial…].
    let classes_first = array.dims.len().checked_sub(1).filter(|last| *last > 1).map(|last| {
        let dims = &array.dims;
        [&dims[..1], &dims[last..], &dims[1..last]].concat()
    });
    let remark = if classes_first == Some(input.dims.clone()) {
        "; its classes seem to be last: move them to the second axis"
    } else {
        ""
    };
    Err(array.failure(format!(
        "its shape is {:?}; expected {}, since {} is {:?}{remark}",
        array.dims,
        allowed.join(" or "),
        input.path.display(),
        input.dims
    )))
}

/// Writes a result file, if it is wanted.
fn write(file: Option<Pending>, dims: &[usize], values: Option<Vec<f32>>) -> Result<Option<Pending>, Failure> {
    let (Some(mut file), Some(values)) = (file, values) else { return Ok(None) };
    file.write(dims, values)?;
    Ok(Some(file))
}

fn evaluation(args: &args::Loss, loss: &Loss, shape: &Shape, engine: &Engine, numbers: &Numbers) -> Evaluation {
    let finite = |value: f64| value.is_finite().then_some(value);
    let term = |(index, term): (usize, &segloss::loss::Term)| {
        let (measure, pool) = match &term.measure {
            Measure::Overlap(overlap) => ("overlap", Some(overlap.pool)),
            Measure::BinaryCrossEntropy(_) => ("binary_cross_entropy", None),
            Measure::CrossEntropy(_) => ("cross_entropy", None),
            Measure::Focal(_) => ("focal", None),
            Measure::Wasserstein(_) => ("wasserstein", Some(term.pool())),
        };
        Term {
            measure,
            weight: term.weight,
            value: finite(numbers.terms[index]),
            pool,
            reduction: term.reduction(),
            values: numbers.groups[index].iter().copied().map(finite).collect(),
        }
    };
    let written = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    Evaluation {
        value: finite(numbers.value),
        terms: loss.terms.iter().enumerate().map(term).collect(),
        gradient_peak: numbers.gradient_peak.and_then(finite),
        gradient: written(&args.gradient),
        map: written(&args.map),
        shape: shape.dims().to_vec(),
        adapter: engine.adapter(),
        computed_by: engine.kind(),
    }
}

/// Whether the value is a coefficient, the more the better.
fn is_score(loss: &Loss) -> bool {
    let is_score = |term: &segloss::loss::Term| matches!(&term.measure, Measure::Overlap(o) if o.map == Map::Score);
    loss.terms.iter().all(is_score)
}

/// Whose value that of a group is.
fn label(pool: Pool, group: usize, classes: usize) -> String {
    match pool {
        Pool::None => format!("sample {}, class {}", group / classes, group % classes),
        Pool::Batch => format!("class {group}"),
        Pool::Classes => format!("sample {group}"),
        Pool::All => "all samples and classes".to_owned(),
    }
}

/// What the axes were taken for: a plain image is easily mistaken for samples and classes.
fn axes(shape: &[usize]) -> String {
    let spatial: Vec<_> = shape[2..].iter().map(usize::to_string).collect();
    let spatial =
        if spatial.is_empty() { "no spatial axes".to_owned() } else { format!("spatial {}", spatial.join("×")) };
    format!("N {}, C {}, {spatial}", shape[0], shape[1])
}

fn table(evaluation: &Evaluation, heading: &str) -> String {
    let value_of = |value: Option<f64>| value.map_or("not a number".to_owned(), |v| report::fixed(v, 9));
    let mut rows = vec![(heading.to_owned(), value_of(evaluation.value))];
    let values = || evaluation.terms.iter().flat_map(|term| &term.values);
    let empty = values().filter(|value| value.is_none()).count();
    if empty > 0 {
        let of = values().count();
        rows.push((
            "why".to_owned(),
            format!("{empty} of {of} scores are 0/0, nothing against nothing; smoothing gives them a number"),
        ));
    }
    for term in &evaluation.terms {
        if evaluation.terms.len() > 1 {
            rows.push((format!("{} × {}", number(term.weight), term.measure), value_of(term.value)));
        }
        if let (Some(pool), Reduction::None) = (term.pool, term.reduction) {
            let labelled = |(group, &value): (usize, &Option<f64>)| {
                (format!("{}, {}", term.measure, label(pool, group, evaluation.shape[1])), value_of(value))
            };
            rows.extend(term.values.iter().enumerate().map(labelled));
        }
    }
    if let Some(peak) = evaluation.gradient_peak {
        rows.push(("largest gradient".to_owned(), format!("{peak:.6e}")));
    }
    for (what, path) in [("gradient", &evaluation.gradient), ("map", &evaluation.map)] {
        if let Some(path) = path {
            rows.push((format!("{what} in"), path.clone()));
        }
    }
    rows.push(("shape".to_owned(), axes(&evaluation.shape)));
    rows.push(("adapter".to_owned(), evaluation.adapter.clone()));
    report::table(rows.into_iter().map(|(name, text)| [name, text]))
}
