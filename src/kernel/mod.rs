//! The kernels: which WGSL files make a shader, and the pipelines made of them.
//!
//! WGSL declarations may stand in any order, so concatenation is the linker: a [`Variant`] selects one file
//! per seam, `override` constants carry the numbers. What cannot be a file is the declaration of a data
//! binding, since its access mode is a property of the caller's buffers; [`slot`] writes those lines.

pub(crate) mod slot;
#[cfg(test)]
mod tests;

use self::slot::{Access, Reach, Slot, Width};
use crate::geometry::Grain;
use crate::loss::MAX_STATISTICS;
use crate::{Loss, Problem, params};

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
    /// Kinds of the statistics, 0 for none.
    pub(crate) statistics: [u32; MAX_STATISTICS],
}

impl Data {
    pub(crate) fn new(loss: &Loss, problem: &Problem) -> Self {
        let mut statistics = [params::statistic::NO_STATISTIC; MAX_STATISTICS];
        for (kind, statistic) in statistics.iter_mut().zip(loss.statistics()) {
            *kind = params::kind(statistic);
        }
        let (mask, voxel_weights) = (problem.mask, problem.voxel_weights);
        Self { mask, voxel_weights, map: loss.is_voxel_map(), gradient: problem.gradient, statistics }
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
    /// The files, in the order they are read best.
    pub(crate) fn files(&self) -> Vec<(&'static str, &'static str)> {
        macro_rules! files {
            ($($name:literal),*) => { vec![$(($name, include_str!(concat!("../../shaders/", $name)))),*] };
        }
        let mut files = files!["params.wgsl"];
        files.extend(match self.team {
            Team::Lane => files!["team_lane.wgsl"],
            Team::Tree => files!["team_tree.wgsl"],
            Team::Subgroup => files!["team_subgroup.wgsl"],
        });
        if let Some(data) = self.data {
            files.extend(files!["numeric.wgsl", "quad.wgsl", "statistics.wgsl", "logits_f32.wgsl", "targets_f32.wgsl"]);
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
            Stage::Score => files!["cascade.wgsl", "classes.wgsl", "numeric.wgsl", "measure.wgsl", "score.wgsl"],
            Stage::Finalize => files!["cascade.wgsl", "finalize.wgsl"],
            Stage::Gradient => files!["classes.wgsl", "gradient_f32.wgsl", "gradient.wgsl"],
            Stage::Evaluate => files![
                "cascade.wgsl",
                "classes.wgsl",
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
                files!["gradient_f32.wgsl", "gradient.wgsl"]
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
                Stage::Score => vec![Slot::Params, Slot::Scratch, Slot::Loss, Slot::ClassWeights],
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
                source.push_str(&slot.declaration(access, self.reach.width));
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
            self.slots().into_iter().map(|slot| slot.layout_entry(self.access_of(slot), self.reach.width)).collect();
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
