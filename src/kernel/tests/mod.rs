//! The shaders reflected: what Rust believes of them is read out of the WGSL itself.

mod hlsl;
mod parts;
mod written;

use std::collections::BTreeMap;
use std::mem::offset_of;

use naga::{AddressSpace, Module, StorageAccess, TypeInner};

use super::slot::{Access, Reach, Slot, Width};
use super::{Data, ENTRY_POINT, MapShape, Stage, Team, Variant, Widths};
use crate::geometry::Grain;
use crate::layout::HEADER_WORDS;
use crate::params::{self, LossHeader, Params, TermParams};
use crate::{ByteScale, LabelFormat, LogitsFormat, TargetFormat, VoxelWeights};

const APART: Reach = Reach::apart(Width::Quad);
const WIDTHS: Widths = Widths {
    workgroup: 256,
    data_workgroup: 256,
    run_lanes: 32,
    min_subgroup: 4,
    access: Width::Quad,
    grain: Grain::FINEST,
    iterations: u64::MAX,
};

const PLAIN: Data = Data {
    mask: false,
    voxel_weights: VoxelWeights::None,
    map: MapShape::None,
    gradient: false,
    logits: LogitsFormat::F32,
    targets: TargetFormat::F32,
    ignores: false,
    statistics: [0; 4],
};

const WEIGHTS: [VoxelWeights; 3] = [VoxelWeights::None, VoxelWeights::PerElement, VoxelWeights::PerVoxel];

/// Every kind of statistic, and every activation with kinds that take it.
const KINDS: [u32; 17] = {
    use params::activation::{GIVEN, ODDS, SIGMOID, TANH};
    use params::statistic::*;
    [
        NO_STATISTIC,
        OVERLAP + GIVEN,
        OVERLAP + SIGMOID,
        OVERLAP + TANH,
        OVERLAP_SQUARED + SIGMOID,
        OVERLAP_SQUARED + TANH,
        OVERLAP_MINIMUM + GIVEN,
        OVERLAP_MINIMUM + SIGMOID,
        OVERLAP_HARD,
        BINARY_CROSS_ENTROPY + GIVEN,
        BINARY_CROSS_ENTROPY + SIGMOID,
        FOCAL_SIDES + SIGMOID,
        FOCAL_SIDES + GIVEN,
        FOCAL_MIXTURE + GIVEN,
        FOCAL_MARGIN + SIGMOID,
        FOCAL_LIKELIHOOD + SIGMOID,
        FOCAL_LIKELIHOOD + ODDS,
    ]
};

/// The table of variants: every stage with every team, every combination of optional inputs, every kind of statistic,
/// and every way a data binding can be declared. ARCHITECTURE.md shows it in words.
fn table() -> Vec<Variant> {
    let mut table = vec![];
    for team in [Team::Lane, Team::Tree, Team::Subgroup] {
        table.push(Variant { stage: Stage::Combine, team, data: None, reach: APART });
        table.push(Variant { stage: Stage::Score, team, data: None, reach: APART });
        table.push(Variant { stage: Stage::Finalize, team, data: None, reach: APART });
        for parts in 0..12 {
            let data = Data {
                mask: parts % 2 != 0,
                voxel_weights: WEIGHTS[parts / 2 % 3],
                map: if parts < 6 { MapShape::None } else { MapShape::Elements },
                gradient: false,
                logits: LogitsFormat::F32,
                targets: TargetFormat::F32,
                ignores: parts % 3 == 0,
                // Every kind appears in every position.
                statistics: std::array::from_fn(|i| KINDS[(2 * parts + 5 * i) % KINDS.len()]),
            };
            // Quads, which every validator reads, with everything; each of the other widths with half of it.
            let other = if parts % 2 == 0 { Width::Octet } else { Width::Word };
            for reach in [Width::Quad, other].map(Reach::apart) {
                table.push(Variant { stage: Stage::Accumulate, team, data: Some(data), reach });
                let data = Data { map: MapShape::None, gradient: data.map != MapShape::None, ..data };
                if team == Team::Lane {
                    table.push(Variant { stage: Stage::Evaluate, team, data: Some(data), reach });
                }
                let data = Data { gradient: false, ..data };
                table.push(Variant { stage: Stage::Gradient, team, data: Some(data), reach });
            }
        }
    }
    let statistics = [KINDS[1], KINDS[2], KINDS[9], KINDS[10]];
    let all =
        Data { mask: true, voxel_weights: VoxelWeights::PerElement, map: MapShape::Elements, statistics, ..PLAIN };
    for (access, width) in
        sample_accesses().into_iter().flat_map(|access| Width::WIDEST_FIRST.map(|width| (access, width)))
    {
        let reach = Reach { access, width };
        table.push(Variant { stage: Stage::Accumulate, team: Team::Tree, data: Some(all), reach });
        let data = Data { map: MapShape::None, ..all };
        table.push(Variant { stage: Stage::Gradient, team: Team::Tree, data: Some(data), reach });
        let data = Data { gradient: true, ..data };
        table.push(Variant { stage: Stage::Evaluate, team: Team::Lane, data: Some(data), reach });
    }
    table.extend(formats());
    table.extend(columns());
    table
}

