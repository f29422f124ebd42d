//! Which WGSL files make a shader.

use super::{Data, MapShape, Stage, Team, Variant};
use crate::{LogitsFormat, TargetFormat, VoxelWeights, params};

/// Names and texts of WGSL files.
macro_rules! files {
    ($($name:literal),*) => { vec![$(($name, include_str!(concat!("../../shaders/", $name)))),*] };
}

/// The name and text of a WGSL file.
type File = (&'static str, &'static str);

impl Data {
    /// The files of the statistics there are, and in place of the others files that say so.
    fn statistics_files(&self) -> Vec<File> {
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
        files.extend(
            if any(&|kind| (statistic::BINARY_CROSS_ENTROPY..=statistic::CROSS_ENTROPY).contains(&(kind & 15))) {
                let is_focal =
                    any(&|kind| (statistic::FOCAL_SIDES..=statistic::FOCAL_LIKELIHOOD).contains(&(kind & 15)));
                let focal = if is_focal { files!["focal.wgsl"] } else { files!["focal_none.wgsl"] };
                let over_classes = any(&|kind| kind & 15 == statistic::CROSS_ENTROPY);
                let cross_entropy =
                    if over_classes { files!["cross_entropy.wgsl"] } else { files!["cross_entropy_none.wgsl"] };
                [files!["pointwise.wgsl"], focal, cross_entropy].concat()
            } else {
                files!["pointwise_none.wgsl"]
            },
        );
        files
    }
}

impl Variant {
    /// The file that stores a gradient.
    fn gradient_file(&self) -> Vec<File> {
        match self.data.map(|data| data.logits).unwrap_or_default() {
            // Of labels never used: they have no gradient.
            LogitsFormat::F32 | LogitsFormat::Labels(_) => files!["gradient_f32.wgsl"],
            LogitsFormat::F16 => files!["gradient_f16.wgsl"],
            LogitsFormat::Bf16 => files!["gradient_bf16.wgsl"],
        }
    }

    /// The files, in the order they are read best.
    pub(crate) fn files(&self) -> Vec<File> {
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
                LogitsFormat::Labels(_) => files!["logits_labels.wgsl"],
            });
            files.extend(match data.targets {
                TargetFormat::F32 => files!["targets_f32.wgsl"],
                TargetFormat::U8(_) => files!["targets_u8.wgsl"],
                TargetFormat::Bits => files!["targets_bits.wgsl"],
                TargetFormat::Labels(_) => files!["targets_labels.wgsl"],
            });
            if data.logits.is_labels() || data.targets.is_labels() {
                files.extend(files!["labels.wgsl"]);
            }
            files.extend(if data.ignores { files!["ignore_index.wgsl"] } else { files!["ignore_none.wgsl"] });
            files.extend(if data.mask { files!["mask_f32.wgsl"] } else { files!["mask_none.wgsl"] });
            files.extend(match data.voxel_weights {
                VoxelWeights::None => files!["voxel_weights_none.wgsl"],
                VoxelWeights::PerElement => files!["voxel_weights_per_element.wgsl"],
                VoxelWeights::PerVoxel => files!["voxel_weights_per_voxel.wgsl"],
            });
            files.extend(files!["load.wgsl", "tile.wgsl"]);
        }
        files.extend(match self.stage {
            Stage::Accumulate => {
                [files!["cascade.wgsl"], self.map_files(), files!["totals.wgsl", "accumulate.wgsl"]].concat()
            }
            Stage::AccumulateColumns => {
                let own = files!["totals.wgsl", "accumulate_columns.wgsl"];
                [self.column_files(), self.map_files(), self.distance_files(), own].concat()
            }
            Stage::Combine => files!["cascade.wgsl", "combine.wgsl"],
            Stage::Score => {
                files!["cascade.wgsl", "classes.wgsl", "numeric.wgsl", "maps.wgsl", "measure.wgsl", "score.wgsl"]
            }
            Stage::Finalize => files!["cascade.wgsl", "classes.wgsl", "numeric.wgsl", "maps.wgsl", "finalize.wgsl"],
            Stage::Gradient => {
                [files!["classes.wgsl", "share.wgsl"], self.gradient_file(), files!["peak.wgsl", "gradient.wgsl"]]
                    .concat()
            }
            Stage::Coefficients => files!["classes.wgsl", "share.wgsl", "coefficients.wgsl"],
            Stage::GradientColumns => {
                let own = files!["peak.wgsl", "gradient_columns.wgsl"];
                [self.column_files(), self.distance_files(), self.gradient_file(), own].concat()
            }
            Stage::Evaluate => files![
                "cascade.wgsl",
                "classes.wgsl",
                "maps.wgsl",
                "measure.wgsl",
                "map_none.wgsl",
                "totals.wgsl",
                "accumulate.wgsl",
                "combine.wgsl",
                "score.wgsl",
                "finalize.wgsl"
            ],
        });
        if self.stage == Stage::Evaluate {
            files.extend(if self.has_output() {
                [files!["share.wgsl"], self.gradient_file(), files!["peak.wgsl", "gradient.wgsl"]].concat()
            } else {
                files!["gradient_none.wgsl"]
            });
            files.extend(files!["evaluate.wgsl"]);
        }
        files
    }

    /// The files of the classes of a voxel together.
    fn column_files(&self) -> Vec<File> {
        let is_given = |&kind: &u32| kind & !15 == params::activation::NORMALIZED;
        let shares = if self.data.is_some_and(|data| data.statistics.iter().any(is_given)) {
            files!["shares_given.wgsl"]
        } else {
            files!["shares_logits.wgsl"]
        };
        [files!["column.wgsl"], shares].concat()
    }

    /// The files that store a map.
    fn map_files(&self) -> Vec<File> {
        let map = self.data.map_or(MapShape::None, |data| data.map);
        let value = if map == MapShape::None { vec![] } else { files!["classes.wgsl", "map.wgsl"] };
        let elements = if map == MapShape::Elements { files!["map_f32.wgsl"] } else { files!["map_none.wgsl"] };
        let voxels = match (self.stage, map) {
            (Stage::AccumulateColumns, MapShape::Voxels) => files!["voxel_map_f32.wgsl"],
            (Stage::AccumulateColumns, _) => files!["voxel_map_none.wgsl"],
            _ => vec![],
        };
        [value, elements, voxels].concat()
    }

    /// The files of distances from labels.
    fn distance_files(&self) -> Vec<File> {
        let classes = if self.writes_map() { vec![] } else { files!["classes.wgsl"] };
        match (self.measures_distances(), self.stage) {
            (true, Stage::GradientColumns) => files!["classes.wgsl", "distances.wgsl", "pull.wgsl"],
            (true, _) => [classes, files!["distances.wgsl"]].concat(),
            (false, Stage::GradientColumns) => files!["distances_none.wgsl", "pull_none.wgsl"],
            (false, _) => files!["distances_none.wgsl"],
        }
    }
}
