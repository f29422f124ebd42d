//! The f64 reference against what it cannot have been derived from: finite differences, closed forms, algebraic laws and
//! numbers by hand.

mod closed_forms;
mod data;
mod edges;
mod finite_differences;
mod laws;
