//! The GPU against the f64 reference, and the promises of the README.
//!
//! `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose the adapter. Without one every test fails.

mod bad_values;
mod buffers;
mod data;
mod determinism;
mod formats;
mod host;
mod memory;
mod pipeline_cache;
mod precision;
