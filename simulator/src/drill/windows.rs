//! Windows with and without a fault in turn, so that what else the machine does hits both.

use std::time::Duration;

use super::findings::{Findings, in_millis, quantile};
use super::ground::Ground;

/// Compares the p99s of windows without and with the fault. The worst one without it says how far
/// windows differ anyway: the usual one with it may be `factor` times that.
pub(super) fn compare(
    ground: &Ground,
    findings: &mut Findings,
    [without, with]: [&str; 2],
    (calm, faulty): (&[Duration], &[Duration]),
    factor: f64,
) {
    let (usual, worst) = (quantile(calm, 500), quantile(calm, 1_000));
    let disturbed = quantile(faulty, 500);
    findings.note(&format!("{without}, median window, ms"), in_millis(usual));
    findings.note(&format!("{without}, worst window, ms"), in_millis(worst));
    let name = format!("{with}, median window, ms");
    if ground.is_short() {
        // One window says nothing about a tail.
        findings.note(&name, in_millis(disturbed));
        return;
    }
    let demand = format!("≤ {factor} × the worst without");
    findings.demand(&name, in_millis(disturbed), &demand, disturbed <= worst.mul_f64(factor));
    let change = (disturbed.as_secs_f64() / usual.as_secs_f64() - 1.0) * 100.0;
    findings.note("median against median", format!("{change:+.1} %"));
}
