//! Tokenizing, featurizing, scoring and training (`cargo bench`).

fn main() {
    divan::main();
}
