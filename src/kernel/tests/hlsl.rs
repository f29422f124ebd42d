//! What the shaders are on DX12.

use naga::back::hlsl;
use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, Validator};

use super::{APART, Stage, Team, Variant, written::with_constants};

/// HLSL has no number of workgroups: wgpu hands it over in a constant buffer, which has to stand where the entry point reads it.
/// In a struct of built-in values, naga takes the workgroup's own number in its place.
#[test]
fn the_number_of_workgroups_is_not_taken_for_something_else() {
    for team in [Team::Lane, Team::Tree, Team::Subgroup] {
        let variant = Variant { stage: Stage::Combine, team, data: None, reach: APART };
        let module = naga::front::wgsl::parse_str(&with_constants(&variant)).unwrap();
        let mut validator = Validator::new(Default::default(), Capabilities::all());
        validator.subgroup_stages(ShaderStages::all()).subgroup_operations(SubgroupOperationSet::all());
        let info = validator.validate(&module).unwrap();
        let (module, info) =
            naga::back::pipeline_constants::process_overrides(&module, &info, None, &Default::default()).unwrap();
        let constants = hlsl::BindTarget { space: 9, register: 0, ..Default::default() };
        let options = hlsl::Options {
            shader_model: hlsl::ShaderModel::V6_0,
            special_constants_binding: Some(constants),
            ..hlsl::Options::default()
        };
        let mut text = String::new();
        let of_pipeline = hlsl::PipelineOptions::default();
        hlsl::Writer::new(&mut text, &options, &of_pipeline).write(&module, &info, None).unwrap();
        let start = text.split("void start(").nth(1).unwrap();
        let made = start.split("ConstructInvocation(").nth(1).unwrap();
        assert!(made.starts_with("group, uint3(_NagaConstants."), "{team:?}: {made}");
    }
}
