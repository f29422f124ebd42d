//! The binary, run on files.

mod adapters;
mod bad_input;
mod eval;
mod files;
mod loss;
mod run;