/// The stages that see classes together, with every kind of statistic, map and access.
fn columns() -> Vec<Variant> {
    use params::{activation::*, statistic::*};
    let losses = [
        [OVERLAP + SOFTMAX, CROSS_ENTROPY + SOFTMAX, 0, 0],
        [OVERLAP_SQUARED + LOG_SOFTMAX, OVERLAP_HARD + ARGMAX, OVERLAP_MINIMUM + SOFTMAX, OVERLAP_HARD + SOFTMAX],
        [CROSS_ENTROPY + SOFTMAX, BINARY_CROSS_ENTROPY + SIGMOID, OVERLAP + SIGMOID, 0],
        [CROSS_ENTROPY + SOFTMAX, WASSERSTEIN + SOFTMAX, 0, 0],
        [CROSS_ENTROPY + NORMALIZED, OVERLAP + SIGMOID, 0, 0],
    ];
    let mut table = vec![];
    for team in [Team::Lane, Team::Tree, Team::Subgroup] {
        table.push(Variant { stage: Stage::Coefficients, team: Team::Lane, data: None, reach: APART });
        for (index, statistics) in losses.into_iter().enumerate() {
            let maps = [MapShape::None, MapShape::Elements, MapShape::Voxels];
            for (width, map) in Width::WIDEST_FIRST.into_iter().zip(maps) {
                let targets = if index == 1 { TargetFormat::F32 } else { TargetFormat::Labels(LabelFormat::U8) };
                let logits = [LogitsFormat::F32, LogitsFormat::F16, LogitsFormat::Bf16][index % 3];
                let mask = index == 2;
                let voxel_weights = WEIGHTS[(index + 2) % 3];
                let data = Data { mask, voxel_weights, ignores: !mask, logits, targets, statistics, ..PLAIN };
                let reach = Reach::apart(width);
                // A map is one of sums over voxels only.
                let map = if index == 1 { MapShape::None } else { map };
                let accumulated = Some(Data { map, ..data });
                table.push(Variant { stage: Stage::AccumulateColumns, team, data: accumulated, reach });
                table.push(Variant { stage: Stage::GradientColumns, team, data: Some(data), reach });
            }
        }
    }
    table
}

