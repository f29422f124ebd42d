//! The GPU against the f64 reference, and the promises of the README.
//!
//! `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose the adapter, `SEGLOSS_DEVICE` what its device has. Without an adapter every test
//! fails.

mod bad_values;
mod buffers;
mod columns;
mod counts;
mod data;
mod determinism;
#[path = "../device/mod.rs"]
mod device;
mod extremes;
mod faults;
mod formats;
mod host;
mod label_maps;
mod laws;
mod memory;
mod pairs;
mod pipeline_cache;
mod precision;
mod predicted_labels;
mod shares;
mod threads;
mod tuning;
mod voxel_weights;
