//! From labelled rows to a model: recipes, folds, fits, calibration, folding, figures.

pub mod assemble;
pub mod bootstrap;
pub mod calibration;
mod classes;
pub mod data;
pub mod fit;
pub mod gather;
pub mod heads;
pub mod metrics;
mod pairs;
pub mod plan;
pub mod recipe;
mod reply;
pub mod split;
mod targets;
