//! A run over inputs of any length: what was read and written, noted so that a run that was cut off goes on where it was, with the same
//! bytes as if nothing had happened.

pub mod journal;
pub mod manifest;
pub mod meter;
pub mod outputs;
pub mod tally;
