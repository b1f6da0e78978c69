//! The table itself: enough rules, each a word of its own, and what is kept of a warning.

use std::collections::BTreeSet;

use super::*;

#[test]
fn there_are_at_least_twenty_rules_each_with_a_code_of_its_own_val_1() {
    let codes: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.entry().code).collect();
    assert_eq!(codes.len(), Rule::ALL.len());
    assert!(20 <= codes.len(), "{}", codes.len());
    for rule in Rule::ALL {
        let Entry { code, field, means, hint, .. } = rule.entry();
        assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{code}");
        assert!(!field.is_empty() && means.ends_with('.') && hint.ends_with('.'), "{code}");
    }
}

#[test]
fn a_warning_that_was_kept_still_knows_its_rule() {
    for rule in Rule::ALL {
        let warning = Warning::from(rule.found("field", "message"));
        assert_eq!(warning.rule(), Some(*rule));
    }
    let unknown = Warning { code: "of_another_build".to_owned(), field: "x".to_owned() };
    assert_eq!(unknown.rule(), None);
}

#[test]
fn a_region_is_known_by_its_name_c_25() {
    assert_eq!("ph".parse(), Ok(Region::Philippines));
    assert_eq!("generic".parse(), Ok(Region::Generic));
    assert_eq!("atlantis".parse::<Region>(), Err(UnknownRegion));
    for region in [Region::Generic, Region::Philippines] {
        assert_eq!(region.to_string().parse(), Ok(region));
    }
}
