//! The shaders as other validators read them.

use super::{Variant, WIDTHS, table};

/// The linked shader with numbers for its `override` constants.
pub(super) fn with_constants(variant: &Variant) -> String {
    let mut source = variant.source();
    for (name, value) in variant.constants(WIDTHS) {
        let declaration = format!("override {name}: u32 = ");
        let begin = source.find(&declaration).unwrap() + declaration.len();
        let end = begin + source[begin..].find(';').unwrap();
        source.replace_range(begin..end, &format!("{value}u"));
    }
    source
}

/// Writes every variant, its overrides filled in, to target/shaders, where .ci/run hands them to other validators.
#[test]
fn variants_are_written_out_for_other_validators() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/shaders");
    // Those of an older table would be validated, too.
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    for (index, variant) in table().iter().enumerate() {
        let source = with_constants(variant);
        let team = format!("{:?}", variant.team).to_lowercase();
        // Integers of 64 bits are an extension, which not every validator knows.
        let extension = if source.contains("u64") { ".int64" } else { "" };
        let name = format!("{index:03}_{}_{team}{extension}.wgsl", variant.stage.name());
        std::fs::write(folder.join(name), source).unwrap();
    }
}
