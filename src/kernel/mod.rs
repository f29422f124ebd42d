//! The kernels: which WGSL files make a shader, and the pipelines made of them.
//!
//! WGSL declarations may stand in any order, so concatenation is the linker: a [`Variant`] selects one file
//! per seam, `override` constants carry the numbers. What cannot be a file is the declaration of a data
//! binding, since its access mode is a property of the caller's buffers; [`slot`] writes those lines.

pub(crate) mod slot;
#[cfg(test)]
mod tests;

use self::slot::{Access, Reach, Slot, Storage, Width};
use crate::geometry::Grain;
use crate::loss::MAX_STATISTICS;
use crate::{ByteScale, LogitsFormat, Loss, Problem, TargetFormat, params};

/// Names and texts of WGSL files.
macro_rules! files {
    ($($name:literal),*) => { vec![$(($name, include_str!(concat!("../../shaders/", $name)))),*] };
}

/// One of the shaders; each is an entry point of the same name in a file of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Accumulate,
    Combine,
    Score,
    Finalize,
    Gradient,
    /// The five others in one dispatch, for small problems.
    Evaluate,
}

impl Stage {
    pub(crate) fn entry_point(self) -> &'static str {
        match self {
            Self::Accumulate => "accumulate",
            Self::Combine => "combine",
            Self::Score => "score",
            Self::Finalize => "finalize",
            Self::Gradient => "gradient",
            Self::Evaluate => "evaluate",
        }
    }
}

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

/// What the voxel-sized data of a problem looks like to the shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Data {
    pub(crate) mask: bool,
    pub(crate) voxel_weights: bool,
    /// Whether `accumulate` writes a voxel map.
    pub(crate) map: bool,
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
        for (kind, statistic) in statistics.iter_mut().zip(loss.statistics()) {
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
            map: loss.is_voxel_map(),
            gradient: problem.gradient,
            logits: problem.logits,
            targets,
            ignores: problem.ignoring(loss.ignore_index).ignored_bits().is_some(),
            statistics,
        }
    }
}

impl Data {
    /// The files of the statistics there are, and in place of the others files that say so.
    fn statistics_files(&self) -> Vec<(&'static str, &'static str)> {
        use params::{activation, statistic};
        let any = |test: &dyn Fn(u32) -> bool| self.statistics.iter().any(|&kind| test(kind));
        let mut files = files!["statistics.wgsl"];
        files.extend(if any(&|kind| (statistic::OVERLAP..=statistic::OVERLAP_HARD).contains(&(kind & 15))) {
            let is_tanh = any(&|kind| kind & !15 == activation::TANH);
            let tanh = if is_tanh { files!["tanh.wgsl"] } else { files!["tanh_none.wgsl"] };
            [files!["overlap.wgsl"], tanh].concat()
        } else {
            files!["overlap_none.wgsl"]
        });
        files.extend(if any(&|kind| kind & 15 >= statistic::CROSS_ENTROPY) {
            let is_focal = any(&|kind| kind & 15 >= statistic::FOCAL_SIDES);
            let focal = if is_focal { files!["focal.wgsl"] } else { files!["focal_none.wgsl"] };
            [files!["pointwise.wgsl"], focal].concat()
        } else {
            files!["pointwise_none.wgsl"]
        });
        files
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
}

impl Variant {
    /// The file that stores a gradient.
    fn gradient_file(&self) -> Vec<(&'static str, &'static str)> {
        match self.data.map(|data| data.logits).unwrap_or_default() {
            LogitsFormat::F32 => files!["gradient_f32.wgsl"],
            LogitsFormat::F16 => files!["gradient_f16.wgsl"],
            LogitsFormat::Bf16 => files!["gradient_bf16.wgsl"],
        }
    }

