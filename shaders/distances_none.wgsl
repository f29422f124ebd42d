// No statistic is made of distances. Expects `column`.

struct Distance {
    unused: u32,
}

fn distance_of(run: Run, voxel: u32, inside: Inside, column: Column) -> Distance {
    return Distance();
}

fn with_distance(octet: Octet, distance: Distance, class_index: u32) -> Octet {
    return octet;
}
