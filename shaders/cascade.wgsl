// A lane's sum of many numbers, a few at a time. Expects nothing.
//
// Added up one after the other, n equal numbers may all round to the same side: an error of n/2 roundings. Here eight make
// a block, eight blocks a larger one, and so on: about 4 roundings a level, whatever the numbers are. (`accumulate` has
// the same blocks as nested loops.)

const BLOCK: u32 = 8u;

struct Cascade {
    added: u32,
    // Of the last blocks of 1, 8, 64 and 512 numbers that are not part of a larger block yet.
    ones: vec4<f32>,
    blocks: vec4<f32>,
    larger: vec4<f32>,
    largest: vec4<f32>,
}

fn add_to(cascade: ptr<function, Cascade>, value: vec4<f32>) {
    (*cascade).added = (*cascade).added + 1u;
    (*cascade).ones = (*cascade).ones + value;
    if (*cascade).added % BLOCK == 0u {
        (*cascade).blocks = (*cascade).blocks + (*cascade).ones;
        (*cascade).ones = vec4<f32>();
        if (*cascade).added % (BLOCK * BLOCK) == 0u {
            (*cascade).larger = (*cascade).larger + (*cascade).blocks;
            (*cascade).blocks = vec4<f32>();
            if (*cascade).added % (BLOCK * BLOCK * BLOCK) == 0u {
                (*cascade).largest = (*cascade).largest + (*cascade).larger;
                (*cascade).larger = vec4<f32>();
            }
        }
    }
}

fn sum_of(cascade: Cascade) -> vec4<f32> {
    return (cascade.ones + cascade.blocks) + (cascade.larger + cascade.largest);
}
