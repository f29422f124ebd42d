//! The kernels: which WGSL files make a shader, and the pipelines made of them.
//!
//! WGSL declarations may stand in any order, so concatenation is the linker: a [`Variant`] selects one file
//! per seam, `override` constants carry the numbers. What cannot be a file is the declaration of a data
//! binding, since its access mode is a property of the caller's buffers; [`slot`] writes those lines.

mod files;
pub(crate) mod slot;
#[cfg(test)]
mod tests;

use self::slot::{Access, Reach, Slot, Storage, Width};
use crate::geometry::Grain;
use crate::loss::MAX_STATISTICS;
use crate::{ByteScale, LogitsFormat, Loss, Problem, Reduction, TargetFormat, VoxelWeights, params};

/// One of the shaders; each is a function of the same name in a file of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Accumulate,
    Combine,
    Score,
    Finalize,
    Gradient,
    /// `Accumulate`, `Gradient` and what comes before it where classes are seen together.
    AccumulateColumns,
    Coefficients,
    GradientColumns,
    /// The first five in one dispatch, for small problems.
    Evaluate,
}

impl Stage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accumulate => "accumulate",
            Self::Combine => "combine",
            Self::Score => "score",
            Self::Finalize => "finalize",
            Self::Gradient => "gradient",
            Self::AccumulateColumns => "accumulate_columns",
            Self::Coefficients => "coefficients",
            Self::GradientColumns => "gradient_columns",
            Self::Evaluate => "evaluate",
        }
    }
}

/// The name of every shader's entry point.
///
/// Its arguments are the built-in values one by one, not a struct of them: naga's HLSL knows the number of workgroups and the
/// subgroups only there.
pub(crate) const ENTRY_POINT: &str = "start";

/// Who adds up a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Team {
    /// One lane, for short rows.
    Lane,
    /// A workgroup, by a tree in workgroup memory: everywhere.
    Tree,
    /// A workgroup, by its subgroups: where the device has them.
    Subgroup,
}

/// The map that a loss without a reduction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum MapShape {
    None,
    /// A value for every voxel and class.
    Elements,
    /// A value for every voxel.
    Voxels,
}

impl MapShape {
    pub(crate) fn of(loss: &Loss) -> Self {
        match loss.map_reduction() {
            None => Self::None,
            Some(Reduction::PerVoxel) => Self::Voxels,
            Some(_) => Self::Elements,
        }
    }
}

/// What the voxel-sized data of a problem looks like to the shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Data {
    pub(crate) mask: bool,
    pub(crate) voxel_weights: VoxelWeights,
    /// The map that `accumulate` writes.
    pub(crate) map: MapShape,
    /// Whether `evaluate` writes a gradient.
    pub(crate) gradient: bool,
    pub(crate) logits: LogitsFormat,
    pub(crate) targets: TargetFormat,
    /// Whether some value of the targets does not count.
    pub(crate) ignores: bool,
    /// Kinds of the statistics, 0 for none.
    pub(crate) statistics: [u32; MAX_STATISTICS],
}

impl Data {
    pub(crate) fn new(loss: &Loss, problem: &Problem) -> Self {
        let mut statistics = [params::statistic::NO_STATISTIC; MAX_STATISTICS];
        for (kind, statistic) in statistics.iter_mut().zip(&loss.statistics()) {
            *kind = params::kind(statistic);
        }
        // What a byte is worth is a number, not a structure.
        let targets = match problem.targets {
            TargetFormat::U8(_) => TargetFormat::U8(ByteScale::One),
            other => other,
        };
        Self {
            mask: problem.mask,
            voxel_weights: problem.voxel_weights,
            map: MapShape::of(loss),
            gradient: problem.gradient,
            logits: problem.logits,
            targets,
            ignores: problem.ignoring(loss.ignore_index).ignored_bits().is_some(),
            statistics,
        }
    }
}

/// The structure of a shader: everything that selects code. Numbers that only size it are [`Widths`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Variant {
    pub(crate) stage: Stage,
    pub(crate) team: Team,
    /// `None` for the stages that see sums only.
    pub(crate) data: Option<Data>,
    pub(crate) reach: Reach,
}

/// The adapter's widths, see [`Gpu`](crate::Gpu).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Widths {
    /// Lanes of a workgroup that adds up sums together.
    pub(crate) workgroup: u32,
    /// Lanes of a workgroup that reads data, or whose lanes work alone.
    pub(crate) data_workgroup: u32,
    pub(crate) run_lanes: u32,
    pub(crate) min_subgroup: u32,
    /// The widest access.
    pub(crate) access: Width,
    pub(crate) grain: Grain,
    /// After so many iterations an invocation's loops may end.
    pub(crate) iterations: u64,
}

impl Variant {
    fn writes_map(&self) -> bool {
        self.data.is_some_and(|data| data.map != MapShape::None)
    }

    fn measures_distances(&self) -> bool {
        let is_one = |kind: &u32| kind & 15 == params::statistic::WASSERSTEIN;
        self.data.is_some_and(|data| data.statistics.iter().any(is_one))
    }

    /// Whether it is the first stage.
    pub(crate) fn accumulates(&self) -> bool {
        matches!(self.stage, Stage::Accumulate | Stage::AccumulateColumns)
    }

