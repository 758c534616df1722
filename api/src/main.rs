//! The `greenkerb` command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    greenkerb_api::cli::main()
}
