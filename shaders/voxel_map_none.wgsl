// No map of voxels is wanted. Expects nothing.

fn store_voxel_map(run: Run, voxel: u32, inside: Inside, column: Column) {}
