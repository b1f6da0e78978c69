//! Texts of strangers: what could do something wherever it is shown is refused, not mended.

use super::row::RowFault;

/// What a spreadsheet takes for the beginning of a formula, also in full width.
const FORMULA_STARTS: [char; 8] =
    ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// What becomes markup or code somewhere, after upper case and spaces are taken out.
const MARKUP: [&str; 8] =
    ["javascript:", "vbscript:", "data:text/", "%3c", "%3e", "{{", "${", "\\u003c"];

/// What is a statement and no name, in lower case with single spaces.
const STATEMENTS: [&str; 12] = [
    "' or ",
    "\" or ",
    "'--",
    "';",
    "\";",
    "; drop ",
    ";drop ",
    "union select ",
    "union all select ",
    "insert into ",
    "delete from ",
    "xp_cmdshell",
];

/// The first thing that is wrong with a text, if anything.
pub(super) fn fault(text: &str, max: usize) -> Option<RowFault> {
    if max < text.len() {
        return Some(RowFault::TooLong);
    }
    if starts_formula(text) {
        return Some(RowFault::Formula);
    }
    if text.chars().any(is_deceptive) {
        return Some(RowFault::ControlCharacter);
    }
    if is_markup(text) {
        return Some(RowFault::Markup);
    }
    is_statement(text).then_some(RowFault::Statement)
}

/// Spreadsheets look past blanks and quotes, and take a tab for a beginning of its own.
fn starts_formula(text: &str) -> bool {
    let is_skipped = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\u{feff}');
    text.starts_with(['\t', '\r', '\n'])
        || text.trim_start_matches(is_skipped).starts_with(FORMULA_STARTS)
}

/// Whether a character changes how others are shown, or is not shown itself.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

fn is_markup(text: &str) -> bool {
    if text.contains(['<', '>', '\u{ff1c}', '\u{ff1e}', '\u{fe64}', '\u{fe65}']) {
        return true;
    }
    let dense: String =
        text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    MARKUP.iter().any(|mark| dense.contains(mark)) || holds_entity(text)
}

/// `&name;` or `&#…`: what a browser reads as another character.
fn holds_entity(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        rest.starts_with('#')
            || rest.split_once(';').is_some_and(|(name, _)| {
                (2..=12).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
            })
    })
}

fn is_statement(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain = words.join(" ").to_lowercase();
    STATEMENTS.iter().any(|statement| plain.contains(statement))
}
