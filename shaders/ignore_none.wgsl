// Every target counts. Expects nothing.

const IGNORES: bool = false;

fn ignored(raw: vec4<u32>, bits: vec4<u32>) -> vec4<u32> {
    return bits;
}

fn is_ignored(bits: vec4<u32>) -> vec4<bool> {
    return vec4<bool>(false);
}
