//! Charts as inline SVG that takes its ink from the page, so that it reads in light and dark.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::RunReport;
use super::latency::Curve;
use super::summary::Second;

type Failure = Box<dyn std::error::Error>;
type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A named line of (x, y) points.
type Line = (&'static str, RGBColor, Vec<(f64, f64)>);

const SIZE: (u32, u32) = (860, 300);
/// Stands for the page's own text colour; replaced after drawing.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_IN_SVG: &str = "#010203";
// Middle tones that keep their contrast on white and on near black.
const GREEN: RGBColor = RGBColor(38, 152, 92);
const AMBER: RGBColor = RGBColor(201, 128, 20);
const RED: RGBColor = RGBColor(214, 69, 65);
const BLUE: RGBColor = RGBColor(66, 133, 214);

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
    draw(&lines, "ms", "share of answers", steps, &label)
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
        let points = report.per_second.iter().map(|at| (real(at.second), real(pick(at)))).collect();
        (name, colour, points)
    };
    let lines = [
        line("accepted", GREEN, |at| at.accepted),
        line("refused", AMBER, |at| at.refused),
        line("too busy", BLUE, |at| at.turned_away),
        line("errors", RED, |at| at.errors),
    ];
    draw(&lines, "answers in the second", "s since the opening", 10, &|x| format!("{x:.0}"))
}

/// Stock left over time: as the product page showed it, else loaded less acknowledged.
pub(super) fn stock(report: &RunReport) -> Result<String, Failure> {
    let acknowledged = left_by_acknowledgement(report);
    let mut lines: Vec<Line> = vec![("loaded less acknowledged", GREEN, acknowledged)];
    if !report.stock_samples.is_empty() {
        let shown = report
            .stock_samples
            .iter()
            .map(|sample| (real(sample.at_ms) / 1_000.0, real(sample.stock.available)))
            .collect();
        lines.push(("available on the product page", BLUE, shown));
    }
    draw(&lines, "units", "s since the opening", 10, &|x| format!("{x:.1}"))
}

fn left_by_acknowledgement(report: &RunReport) -> Vec<(f64, f64)> {
    let mut left = report.options.units_loaded;
    let mut points = vec![(0.0, real(left))];
    for at in &report.per_second {
        left = left.saturating_sub(at.units);
        points.push((real(at.second.saturating_add(1)), real(left)));
    }
    points
}

fn draw(
    lines: &[Line],
    y_name: &str,
    x_name: &str,
    x_labels: usize,
    x_label: &dyn Fn(&f64) -> String,
) -> Result<String, Failure> {
    let mut svg = String::new();
    {
        let canvas: Canvas<'_> = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let reach = |pick: fn(&(f64, f64)) -> f64| {
            lines.iter().flat_map(|(_, _, points)| points).map(pick).fold(1.0_f64, f64::max)
        };
        let mut chart = ChartBuilder::on(&canvas)
            .margin(8)
            .margin_right(24)
            .x_label_area_size(40)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..reach(|point| point.0), 0.0..reach(|point| point.1) * 1.05)?;
        chart
            .configure_mesh()
            .axis_style(INK.mix(0.5))
            .bold_line_style(INK.mix(0.12))
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 12).into_font().color(&INK))
            .x_labels(x_labels)
            .y_labels(6)
            .x_label_formatter(x_label)
            .y_label_formatter(&|y| if *y < 10.0 { format!("{y:.1}") } else { format!("{y:.0}") })
            .x_desc(x_name)
            .y_desc(y_name)
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
            .position(SeriesLabelPosition::UpperRight)
            .label_font(("sans-serif", 12).into_font().color(&INK))
            .draw()?;
        canvas.present()?;
    }
    Ok(svg.replace(INK_IN_SVG, "currentColor"))
}

/// A count as a coordinate; beyond four thousand million it stays there.
fn real(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
