// The largest magnitude in a gradient, over all workgroups. Expects `scratch` and Invocation.

var<workgroup> workgroup_peak: atomic<u32>;

fn report_peak(at: Invocation, peak: u32) {
    atomicMax(&workgroup_peak, peak);
    workgroupBarrier();
    if at.lane == 0u {
        atomicMax(&scratch.peak, atomicLoad(&workgroup_peak));
    }
}
