//! Folds: rows of one thread, else of one author, else of one text, stay together.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The fold, below `folds`, of the rows that share `group`.
pub fn fold(group: &str, seed: u64, folds: usize) -> usize {
    (xxh3_64_with_seed(group.as_bytes(), seed) % folds.max(1) as u64) as usize
}
