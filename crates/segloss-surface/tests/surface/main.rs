//! The crate against plain references and against the libraries whose definitions it has.

mod brute_force;
mod errors;
mod laws;
mod masks;
mod peers;
