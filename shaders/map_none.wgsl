// No map of elements is wanted. Expects nothing.

fn store_map(run: Run, voxel: u32, octet: Octet, inside: Inside) {}
