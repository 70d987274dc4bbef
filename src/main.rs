//! The `polemic` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    polemic::cli::run()
}
