//! The flags of `overload`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::behaviour::Behaviour;

/// A part of the measurement, to be run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Multiples of the capacity.
    Levels,
    /// A polite client beside one that pushes a hundred times as much.
    Fairness,
    /// A cold product beside a hot one.
    Products,
    /// A crowd that is rejected at the door.
    Rejections,
    /// A product that is sold out.
    SoldOut,
}

/// `overload`: what a server does with up to twenty times of what it can carry.
///
/// The server has one core and the generator another. Needs release builds to mean anything:
/// `cargo build --release --workspace --bins`.
#[derive(Debug, Args)]
pub struct OverloadArgs {
    /// The millrace binary [default: beside this program].
    #[arg(long, value_name = "FILE")]
    pub(super) millrace: Option<PathBuf>,
    /// Where the journal lies while it is measured [default: the temporary folder].
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
    /// Length of each level; after it come as many seconds at 0.7 of the capacity, 4 at least
    /// and 10 at most.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(super) seconds: u64,
    /// Connections that a crowd has from the beginning.
    #[arg(long, default_value_t = 1_024, value_parser = clap::value_parser!(u16).range(64..=8_192))]
    pub(super) connections: u16,
    /// Most connections of a crowd, whose clients open one more when they find none free; fewer
    /// when the system allows fewer.
    #[arg(
        long,
        default_value_t = 30_000,
        value_parser = clap::value_parser!(u16).range(8_192..=60_000)
    )]
    pub(super) connections_max: u16,
    /// Multiples of the capacity.
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = [0.5, 1.0, 1.5, 2.0, 5.0, 10.0, 20.0],
        value_parser = multiple
    )]
    pub(super) levels: Vec<f64>,
    /// What clients do when they are turned away; all kinds when absent.
    #[arg(long, value_delimiter = ',')]
    pub(super) clients: Vec<Behaviour>,
    /// Run only these parts, separated by commas; all when absent.
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    pub(super) only: Vec<Part>,
    /// Write the result here as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write the result here as a page with charts.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

impl OverloadArgs {
    /// Whether a part is run.
    pub(super) fn runs(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// The kinds of clients, in the order in which they come.
    pub(super) fn behaviours(&self) -> &[Behaviour] {
        if self.clients.is_empty() { &Behaviour::ALL } else { &self.clients }
    }
}

fn multiple(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.05..=100.0).contains(&number) { Ok(number) } else { Err("0.05 to 100".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiple_is_a_number_that_can_be_offered() {
        assert_eq!(multiple("1.5"), Ok(1.5));
        for text in ["0", "-1", "101", "inf", "NaN", "many"] {
            assert!(multiple(text).is_err(), "{text}");
        }
    }
}
