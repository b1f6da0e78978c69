//! Found violations.
