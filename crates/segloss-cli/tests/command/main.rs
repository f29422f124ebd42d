//! The binary, run on files.

mod adapters;
mod arrays;
mod bad_input;
mod bench;
mod eval;
mod files;
mod loss;
mod run;
mod spec;
