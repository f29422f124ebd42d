//! The binary, run on files.

mod adapters;
mod arrays;
mod bad_input;
mod bench;
mod eval;
mod files;
mod flags;
mod folders;
mod kinds;
mod loss;
mod manual;
mod masks;
#[cfg(target_os = "linux")]
mod memory;
mod options;
mod results;
mod run;
mod spec;
mod surfaces;
mod volumes;
