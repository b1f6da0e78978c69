//! What each subcommand does, from its arguments to the status of the process.

mod backup;
mod demo;
mod drills;
mod edge_only;
mod mail;
mod serve;
mod signals;
mod stores;
mod verify;

use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::telemetry;

/// The status for arguments and variables that cannot be served.
const MISUSED: u8 = 2;

/// Why a command ended badly.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was told something that it cannot do.
    Misused(String),
    /// Something broke.
    Broken(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// Runs one command to its end.
pub fn run(cli: Cli) -> ExitCode {
    let level = match &cli.command {
        Command::Serve(args) | Command::Demo(args) => args.store.log_level.clone(),
        Command::Migrate(args) | Command::Verify(args) => args.log_level.clone(),
        Command::Backup(args) => args.store.log_level.clone(),
        Command::EdgeOnly(_) => "warn".to_owned(),
        #[cfg(feature = "drill")]
        Command::CrashPoints => "warn".to_owned(),
    };
    if let Err(error) = telemetry::log_to_stderr(&level) {
        return fail(&Failure::Misused(format!("{error:#}")));
    }
    let ended = match cli.command {
        Command::Serve(args) => serve::own(&args),
        Command::Demo(args) => demo::demo(&args),
        Command::Migrate(args) => stores::migrate(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Backup(args) => backup::backup(&args),
        Command::EdgeOnly(args) => edge_only::edge_only(&args),
        #[cfg(feature = "drill")]
        Command::CrashPoints => crash_points(),
    };
    match ended {
        Ok(code) => code,
        Err(failure) => fail(&failure),
    }
}

/// One name a line.
#[cfg(feature = "drill")]
fn crash_points() -> Result<ExitCode, Failure> {
    for point in persistence::crash_points::CrashPoint::ALL {
        writeln!(std::io::stdout(), "{}", point.name())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says why on stderr, once.
fn fail(failure: &Failure) -> ExitCode {
    // When even stderr is gone there is nobody left to tell.
    let mut stderr = std::io::stderr();
    match failure {
        Failure::Misused(words) => {
            let _ = writeln!(stderr, "millrace: {words}");
            ExitCode::from(MISUSED)
        }
        Failure::Broken(error) => {
            tracing::error!(error = format!("{error:#}"), "millrace ended: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `main` on a runtime of its own.
fn on_runtime<T>(
    workers: usize,
    main: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("millrace")
        .enable_all()
        .build()?;
    let ended = runtime.block_on(main);
    // Tasks that never end by themselves must not keep the process.
    runtime.shutdown_background();
    ended
}
