//! A row of a feed: as any format gives it, and as the shop knows it once it was judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::text;
use crate::catalog::ProductStatus;
use crate::values::{Currency, Money, Quantity, Sku};

/// Longest name, in bytes.
pub const NAME_MAX: usize = 200;

/// Longest number, in characters.
pub const NUMBER_MAX: usize = 20;

/// Highest price, in smallest units: a thousand million of most currencies.
pub const PRICE_MINOR_MAX: i64 = 100_000_000_000;

/// Most units of a product.
pub const STOCK_MAX: u32 = 100_000_000;

/// What a row can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowField {
    /// The row as a whole.
    Row,
    /// The partner's own name for the product.
    Sku,
    /// What people read.
    Name,
    /// Price of one unit, as a decimal number.
    Price,
    /// ISO 4217 code of the price.
    Currency,
    /// Units that are there, held ones included.
    Stock,
    /// Units that came in addition.
    Received,
    /// `active` or `inactive`.
    Status,
}

impl RowField {
    /// What a row has, by name.
    pub const NAMED: [Self; 7] = [
        Self::Sku,
        Self::Name,
        Self::Price,
        Self::Currency,
        Self::Stock,
        Self::Received,
        Self::Status,
    ];

    /// Its name in feeds and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Sku => "sku",
            Self::Name => "name",
            Self::Price => "price",
            Self::Currency => "currency",
            Self::Stock => "stock",
            Self::Received => "received",
            Self::Status => "status",
        }
    }

    /// The field of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|field| field.as_str() == name)
    }
}

macro_rules! faults {
    ($($name:ident $word:literal $message:literal;)*) => {
        /// Why a row is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum RowFault {
            $(#[doc = $message] $name,)*
        }

        impl RowFault {
            /// Every fault.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Stable code for machines.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What is wrong, for people.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

faults! {
    Missing "missing" "The field must be there.";
    UnknownField "unknown_field" "The row has a field that is not known.";
    DuplicateField "duplicate_field" "The field stands twice.";
    WrongType "wrong_type" "The value is neither a text nor a number.";
    WrongColumns "wrong_columns" "The row has more or fewer columns than the header.";
    InvalidUtf8 "invalid_utf8" "The text is not UTF-8.";
    TooLong "too_long" "The text is longer than allowed.";
    ControlCharacter "control_character" "The text holds control characters, seen or unseen.";
    Formula "formula" "The text begins like a formula of a spreadsheet.";
    Markup "markup" "The text holds markup or code.";
    Statement "statement" "The text holds a statement of a database.";
    CardNumber "card_number" "The text holds what looks like a card number.";
    InvalidSku "invalid_sku" "The sku has other characters than letters, digits, dots, dashes and underscores, or more than 39.";
    DuplicateSku "duplicate_sku" "An earlier row of the feed has the same sku.";
    NotANumber "not_a_number" "The number is not written in plain digits.";
    TooPrecise "too_precise" "The price is finer than its currency.";
    OutOfRange "out_of_range" "The number is outside of what is allowed.";
    UnknownCurrency "unknown_currency" "The currency is no ISO 4217 code.";
    UnknownStatus "unknown_status" "The status is neither active nor inactive.";
    StockTwice "stock_twice" "The row says both stock and received.";
    NotSupplied "not_supplied" "The product belongs to somebody else.";
    CurrencyChanged "currency_changed" "A product keeps its currency.";
    Refused "refused" "The catalogue does not take the row as it is.";
    StockHeld "stock_held" "Fewer units than are promised to orders.";
}

/// Why a row was refused, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The line of the feed on which the row begins, from 1.
    pub line: u64,
    /// Which field.
    pub field: RowField,
    /// What is wrong.
    pub code: RowFault,
}

/// A row as a format gives it: texts by name, and what could not be read.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RawRow {
    line: u64,
    texts: BTreeMap<RowField, String>,
    errors: Vec<RowError>,
}

// What strangers send is not repeated in logs.
impl fmt::Debug for RawRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRow").field("line", &self.line).finish_non_exhaustive()
    }
}

impl RawRow {
    /// A row that begins on a line, from 1.
    pub fn at(line: u64) -> Self {
        Self { line, ..Self::default() }
    }

    /// Notes what a field says. An empty text counts as absent.
    pub fn put(&mut self, name: &str, text: &str) {
        self.put_bytes(name, text.as_bytes());
    }

    /// The same for bytes that should be UTF-8.
    pub fn put_bytes(&mut self, name: &str, bytes: &[u8]) {
        let Some(field) = RowField::parse(name) else {
            return self.refuse(RowField::Row, RowFault::UnknownField);
        };
        match std::str::from_utf8(bytes) {
            Err(_) => self.refuse(field, RowFault::InvalidUtf8),
            Ok("") => {}
            Ok(text) => {
                if self.texts.insert(field, text.to_owned()).is_some() {
                    self.refuse(field, RowFault::DuplicateField);
                }
            }
        }
    }

    /// Notes a field whose value is of another kind.
    pub fn put_misfit(&mut self, name: &str) {
        match RowField::parse(name) {
            Some(field) => self.refuse(field, RowFault::WrongType),
            None => self.refuse(RowField::Row, RowFault::UnknownField),
        }
    }

