//! The `millrace-sim` binary: parses the command line and turns the verdict into an exit code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use simulator::cli::{self, Cli};

fn main() -> ExitCode {
    let command_line = Cli::parse();
    let outcome = actix::System::new().block_on(cli::dispatch(command_line));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // Nothing can be done about a closed stderr; the exit code still tells.
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