/// Every format of logits with every format of targets, by every access. Of predicted labels one with each: they have no
/// gradient.
fn formats() -> Vec<Variant> {
    use LabelFormat::{I32, I64, U8, U16, U32};
    use params::activation::{GIVEN, SIGMOID};
    use params::statistic::{BINARY_CROSS_ENTROPY, OVERLAP, OVERLAP_HARD};
    let labels = [U8, U16, U32, I32, I64].map(TargetFormat::Labels);
    let targets = [&[TargetFormat::F32, TargetFormat::U8(ByteScale::One), TargetFormat::Bits][..], &labels].concat();
    let mut table = vec![];
    for (index, targets) in targets.into_iter().enumerate() {
        let predicted = LogitsFormat::Labels([U8, U16, U32, I32, I64][index % 5]);
        for logits in [LogitsFormat::F32, LogitsFormat::F16, LogitsFormat::Bf16, predicted] {
            for (position, width) in Width::WIDEST_FIRST.into_iter().enumerate() {
                let ignores = (index + position) % 2 == 0;
                let is_labels = logits.is_labels();
                let statistics = [if is_labels { OVERLAP_HARD + GIVEN } else { OVERLAP + SIGMOID }, 0, 0, 0];
                let data = Data { logits, targets, ignores, statistics, ..PLAIN };
                let (team, reach) = (Team::Lane, Reach::apart(width));
                table.push(Variant { stage: Stage::Accumulate, team, data: Some(data), reach });
                let last = if is_labels { Stage::Evaluate } else { Stage::Gradient };
                table.push(Variant { stage: last, team, data: Some(data), reach });
                if width != Width::Word {
                    continue;
                }
                // Words of everything in one buffer.
                let within = Access::Within(Slot::Output);
                let access = [within, within, within, within, Access::ReadWrite];
                let reach = Reach { access, width: Width::Word };
                let mapped =
                    Data { map: MapShape::Voxels, statistics: [BINARY_CROSS_ENTROPY + GIVEN, 0, 0, 0], ..data };
                let (stage, data) =
                    if is_labels { (Stage::AccumulateColumns, mapped) } else { (Stage::Gradient, data) };
                table.push(Variant { stage, team, data: Some(data), reach });
            }
        }
    }
    table
}

/// Accesses in which every declaration of every slot occurs.
fn sample_accesses() -> [[Access; 5]; 5] {
    use Access::{Read, ReadWrite, Within};
    let output = Within(Slot::Output);
    [
        [ReadWrite; 5],
        [output, output, output, output, ReadWrite],
        [ReadWrite, Within(Slot::Logits), Within(Slot::Logits), Within(Slot::Logits), ReadWrite],
        [Read, ReadWrite, Within(Slot::Targets), Within(Slot::Targets), ReadWrite],
        [output, Read, ReadWrite, Within(Slot::Mask), ReadWrite],
    ]
}

fn parse(variant: &Variant) -> Module {
    let source = variant.source();
    naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{variant:?}\n{}", error.emit_to_string(&source)))
}

#[test]
fn every_variant_is_valid_and_has_one_entry_point() {
    for variant in table() {
        let module = parse(&variant);
        let mut validator = naga::valid::Validator::new(Default::default(), naga::valid::Capabilities::all());
        validator
            .subgroup_stages(naga::valid::ShaderStages::all())
            .subgroup_operations(naga::valid::SubgroupOperationSet::all());
        validator.validate(&module).unwrap_or_else(|error| panic!("{variant:?}: {error:?}"));
        let names: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, [ENTRY_POINT]);
    }
}

#[test]
fn bindings_are_those_of_the_slots() {
    for variant in table() {
        let module = parse(&variant);
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let mut declared = BTreeMap::new();
        for (_, global) in module.global_variables.iter() {
            if let Some(binding) = &global.binding {
                declared.insert(
                    global.name.clone().unwrap_or_default(),
                    // With one element where the length is the binding's.
                    (binding.binding, global.space, layouter[global.ty].size),
                );
            }
        }
        for slot in variant.slots() {
            let (binding, space, size) =
                declared.remove(slot.name()).unwrap_or_else(|| panic!("{slot:?} in {variant:?}"));
            assert_eq!(binding, slot.binding(), "{slot:?}");
            let entry = slot.layout_entry(variant.access_of(slot), variant.storage(slot));
            let wgpu::BindingType::Buffer { ty, min_binding_size, .. } = entry.ty else {
                panic!("{slot:?} is not a buffer");
            };
            assert_eq!(min_binding_size.map(u64::from), Some(size.into()), "{slot:?} in {variant:?}");
            let expected = match space {
                AddressSpace::Uniform => wgpu::BufferBindingType::Uniform,
                AddressSpace::Storage { access } => {
                    wgpu::BufferBindingType::Storage { read_only: !access.contains(StorageAccess::STORE) }
                }
                other => panic!("{slot:?} lies in {other:?}"),
            };
            assert_eq!(ty, expected, "{slot:?} in {variant:?}");
        }
        assert!(declared.is_empty(), "{variant:?} declares {declared:?} without a slot");
    }
}

