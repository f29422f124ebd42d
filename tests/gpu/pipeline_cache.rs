//! Pipelines kept from one run to the next.

use segloss::wgpu::{Features, PipelineCacheDescriptor};
use segloss::{Gpu, Loss};

use crate::data::{Tensors, assert_matches, turn};

#[test]
fn a_cache_is_filled_and_taken() {
    let _turn = turn();
    let tensors = Tensors::random(&[2, 1, 9000], 3, false);
    let loss = Loss::dice().with(0.5, Loss::bce());
    let mut data: Option<Vec<u8>> = None;
    for run in 0..2 {
        let gpu = Gpu::new().unwrap();
        if !gpu.device().features().contains(Features::PIPELINE_CACHE) {
            println!("skipped: {} has no pipeline cache", gpu.adapter_info().backend);
            return;
        }
        let descriptor = PipelineCacheDescriptor { label: None, data: data.as_deref(), fallback: true };
        #[expect(unsafe_code, reason = "wgpu cannot tell whether the bytes are those of a cache")]
        // SAFETY: the bytes, if any, are what `get_data` of a cache of this adapter gave.
        let cache = unsafe { gpu.device().create_pipeline_cache(&descriptor) };
        gpu.set_pipeline_cache(cache.clone());
        let batch = tensors.batch(0).with_gradient();
        assert_matches(&format!("run {run}"), &loss, &batch, &gpu.evaluate(&loss, &batch).unwrap());
        data = cache.get_data();
        assert!(data.as_ref().is_some_and(|data| !data.is_empty()));
    }
}
