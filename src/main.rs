//! The `polemic` command.

use std::process::ExitCode;

/// Comments are many small strings: an allocator made for such.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    polemic::cli::run()
}