/// Name and offset of every member of a WGSL struct, and its span.
fn members(module: &Module, name: &str) -> (Vec<(String, usize)>, usize) {
    let (_, ty) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name)).unwrap();
    let TypeInner::Struct { members, span } = &ty.inner else { panic!("{name} is not a struct") };
    let list = members.iter().map(|m| (m.name.clone().unwrap(), m.offset as usize)).collect();
    (list, *span as usize)
}

macro_rules! fields {
    ($type:ty: $($name:ident),+) => { vec![$((stringify!($name).to_owned(), offset_of!($type, $name))),+] };
}

#[test]
fn structs_have_the_same_layout_on_both_sides() {
    let module = parse(&table()[1]);
    let (params, span) = members(&module, "Params");
    let expected = fields!(Params: rows, classes, voxels, statistics, terms, tile_length, tiles_per_row, window_tiles,
        first_tile, first_row, first_sample, first_voxel, logits_base, targets_base, mask_base, voxel_weights_base,
        output_base, term_values, group_values, sums, slopes, row_weights, term_scales, sample_scales, partials, term, halves,
        voxel_step, ignored_bits, target_scale, row_step, class_step, first_coupled, first_block, blocks, row_upstream, part_begin, part_length, padding_0, padding_1);
    assert_eq!((params, span), (expected, size_of::<Params>()));

    let (term, span) = members(&module, "Term");
    let expected = fields!(TermParams: measure, statistic, weight, scale, factor, alpha, beta, smooth_numerator,
        smooth_denominator, denominator_floor, map, map_argument, groups, members, group_stride, member_stride,
        group_divisor, first_group, group_classes, averages_what_is_left, samples, nothing_found, empty, volume,
        masked_is_background, divisor, divisor_scale, outer, outer_argument, zero_keeps_nan, padding_0, padding_1);
    assert_eq!((term, span), (expected, size_of::<TermParams>()));

    let (loss, _) = members(&module, "LossParams");
    let mut expected = fields!(LossHeader: upstream, count_mask, excess_mask, nan, settings);
    expected.push(("terms".to_owned(), size_of::<LossHeader>()));
    assert_eq!(loss, expected);

    let (scratch, _) = members(&module, "Scratch");
    let offset = |name: &str| scratch.iter().find(|m| m.0 == name).unwrap().1;
    assert_eq!((offset("bad"), offset("peak"), offset("value"), offset("done")), (0, 16, 20, 24));
    assert_eq!(offset("words") as u64, 4 * HEADER_WORDS);
}

