// Elements out of words, and back. Expects nothing.

// Stands for a 64-bit integer that is no label: nothing is equal to it.
const NO_LABEL: u32 = 0x80000000u;

// A 64-bit integer as a 32-bit one, if it is.
fn narrowed(low: u32, high: u32) -> u32 {
    let is_negative = low >= 0x80000000u;
    return select(NO_LABEL, low, high == select(0u, 0xffffffffu, is_negative));
}

fn narrowed_quad(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(narrowed(a.x, a.y), narrowed(a.z, a.w), narrowed(b.x, b.y), narrowed(b.z, b.w));
}

fn halves(words: vec2<u32>) -> vec4<u32> {
    return vec4<u32>(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u);
}

fn bytes(word: u32) -> vec4<u32> {
    return (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

fn bits(word: u32) -> vec4<u32> {
    return (vec4<u32>(word) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u);
}

fn packed(halves: vec4<u32>) -> vec2<u32> {
    return vec2<u32>(halves.x | (halves.y << 16u), halves.z | (halves.w << 16u));
}
