//! Feeds: whatever is asked in whatever order, rows are taken in theirs and all are accounted for.

use engine::Aggregate;
use engine::import::{
    FeedFormat, Import, ImportCommand, ImportEvent, ImportState, ImportStatus, NewFeed, Tally,
};
use engine::ledger::{Ledger, LedgerEvent};
use engine::values::{Fingerprint, ImportId, Moment, PartnerId};
use proptest::prelude::*;
use uuid::Uuid;

use crate::entry;

fn start(says: u8, rows: u32, refused: u32) -> ImportCommand {
    ImportCommand::Start(Box::new(NewFeed {
        id: ImportId::new(Uuid::from_u128(1)),
        partner: PartnerId::parse("acme").unwrap(),
        format: FeedFormat("csv".into()),
        digest: Fingerprint::from_bytes([says; 16]),
        bytes: 9,
        rows,
        refused,
        errors: Vec::new(),
        errors_total: refused.into(),
    }))
}

fn any_command() -> impl Strategy<Value = ImportCommand> {
    let tally = (0_u32..4, 0_u32..3, 0_u32..3, 0_u32..2).prop_map(
        |(created, updated, unchanged, refused)| Tally { created, updated, unchanged, refused },
    );
    prop_oneof![
        1 => (0_u8..2, 0_u32..12, 0_u32..3).prop_map(|(says, rows, no)| start(says, rows, no)),
        8 => (0_u32..12, 0_u32..6, tally).prop_map(|(after, more, tally)| {
            ImportCommand::Advance { after, upto: after + more, tally, errors: Vec::new() }
        }),
    ]
}

proptest! {
    #[test]
    fn a_feed_takes_its_rows_in_order_whatever_it_is_asked(
        commands in prop::collection::vec(any_command(), 1..250),
    ) {
        let now = Moment::default();
        let (mut state, mut ledger, mut version) = (ImportState::default(), Ledger::default(), 0);
        let mut done = 0;
        for command in commands {
            let Ok(events) = Import::decide(&state, &command, now) else { continue };
            for event in events {
                if let ImportEvent::Advanced { after, upto, .. } = &event {
                    prop_assert_eq!(*after, done);
                    done = *upto;
                }
                Import::evolve(&mut state, &event, now);
                version += 1;
                let booked = ledger.book(&entry("import/1", version, now, LedgerEvent::Import(&event)));
                prop_assert_eq!(booked, Ok(()));
            }
            prop_assert_eq!(Import::decide(&state, &command, now), Ok(vec![]), "a repeat is free");
            let feed = state.0.as_ref().unwrap();
            prop_assert!(feed.tally.total().unwrap() <= feed.rows);
            prop_assert_eq!(feed.status == ImportStatus::Finished, feed.done == feed.rows);
        }
        let json = serde_json::to_string(&state)?;
        prop_assert_eq!(serde_json::from_str::<ImportState>(&json)?, state);
    }
}