#[test]
fn constants_have_the_same_values_on_both_sides() {
    let data = PLAIN;
    // It has the files of all stages.
    let module = parse(&Variant { stage: Stage::Evaluate, team: Team::Lane, data: Some(data), reach: APART });
    let constant = |name: &str| {
        let (_, constant) = module.constants.iter().find(|(_, c)| c.name.as_deref() == Some(name)).unwrap();
        match module.global_expressions[constant.init] {
            naga::Expression::Literal(naga::Literal::U32(value)) => value,
            ref other => panic!("{name} is {other:?}"),
        }
    };
    for (name, value) in [
        ("SUMS_HALF", params::half::SUMS),
        ("LOSS_HALF", params::half::LOSS),
        ("MEASURE_RATIO", params::term::measure::RATIO),
        ("MEASURE_MATTHEWS", params::term::measure::MATTHEWS),
        ("MEASURE_MEAN", params::term::measure::MEAN),
        ("MEASURE_WASSERSTEIN", params::term::measure::WASSERSTEIN),
        ("DIVISOR_FIXED", params::term::divisor::FIXED),
        ("DIVISOR_COUNT", params::term::divisor::COUNT),
        ("DIVISOR_MODULATION", params::term::divisor::MODULATION),
        ("DIVISOR_WEIGHTS", params::term::divisor::WEIGHTS),
        ("EMPTY_KEEP", params::term::empty::KEEP),
        ("EMPTY_ZERO", params::term::empty::ZERO),
        ("EMPTY_ONE", params::term::empty::ONE),
        ("EMPTY_NAN", params::term::empty::NAN),
        ("EMPTY_SKIP", params::term::empty::SKIP),
        ("VOLUME_UNUSED", params::term::volume::UNUSED),
        ("VOLUME_INVERSE", params::term::volume::INVERSE),
        ("VOLUME_INVERSE_SQUARED", params::term::volume::INVERSE_SQUARED),
        ("VOLUME_INVERSE_ONE_MORE", params::term::volume::INVERSE_ONE_MORE),
        ("OUTER_IDENTITY", params::term::outer::IDENTITY),
        ("OUTER_POWER", params::term::outer::POWER),
        ("OUTER_LOG_COSH", params::term::outer::LOG_COSH),
        ("MAP_SCORE", params::term::map::SCORE),
        ("MAP_COMPLEMENT", params::term::map::COMPLEMENT),
        ("MAP_NEGATED", params::term::map::NEGATED),
        ("MAP_NEG_LOG", params::term::map::NEG_LOG),
        ("MAP_POWER", params::term::map::POWER),
        ("NO_STATISTIC", params::statistic::NO_STATISTIC),
        ("OVERLAP", params::statistic::OVERLAP),
        ("OVERLAP_SQUARED", params::statistic::OVERLAP_SQUARED),
        ("OVERLAP_MINIMUM", params::statistic::OVERLAP_MINIMUM),
        ("OVERLAP_HARD", params::statistic::OVERLAP_HARD),
        ("BINARY_CROSS_ENTROPY", params::statistic::BINARY_CROSS_ENTROPY),
        ("CROSS_ENTROPY", params::statistic::CROSS_ENTROPY),
        ("WASSERSTEIN", params::statistic::WASSERSTEIN),
        ("SOFTMAX", params::activation::SOFTMAX),
        ("LOG_SOFTMAX", params::activation::LOG_SOFTMAX),
        ("NORMALIZED", params::activation::NORMALIZED),
        ("ARGMAX", params::activation::ARGMAX),
        ("FOCAL_SIDES", params::statistic::FOCAL_SIDES),
        ("FOCAL_MIXTURE", params::statistic::FOCAL_MIXTURE),
        ("FOCAL_MARGIN", params::statistic::FOCAL_MARGIN),
        ("FOCAL_LIKELIHOOD", params::statistic::FOCAL_LIKELIHOOD),
        ("GIVEN", params::activation::GIVEN),
        ("SIGMOID", params::activation::SIGMOID),
        ("TANH", params::activation::TANH),
        ("ODDS", params::activation::ODDS),
    ] {
        assert_eq!(constant(name), value, "{name}");
    }
}

#[test]
fn overrides_are_those_that_are_set() {
    for variant in table() {
        let module = parse(&variant);
        let mut declared: Vec<_> = module.overrides.iter().filter_map(|(_, o)| o.name.as_deref()).collect();
        let mut set: Vec<_> = variant.constants(WIDTHS).into_iter().map(|(name, _)| name).collect();
        declared.sort_unstable();
        set.sort_unstable();
        assert_eq!(declared, set, "{variant:?}");
    }
}
