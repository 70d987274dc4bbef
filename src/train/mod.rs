//! From labelled rows to a model: recipes, folds, fits, calibration, folding, figures.

mod add;
mod add_targets;
pub mod assemble;
pub mod base;
pub mod bootstrap;
pub mod calibration;
mod classes;
pub mod compare;
pub mod data;
mod first_stage;
pub mod fit;
mod fitting;
pub mod gather;
pub mod heads;
pub mod metrics;
mod own_targets;
mod pairs;
pub mod plan;
pub mod recipe;
mod reply;
pub mod scored;
pub mod site;
pub mod split;
pub mod stack;
mod targets;
pub mod threads;
pub mod threshold;