    /// The files, in the order they are read best.
    pub(crate) fn files(&self) -> Vec<(&'static str, &'static str)> {
        let mut files = files!["params.wgsl", "loss.wgsl"];
        files.extend(match self.team {
            Team::Lane => files!["team_lane.wgsl"],
            Team::Tree => files!["team_tree.wgsl"],
            Team::Subgroup => files!["team_subgroup.wgsl"],
        });
        if let Some(data) = self.data {
            files.extend(files!["numeric.wgsl", "quad.wgsl"]);
            files.extend(data.statistics_files());
            files.extend(files!["unpack.wgsl"]);
            files.extend(match data.logits {
                LogitsFormat::F32 => files!["logits_f32.wgsl"],
                LogitsFormat::F16 => files!["logits_f16.wgsl"],
                LogitsFormat::Bf16 => files!["logits_bf16.wgsl"],
            });
            files.extend(match data.targets {
                TargetFormat::F32 => files!["targets_f32.wgsl"],
                TargetFormat::U8(_) => files!["targets_u8.wgsl"],
                TargetFormat::Bits => files!["targets_bits.wgsl"],
                TargetFormat::Labels(_) => files!["targets_labels.wgsl"],
            });
            files.extend(if data.ignores { files!["ignore_index.wgsl"] } else { files!["ignore_none.wgsl"] });
            files.extend(if data.mask { files!["mask_f32.wgsl"] } else { files!["mask_none.wgsl"] });
            files.extend(if data.voxel_weights {
                files!["voxel_weights_f32.wgsl"]
            } else {
                files!["voxel_weights_none.wgsl"]
            });
            files.extend(files!["load.wgsl", "tile.wgsl"]);
        }
        files.extend(match self.stage {
            Stage::Accumulate if self.writes_map() => {
                files!["cascade.wgsl", "classes.wgsl", "map_f32.wgsl", "accumulate.wgsl"]
            }
            Stage::Accumulate => files!["cascade.wgsl", "map_none.wgsl", "accumulate.wgsl"],
            Stage::Combine => files!["cascade.wgsl", "combine.wgsl"],
            Stage::Score => {
                files!["cascade.wgsl", "classes.wgsl", "numeric.wgsl", "maps.wgsl", "measure.wgsl", "score.wgsl"]
            }
            Stage::Finalize => files!["cascade.wgsl", "classes.wgsl", "numeric.wgsl", "maps.wgsl", "finalize.wgsl"],
            Stage::Gradient => [files!["classes.wgsl"], self.gradient_file(), files!["gradient.wgsl"]].concat(),
            Stage::Evaluate => files![
                "cascade.wgsl",
                "classes.wgsl",
                "maps.wgsl",
                "measure.wgsl",
                "map_none.wgsl",
                "accumulate.wgsl",
                "combine.wgsl",
                "score.wgsl",
                "finalize.wgsl"
            ],
        });
        if self.stage == Stage::Evaluate {
            files.extend(if self.has_output() {
                [self.gradient_file(), files!["gradient.wgsl"]].concat()
            } else {
                files!["gradient_none.wgsl"]
            });
            files.extend(files!["evaluate.wgsl"]);
        }
        files
    }

    fn writes_map(&self) -> bool {
        self.data.is_some_and(|data| data.map)
    }

    /// The bindings it has, in the order of their numbers.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let Some(data) = self.data else {
            return match self.stage {
                Stage::Score | Stage::Finalize => vec![Slot::Params, Slot::Scratch, Slot::Loss, Slot::ClassWeights],
                _ => vec![Slot::Params, Slot::Scratch, Slot::Loss],
            };
        };
        let has = |slot| match slot {
            Slot::Mask => data.mask,
            Slot::VoxelWeights => data.voxel_weights,
            Slot::Output => self.has_output(),
            Slot::ClassWeights => self.stage != Stage::Accumulate || data.map,
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
            Stage::Accumulate => self.writes_map(),
            Stage::Evaluate => self.data.is_some_and(|data| data.gradient),
            stage => stage == Stage::Gradient,
        }
    }

    /// The bits of a data slot's elements.
    fn bits(&self, slot: Slot) -> u32 {
        let Some(data) = self.data else { return 32 };
        match slot {
            Slot::Logits => data.logits.bits(),
            Slot::Targets => data.targets.bits(),
            // A voxel map is f32.
            Slot::Output if self.stage != Stage::Accumulate => data.logits.bits(),
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
        if let Some(data) = self.data {
            let width = self.reach.width.elements();
            source.push_str(&format!("// ---- data bindings\nconst WIDTH: u32 = {width}u;\n"));
            let has = [true, true, data.mask, data.voxel_weights, self.has_output()];
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
        let label = self.stage.entry_point();
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
            entry_point: Some(label),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &self.constants(widths),
                ..Default::default()
            },
            cache,
        })
    }
}
