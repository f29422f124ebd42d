// Labels as a class sees them: 1 where the voxel's is the class, NaN where it is no class. Expects `params` and ONE_BITS.

fn is_class(label: vec4<u32>, class_index: u32) -> vec4<u32> {
    let known = select(vec4<u32>(), vec4<u32>(ONE_BITS), label == vec4<u32>(class_index));
    return select(vec4<u32>(0x7fc00000u), known, label < vec4<u32>(params.classes));
}
