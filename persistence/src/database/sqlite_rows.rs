//! Many rows for one statement on SQLite.
//!
//! Statements stay prepared only while there are few different ones, and each trip to the thread of
//! a connection costs as much as ten rows. So a statement has room for a power of two of rows: the
//! places that are left over stay unbound, which SQLite takes for NULL, and are filtered out.

use std::fmt::Write as _;

/// Most rows of one statement: SQLite binds up to 32,766 values.
pub(crate) const ROWS_MAX: usize = 512;

/// Appends a table of rows with `columns` columns to a statement, with room for at least `rows`.
/// The first column of a row must not be NULL.
pub(crate) fn push_rows(sql: &mut String, columns: usize, rows: usize) {
    sql.push_str("SELECT * FROM (VALUES ");
    let row = format!("({}?)", "?,".repeat(columns.saturating_sub(1)));
    for number in 0..rows.next_power_of_two() {
        sql.push_str(if number == 0 { "" } else { "," });
        sql.push_str(&row);
    }
    // Writing to a string cannot fail.
    let _ = write!(sql, ") WHERE column1 IS NOT NULL");
}
