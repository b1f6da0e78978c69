//! Query parameters, read strictly: each known, each once, each in range.

use std::collections::BTreeMap;

use http::Uri;

use crate::problem::{FieldError, Problem};

/// The parameters of one request, and what is wrong with them.
#[derive(Debug)]
pub(crate) struct Query {
    values: BTreeMap<String, String>,
    errors: Vec<FieldError>,
}

impl Query {
    /// Splits the query; only `known` parameters may be in it.
    pub(crate) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let mut query = Self { values: BTreeMap::new(), errors: Vec::new() };
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri);
        let Ok(axum::extract::Query(pairs)) = pairs else {
            let hint = "Percent-encode the parameters in UTF-8.";
            query.push(FieldError::new("query", "invalid_value", "it cannot be read", hint));
            return Err(query.into_problem());
        };
        for (name, value) in pairs {
            if !known.contains(&name.as_str()) {
                let hint = format!("Known: {}.", known.join(", "));
                let message = "a parameter is not known here";
                query.push(FieldError::new("query", "unknown_field", message, hint));
            } else if query.values.insert(name.clone(), value).is_some() {
                let message = "the parameter stands twice";
                query.push(FieldError::new(name, "duplicate_field", message, "Send it once."));
            }
        }
        Ok(query)
    }

    /// A parameter in its own form.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.values.get(name)?;
        let value = read(text);
        if value.is_none() {
            let hint = format!("Expected {expected}.");
            self.push(FieldError::new(name, "invalid_value", "the value cannot be used", hint));
        }
        value
    }

    /// A whole number in a range.
    pub(crate) fn number(&mut self, name: &'static str, min: u64, max: u64) -> Option<u64> {
        self.read(name, &format!("a whole number from {min} to {max}"), |text| {
            text.parse().ok().filter(|number| (min..=max).contains(number))
        })
    }

    /// Notes something else that is wrong.
    pub(crate) fn push(&mut self, error: FieldError) {
        self.errors.push(error);
    }

    /// Whether everything could be used.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.into_problem()) }
    }

    fn into_problem(self) -> Problem {
        Problem::invalid(self.errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(uri: &'static str) -> Vec<&'static str> {
        let mut query = match Query::of(&Uri::from_static(uri), &["a", "b"]) {
            Ok(query) => query,
            Err(problem) => return problem.errors().iter().map(|error| error.code).collect(),
        };
        query.number("a", 1, 10);
        match query.finish() {
            Ok(()) => Vec::new(),
            Err(problem) => problem.errors().iter().map(|error| error.code).collect(),
        }
    }

    #[test]
    fn parameters_are_known_and_stand_once() {
        assert_eq!(codes("/"), [""; 0]);
        assert_eq!(codes("/?a=1&b=x"), [""; 0]);
        assert_eq!(codes("/?c=1"), ["unknown_field"]);
        assert_eq!(codes("/?a=1&a=2"), ["duplicate_field"]);
        assert_eq!(codes("/?a=11"), ["invalid_value"]);
        assert_eq!(codes("/?a=-1&c=2"), ["unknown_field", "invalid_value"]);
    }
}
