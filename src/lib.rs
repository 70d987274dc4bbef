//! Polemic reads comment threads and says of every comment how uncivil it is, what rhetoric it uses and where it stands.
#![doc = include_str!("../README.md")]
pub mod audit;
pub mod cli;
pub mod error;
pub mod features;
pub mod label;
pub mod model;
pub mod read;
pub mod record;
pub mod report;
pub mod score;
pub mod serve;
pub mod text;
pub mod thread;
pub mod train;
pub mod write;
