//! From words to numbers: the blocks of features a head may use, the sparse rows and the design matrix of a fit.

pub mod compounds;
pub mod context;
pub mod design;
pub mod grams;
pub mod pair;
pub mod relation;
pub mod rows;
pub mod starts;
pub mod style;
pub mod vectors;
pub mod vocabulary;