    /// Notes what is wrong. Each fault of a field counts once.
    pub fn refuse(&mut self, field: RowField, code: RowFault) {
        let error = RowError { line: self.line, field, code };
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// The line on which it begins.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// All its texts, for those who look for something in them.
    pub fn texts(&self) -> impl Iterator<Item = (RowField, &str)> {
        self.texts.iter().map(|(field, text)| (*field, text.as_str()))
    }

    fn required(&mut self, field: RowField) -> Option<String> {
        let text = self.texts.remove(&field);
        let is_refused = self.errors.iter().any(|error| error.field == field);
        if text.is_none() && !is_refused {
            self.refuse(field, RowFault::Missing);
        }
        text
    }

    fn units(&mut self, field: RowField) -> Option<Quantity> {
        let text = self.texts.remove(&field)?;
        let units = match digits(&text) {
            Some(units) if units <= u64::from(STOCK_MAX) => u32::try_from(units).ok(),
            Some(_) => None,
            None => {
                self.refuse(field, number_fault(&text));
                return None;
            }
        };
        if units.is_none() {
            self.refuse(field, RowFault::OutOfRange);
        }
        units.map(Quantity::new)
    }
}

/// What a row says about stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// So many units are there, held ones included.
    OnHand(Quantity),
    /// So many came in addition.
    Received(Quantity),
}

/// A partner's product, whatever it was written in: all that the shop knows of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerRow {
    /// The line on which it stood.
    pub line: u64,
    /// The partner's own name for it.
    pub sku: Sku,
    /// What people read.
    pub name: String,
    /// Price of one unit.
    pub price: Money,
    /// Whether it may be ordered; stays as it is when absent.
    pub status: Option<ProductStatus>,
    /// Its units, if the row says anything about them.
    pub supply: Option<Supply>,
}

/// Judges the rows of one feed in their order.
#[derive(Debug, Default)]
pub struct Judge {
    seen: BTreeSet<Sku>,
}

impl Judge {
    /// The product, or everything that is wrong with the row.
    ///
    /// # Errors
    ///
    /// One entry per fault, at least one.
    pub fn judge(&mut self, mut row: RawRow) -> Result<PartnerRow, Vec<RowError>> {
        let line = row.line;
        let sku = row.required(RowField::Sku).and_then(|text| {
            let parsed = Sku::parse(&text).ok();
            if parsed.is_none() {
                row.refuse(RowField::Sku, RowFault::InvalidSku);
            }
            parsed
        });
        if let Some(sku) = &sku
            && !self.seen.insert(sku.clone())
        {
            row.refuse(RowField::Sku, RowFault::DuplicateSku);
        }
        let name = row.required(RowField::Name);
        if let Some(fault) = name.as_deref().and_then(|name| text::fault(name, NAME_MAX)) {
            row.refuse(RowField::Name, fault);
        } else if name.as_deref().is_some_and(|name| name.trim().is_empty()) {
            row.refuse(RowField::Name, RowFault::Missing);
        }
        let price = price(&mut row);
        let status = row.texts.remove(&RowField::Status).and_then(|text| match text.as_str() {
            "active" => Some(ProductStatus::Active),
            "inactive" => Some(ProductStatus::Inactive),
            _ => {
                row.refuse(RowField::Status, RowFault::UnknownStatus);
                None
            }
        });
        let (stock, received) = (row.units(RowField::Stock), row.units(RowField::Received));
        let supply = match (stock, received) {
            (Some(_), Some(_)) => {
                row.refuse(RowField::Row, RowFault::StockTwice);
                None
            }
            (Some(units), None) => Some(Supply::OnHand(units)),
            (None, Some(units)) if units == Quantity::ZERO => None,
            (None, Some(units)) => Some(Supply::Received(units)),
            (None, None) => None,
        };
        match (sku, name, price) {
            (Some(sku), Some(name), Some(price)) if row.errors.is_empty() => {
                Ok(PartnerRow { line, sku, name, price, status, supply })
            }
            _ => Err(row.errors),
        }
    }
}

fn price(row: &mut RawRow) -> Option<Money> {
    let text = row.required(RowField::Price);
    let currency = row.required(RowField::Currency).and_then(|code| {
        let known = Currency::from_code(&code);
        if known.is_none() {
            row.refuse(RowField::Currency, RowFault::UnknownCurrency);
        }
        known
    });
    let (text, currency) = (text?, currency?);
    match amount(&text, currency) {
        Ok(price) => Some(price),
        Err(fault) => {
            row.refuse(RowField::Price, fault);
            None
        }
    }
}

/// Reads `19.99` exactly. Nothing is rounded: what is finer than the currency is refused.
fn amount(text: &str, currency: Currency) -> Result<Money, RowFault> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if NUMBER_MAX < text.len() || !is_digits(whole) || !is_digits(fraction) {
        return Err(number_fault(text));
    }
    let digits = currency.exponent().map_or(2, usize::from);
    let fraction = fraction.trim_end_matches('0');
    if digits < fraction.len() {
        return Err(RowFault::TooPrecise);
    }
    let minor: i64 =
        format!("{whole}{fraction:0<digits$}").parse().map_err(|_| RowFault::OutOfRange)?;
    if PRICE_MINOR_MAX < minor {
        return Err(RowFault::OutOfRange);
    }
    Ok(Money::new(minor, currency))
}

fn digits(text: &str) -> Option<u64> {
    let is_plain = text.len() <= NUMBER_MAX && text.bytes().all(|b| b.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

/// Why a text is no number here.
fn number_fault(text: &str) -> RowFault {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_number = unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && unsigned.bytes().any(|b| b.is_ascii_digit())
        && unsigned.matches('.').count() <= 1;
    let is_whole = !unsigned.contains('.');
    if is_number && (text.starts_with('-') || is_whole || NUMBER_MAX < text.len()) {
        RowFault::OutOfRange
    } else {
        RowFault::NotANumber
    }
}