    /// The bindings it has, in the order of their numbers.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let Some(data) = self.data else {
            return match self.stage {
                Stage::Score | Stage::Finalize | Stage::Coefficients => {
                    vec![Slot::Params, Slot::Scratch, Slot::Loss, Slot::ClassWeights]
                }
                _ => vec![Slot::Params, Slot::Scratch, Slot::Loss],
            };
        };
        let has = |slot| match slot {
            Slot::Mask => data.mask,
            Slot::VoxelWeights => data.voxel_weights.is_some(),
            Slot::Output => self.has_output(),
            Slot::ClassWeights => match self.stage {
                Stage::Accumulate | Stage::AccumulateColumns => self.writes_map() || self.measures_distances(),
                stage => stage != Stage::GradientColumns || self.measures_distances(),
            },
            _ => true,
        };
        let bound = |slot: Slot| !matches!(self.access_of(slot), Some(Access::Within(_)));
        Slot::ALL.into_iter().filter(|&slot| has(slot) && bound(slot)).collect()
    }

    /// How many of its bindings are storage buffers.
    pub(crate) fn storage_buffers(&self) -> u32 {
        self.slots().iter().filter(|slot| **slot != Slot::Params).count() as u32
    }

    /// Whether it writes voxel-sized data.
    pub(crate) fn has_output(&self) -> bool {
        match self.stage {
            Stage::Accumulate | Stage::AccumulateColumns => self.writes_map(),
            Stage::Evaluate => self.data.is_some_and(|data| data.gradient),
            stage => matches!(stage, Stage::Gradient | Stage::GradientColumns),
        }
    }

    /// The bits of a data slot's elements.
    fn bits(&self, slot: Slot) -> u32 {
        let Some(data) = self.data else { return 32 };
        match slot {
            Slot::Logits => data.logits.bits(),
            Slot::Targets => data.targets.bits(),
            // A voxel map is f32.
            Slot::Output if !self.accumulates() => data.logits.bits(),
            _ => 32,
        }
    }

    /// How the elements of a slot are stored and reached.
    pub(crate) fn storage(&self, slot: Slot) -> Storage {
        let Some(access) = self.access_of(slot) else { return Storage::WORD };
        let storage = slot.storage(access, self.reach.width, self.bits(slot));
        // Two halves of a word of the output may belong to two lanes, and so may those of what shares its binding.
        let shares_output = slot == Slot::Output || access == Access::Within(Slot::Output);
        let in_halves = self.has_output() && self.bits(Slot::Output) < 32;
        Storage { is_atomic: shares_output && in_halves && storage.width == Width::Word, ..storage }
    }

    /// How a data slot is declared; `None` for the others.
    pub(crate) fn access_of(&self, slot: Slot) -> Option<Access> {
        Slot::DATA.iter().position(|&data| data == slot).map(|index| self.reach.access[index])
    }

    /// The linked shader.
    pub(crate) fn source(&self) -> String {
        let mut source = String::new();
        for (name, text) in self.files() {
            source.push_str(&format!("// ---- {name}\n{text}\n"));
        }
        // The team's file has the entry point, whose arguments depend on the team; it runs the stage.
        source.push_str(&format!("// ---- stage\nfn run(at: Invocation) {{\n    {}(at);\n}}\n", self.stage.name()));
        if let Some(data) = self.data {
            let width = self.reach.width.elements();
            source.push_str(&format!("// ---- data bindings\nconst WIDTH: u32 = {width}u;\n"));
            let has = [true, true, data.mask, data.voxel_weights.is_some(), self.has_output()];
            for (slot, access) in
                Slot::DATA.into_iter().zip(self.reach.access).zip(has).filter(|(_, has)| *has).map(|p| p.0)
            {
                source.push_str(&self.storage(slot).declaration(slot, access));
            }
        }
        source
    }

    /// The lanes of its workgroups.
    pub(crate) fn workgroup(&self, widths: Widths) -> u32 {
        if self.data.is_some() || self.team == Team::Lane { widths.data_workgroup } else { widths.workgroup }
    }

    /// The `override` constants that this shader declares.
    pub(crate) fn constants(&self, widths: Widths) -> Vec<(&'static str, f64)> {
        let workgroup = self.workgroup(widths);
        let mut constants = vec![("WORKGROUP_SIZE", f64::from(workgroup))];
        if self.team == Team::Subgroup {
            constants.push(("MAX_SUBGROUPS", f64::from(workgroup.div_ceil(widths.min_subgroup))));
        }
        if let Some(data) = self.data {
            constants.push(("RUN_LANES", f64::from(widths.run_lanes)));
            let names = ["STATISTIC_0", "STATISTIC_1", "STATISTIC_2", "STATISTIC_3"];
            constants.extend(names.into_iter().zip(data.statistics.map(f64::from)));
        }
        constants
    }

    /// Compiles it.
    pub(crate) fn compile(
        &self,
        device: &wgpu::Device,
        widths: Widths,
        cache: Option<&wgpu::PipelineCache>,
    ) -> wgpu::ComputePipeline {
        let label = self.stage.name();
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(label),
            source: wgpu::ShaderSource::Wgsl(self.source().into()),
        });
        let entries: Vec<_> =
            self.slots().into_iter().map(|slot| slot.layout_entry(self.access_of(slot), self.storage(slot))).collect();
        let bindings =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(label),
            bind_group_layouts: &[Some(&bindings)],
            ..Default::default()
        });
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(label),
            layout: Some(&layout),
            module: &module,
            entry_point: Some(ENTRY_POINT),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &self.constants(widths),
                ..Default::default()
            },
            cache,
        })
    }
}
