//! What is compared with what: sides, shapes of load, charges and disks.

use clap::ValueEnum;
use serde::Serialize;

/// Connections to Postgres that the peer is tried with; the best counts.
pub(super) const POOLS: [u32; 4] = [2, 4, 8, 24];
/// Products of the spread load.
const SPREAD_PRODUCTS: u32 = 1_000;
/// The slow charge.
const CHARGE_MS: u64 = 20;
/// What a slowed fsync takes longer.
pub(super) const FSYNC_DELAY_US: u64 = 5_000;

/// A part of the comparison, to be run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The edge with nothing behind it.
    Edge,
    /// The peer on Postgres.
    Peer,
    /// Millrace on Postgres.
    Postgres,
    /// Millrace on `SQLite`.
    Sqlite,
    /// One hot product.
    Hot,
    /// Spread over 1,000 products.
    Spread,
    /// Charges that take no time.
    Charge0,
    /// Charges that take 20 ms.
    Charge20,
    /// The disk as it is.
    Disk,
    /// Each fsync slowed by 5 ms.
    SlowDisk,
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    /// The edge with nothing behind it.
    Edge,
    /// The peer, with that many connections to Postgres.
    Peer(u32),
    /// Millrace on Postgres.
    Postgres,
    /// Millrace on `SQLite`.
    Sqlite,
}

impl Side {
    /// What it is called in the tables.
    pub(super) fn name(self) -> String {
        match self {
            Self::Edge => "edge only".to_owned(),
            Self::Peer(pool) => format!("peer, pool {pool}"),
            Self::Postgres => "Millrace, Postgres".to_owned(),
            Self::Sqlite => "Millrace, SQLite".to_owned(),
        }
    }

    /// Whether a Postgres server is needed.
    pub(super) fn needs_postgres(self) -> bool {
        matches!(self, Self::Peer(_) | Self::Postgres)
    }
}

/// What everybody has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Scenario {
    /// Products that the orders spread over.
    pub(super) products: u32,
    /// What a charge takes, in milliseconds.
    pub(super) charge_ms: u64,
    /// Whether each fsync is slowed.
    pub(super) slow_disk: bool,
}

impl Scenario {
    /// What the edge alone is measured with: it neither charges nor writes.
    pub(super) const BARE: Self = Self { products: 1, charge_ms: 0, slow_disk: false };

    /// What it is called in the tables.
    pub(super) fn name(self) -> String {
        let products = match self.products {
            1 => "one hot product".to_owned(),
            many => format!("{many} products"),
        };
        let disk = if self.slow_disk { ", each fsync slowed by 5 ms" } else { "" };
        format!("{products}, charge {} ms{disk}", self.charge_ms)
    }
}

/// The parts that were chosen; where none of a kind was, all are.
#[derive(Clone, Debug)]
pub(super) struct Choice(pub(super) Vec<Part>);

impl Choice {
    fn takes(&self, kind: &[Part], part: Part) -> bool {
        self.0.contains(&part) || !kind.iter().any(|other| self.0.contains(other))
    }

    /// Whether a side takes part.
    pub(super) fn side(&self, part: Part) -> bool {
        self.takes(&[Part::Edge, Part::Peer, Part::Postgres, Part::Sqlite], part)
    }

    /// The scenarios, in the order in which they are run.
    pub(super) fn scenarios(&self) -> Vec<Scenario> {
        let disks = [(Part::Disk, false), (Part::SlowDisk, true)];
        let shapes = [(Part::Hot, 1), (Part::Spread, SPREAD_PRODUCTS)];
        let charges = [(Part::Charge0, 0), (Part::Charge20, CHARGE_MS)];
        let mut chosen = Vec::new();
        for (disk, slow_disk) in disks {
            for (shape, products) in shapes {
                for (charge, charge_ms) in charges {
                    if self.takes(&[Part::Disk, Part::SlowDisk], disk)
                        && self.takes(&[Part::Hot, Part::Spread], shape)
                        && self.takes(&[Part::Charge0, Part::Charge20], charge)
                    {
                        chosen.push(Scenario { products, charge_ms, slow_disk });
                    }
                }
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_choice_everything_is_run() {
        let choice = Choice(Vec::new());
        assert_eq!(choice.scenarios().len(), 8);
        assert!(choice.side(Part::Edge) && choice.side(Part::Sqlite));
    }

    #[test]
    fn a_choice_of_one_kind_leaves_the_other_kinds_whole() {
        let choice = Choice(vec![Part::Peer, Part::Hot, Part::Disk]);
        assert!(choice.side(Part::Peer) && !choice.side(Part::Edge));
        let names: Vec<String> = choice.scenarios().into_iter().map(Scenario::name).collect();
        assert_eq!(names, ["one hot product, charge 0 ms", "one hot product, charge 20 ms"]);
    }
}
