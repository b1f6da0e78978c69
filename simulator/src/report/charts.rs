//! Charts as inline SVG that takes its ink from the page, so that it reads in light and dark.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::RunReport;
use super::latency::Curve;
use super::summary::Second;

type Failure = Box<dyn std::error::Error>;
type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A named line of (x, y) points.
pub(crate) type Line = (&'static str, RGBColor, Vec<(f64, f64)>);

/// What stands beside a chart.
pub(crate) struct Axes {
    /// What x is.
    pub(crate) x: &'static str,
    /// What y is.
    pub(crate) y: &'static str,
    /// Labels along x.
    pub(crate) steps: usize,
    /// Where the names of the lines stand.
    pub(crate) legend: SeriesLabelPosition,
}

/// Names of lines that rise.
pub(crate) const LEFT: SeriesLabelPosition = SeriesLabelPosition::UpperLeft;
/// Names of lines that fall.
pub(crate) const RIGHT: SeriesLabelPosition = SeriesLabelPosition::UpperRight;
/// The library draws text at four fifths of the size that it is told.
const FONT: (&str, u32) = ("sans-serif", 16);
const SIZE: (u32, u32) = (860, 300);
/// Stands for the page's own text colour; replaced after drawing.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_IN_SVG: &str = "#010203";
// Middle tones that keep their contrast on white and on near black.
pub(crate) const GREEN: RGBColor = RGBColor(38, 152, 92);
pub(crate) const AMBER: RGBColor = RGBColor(201, 128, 20);
const RED: RGBColor = RGBColor(214, 69, 65);
pub(crate) const BLUE: RGBColor = RGBColor(66, 133, 214);

/// Latency over the share of answers, one line per kind.
pub(super) fn latency(report: &RunReport) -> Result<String, Failure> {
    let colours = [GREEN, AMBER, BLUE];
    let lines: Vec<Line> = report
        .curves
        .iter()
        .zip(colours)
        .map(|((name, curve), colour)| (*name, colour, positions(curve)))
        .collect();
    let labels: Vec<String> = report
        .curves
        .iter()
        .map(|(_, curve)| curve)
        .find(|curve| !curve.is_empty())
        .map(|curve| curve.iter().map(|(share, _)| share.clone()).collect())
        .unwrap_or_default();
    // Equal steps between the shares: the nines get the room that they deserve.
    let label = |x: &f64| {
        labels
            .iter()
            .zip(0_u32..)
            .find(|(_, index)| (f64::from(*index) - x).abs() < 0.01)
            .map_or_else(String::new, |(share, _)| format!("{share} %"))
    };
    let steps = labels.len().max(2);
    let axes = Axes { x: "share of answers", y: "ms", steps, legend: LEFT };
    draw(&lines, &axes, &label)
}

fn positions(curve: &Curve) -> Vec<(f64, f64)> {
    (0_u32..)
        .zip(curve)
        .map(|(index, (_, micros))| (f64::from(index), real(*micros) / 1_000.0))
        .collect()
}

/// Answers per second by kind.
pub(super) fn answers(report: &RunReport) -> Result<String, Failure> {
    let line = |name, colour, pick: fn(&Second) -> u64| -> Line {
        // A step per second, so that a run of one second is seen too.
        let step = |at: &Second| {
            let count = real(pick(at));
            [(real(at.second), count), (real(at.second.saturating_add(1)), count)]
        };
        let points = report.per_second.iter().flat_map(step).collect();
        (name, colour, points)
    };
    let lines = [
        line("accepted", GREEN, |at| at.accepted),
        line("refused", AMBER, |at| at.refused),
        line("too busy", BLUE, |at| at.turned_away),
        line("errors", RED, |at| at.errors),
    ];
    let axes =
        Axes { x: "s since the opening", y: "answers in the second", steps: 10, legend: RIGHT };
    draw(&lines, &axes, &plain)
}

/// Stock left over time, by acknowledgement and as the product page showed it. The time
/// after the last sale is mostly left out: nothing happens there.
pub(super) fn stock(report: &RunReport) -> Result<String, Failure> {
    let last_sale = report.units_left.last().map_or(0, |at| at.at_ms);
    let end = last_sale.saturating_mul(2).max(500);
    let at = |ms: u64, units: u64| (real(ms) / 1_000.0, real(units));
    let promised = report.units_left.iter().map(|left| at(left.at_ms, left.units));
    let rest = report.units_left.last().map(|left| at(end, left.units));
    let mut lines: Vec<Line> =
        vec![("loaded less acknowledged", GREEN, promised.chain(rest).collect())];
    // A reading holds until the next one: what lies between two of them was not seen.
    let mut shown: Vec<(f64, f64)> = Vec::new();
    for sample in report.stock_samples.iter().take_while(|sample| sample.at_ms <= end) {
        let seen = at(sample.at_ms, sample.stock.available);
        if let Some((_, before)) = shown.last().copied() {
            shown.push((seen.0, before));
        }
        shown.push(seen);
    }
    if !shown.is_empty() {
        lines.push(("available on the product page", BLUE, shown));
    }
    let axes = Axes { x: "s since the opening", y: "units", steps: 10, legend: RIGHT };
    draw(&lines, &axes, &plain)
}

/// Draws lines between axes that start at zero.
pub(crate) fn draw(
    lines: &[Line],
    axes: &Axes,
    x_label: &dyn Fn(&f64) -> String,
) -> Result<String, Failure> {
    let mut svg = String::new();
    {
        let canvas: Canvas<'_> = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let reach = |pick: fn(&(f64, f64)) -> f64, least: f64| {
            lines.iter().flat_map(|(_, _, points)| points).map(pick).fold(least, f64::max)
        };
        let mut chart = ChartBuilder::on(&canvas)
            .margin(8)
            .margin_right(24)
            .x_label_area_size(40)
            .y_label_area_size(64)
            .build_cartesian_2d(
                0.0..reach(|point| point.0, 0.1),
                0.0..reach(|point| point.1, 1.0) * 1.05,
            )?;
        chart
            .configure_mesh()
            .axis_style(INK.mix(0.5))
            .bold_line_style(INK.mix(0.12))
            .light_line_style(TRANSPARENT)
            .label_style(FONT.into_font().color(&INK))
            .x_labels(axes.steps)
            .y_labels(6)
            .x_label_formatter(x_label)
            .y_label_formatter(&plain)
            .x_desc(axes.x)
            .y_desc(axes.y)
            .draw()?;
        for (name, colour, points) in lines {
            let colour = *colour;
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
                .label(*name)
                .legend(move |(x, y)| {
                    PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(3))
                });
        }
        chart
            .configure_series_labels()
            .position(axes.legend.clone())
            .label_font(FONT.into_font().color(&INK))
            .draw()?;
        canvas.present()?;
    }
    Ok(svg.replace(INK_IN_SVG, "currentColor"))
}

/// A label with as many digits as it needs, at most two behind the point.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the chart library hands out references")]
pub(crate) fn plain(value: &f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count as a coordinate; beyond four thousand million it stays there.
fn real(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
