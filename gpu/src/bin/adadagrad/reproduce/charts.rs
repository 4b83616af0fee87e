//! Charts of a group of runs, as SVG.

use std::error::Error;

use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::coord::combinators::IntoLogRange;
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Rectangle, Text};
use plotters::series::LineSeries;
use plotters::style::{Color, RGBColor, ShapeStyle, WHITE};

use super::quantity::Course;
use super::timing::Timed;
use crate::numbers::rounded;

const SIZE: (u32, u32) = (1040, 420);
/// Pixels of its width for the names of the runs.
const LEGEND: u32 = 270;
const LETTERS: (&str, u32) = ("sans-serif", 13);

/// Seven that every kind of colour blindness leaves distinct (Okabe and Ito 2008), and one more.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(150, 140, 20),
];

/// A run with the first of its seeds.
pub(crate) struct Curve<'a> {
    pub(crate) title: &'a str,
    pub(crate) course: &'a Course,
}

/// What an axis shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Axis {
    /// Whole numbers from 0 on.
    Counts,
    /// Sizes, in powers of two.
    Powers,
    Values,
}

impl Axis {
    fn label(self, value: f64) -> String {
        match self {
            Self::Counts | Self::Powers => rounded(value),
            Self::Values => format!("{value:.3}"),
        }
    }
}

/// Batch size against samples seen.
pub(crate) fn batches(title: &str, curves: &[Curve<'_>]) -> Result<String, Box<dyn Error>> {
    let points = |course: &Course| {
        let steps = course.steps.iter();
        // A size holds from the sample at which its batch begins to that at which it ends.
        let sides = steps.flat_map(|step| {
            let begin = step.samples - u64::from(step.batch);
            [(begin, f64::from(step.batch)), (step.samples, f64::from(step.batch))]
        });
        thinned(sides.map(|(samples, batch)| (samples as f64, batch)).collect())
    };
    let drawn: Vec<_> = curves.iter().map(|curve| (curve.title, points(curve.course))).collect();
    draw(title, ["samples seen", "batch size"], &drawn, [Axis::Counts, Axis::Powers])
}

/// Test accuracy, or loss, against samples seen.
pub(crate) fn quality(title: &str, of_loss: bool, curves: &[Curve<'_>]) -> Result<String, Box<dyn Error>> {
    let points = |course: &Course| {
        let measured = course.steps.iter().filter_map(|step| {
            let value = if of_loss { step.test_loss } else { step.accuracy };
            Some((step.samples as f64, value?))
        });
        measured.collect::<Vec<_>>()
    };
    let drawn: Vec<_> = curves.iter().map(|curve| (curve.title, points(curve.course))).collect();
    let what = if of_loss { "test loss (nats)" } else { "test accuracy" };
    draw(title, ["samples seen", what], &drawn, [Axis::Counts, Axis::Values])
}

/// Samples per second against batch size, for each timing as shares of its best.
pub(crate) fn speeds(title: &str, timed: &[Timed]) -> Result<String, Box<dyn Error>> {
    let points = |timing: &Timed| {
        let best = timing.rows.iter().map(|row| row.per_second).fold(0.0, f64::max);
        timing.rows.iter().map(|row| (f64::from(row.batch), row.per_second / best)).collect::<Vec<_>>()
    };
    let drawn: Vec<_> = timed.iter().map(|timing| (timing.title.as_str(), points(timing))).collect();
    draw(title, ["batch size", "share of the best samples/s"], &drawn, [Axis::Powers, Axis::Values])
}

/// No more points than a chart has room for.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    const MOST: usize = 2000;
    let every = points.len().div_ceil(MOST).max(1);
    let last = points.len().saturating_sub(1);
    let kept = points.into_iter().enumerate().filter(|(index, _)| index % every == 0 || *index == last);
    kept.map(|(_, point)| point).collect()
}

fn draw(
    title: &str,
    [below, left_of]: [&str; 2],
    curves: &[(&str, Vec<(f64, f64)>)],
    [across, up]: [Axis; 2],
) -> Result<String, Box<dyn Error>> {
    let points = || curves.iter().flat_map(|(_, points)| points).filter(|(_, value)| value.is_finite());
    let right = points().map(|&(place, _)| place).fold(1.0, f64::max);
    let left = points().map(|&(place, _)| place).fold(right, f64::min).max(1.0);
    let low = points().map(|&(_, value)| value).fold(f64::INFINITY, f64::min);
    let high = points().map(|&(_, value)| value).fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low < high { (low, high) } else { (low.min(1.0) * 0.9, high.max(1.0) * 1.1) };
    let mut text = String::new();
    {
        let whole = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        whole.fill(&WHITE)?;
        let (area, legend) = whole.split_horizontally(SIZE.0 - LEGEND);
        let mut builder = ChartBuilder::on(&area);
        builder.caption(format!("{title}: {left_of}"), ("sans-serif", 18)).margin(12);
        builder.x_label_area_size(44).y_label_area_size(70);
        // The axes have different types.
        macro_rules! chart {
            ($horizontal:expr, $vertical:expr) => {{
                let mut chart = builder.build_cartesian_2d($horizontal, $vertical)?;
                let mut mesh = chart.configure_mesh();
                mesh.x_desc(below).y_desc(left_of).light_line_style(WHITE.mix(0.0)).label_style(LETTERS);
                let [of_x, of_y] = [across, up].map(|axis| move |value: &f64| axis.label(*value));
                mesh.x_label_formatter(&of_x).y_label_formatter(&of_y);
                mesh.x_labels(if across == Axis::Powers { 12 } else { 6 }).y_labels(10).draw()?;
                for ((_, points), colour) in curves.iter().zip(COLOURS.iter().cycle()) {
                    let style = ShapeStyle::from(colour).stroke_width(2);
                    chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
                }
            }};
        }
        let sizes = |low: f64, high: f64| (low.max(1.0) / 1.2..high * 1.2).log_scale().base(2.0);
        let room = 0.05 * (high - low);
        let values = low - room..high + room;
        match (across, up) {
            (Axis::Powers, Axis::Powers) => chart!(sizes(left, right), sizes(low, high)),
            (Axis::Powers, _) => chart!(sizes(left, right), values),
            (_, Axis::Powers) => chart!(0.0..right, sizes(low, high)),
            _ => chart!(0.0..right, values),
        }
        for (place, ((title, _), colour)) in curves.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let top = 48 + 20 * i32::try_from(place)?;
            legend.draw(&Rectangle::new([(0, top), (16, top + 4)], colour.filled()))?;
            legend.draw(&Text::new((*title).to_owned(), (22, top - 5), LETTERS))?;
        }
        whole.present()?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::quantity::tests::course_of;
    use super::*;

    #[test]
    fn a_chart_has_a_curve_for_each_run_and_its_words() {
        let courses = [course_of(&[8, 8, 64, 512]), course_of(&[16, 16])];
        let curves = [
            Curve { title: "adaptive", course: &courses[0] },
            Curve { title: "constant <16>", course: &courses[1] },
        ];
        let svg = batches("An experiment", &curves).expect("a chart");
        for colour in ["#0072B2", "#E69F00"] {
            assert!(svg.contains(&format!("stroke=\"{colour}\"")), "{colour} is missing");
        }
        for words in ["An experiment: batch size", "samples seen", "adaptive", "constant &lt;16&gt;"] {
            assert!(svg.contains(words), "{words} is missing");
        }
        // Where nothing was measured there is an empty chart.
        assert!(quality("Nothing", false, &curves).expect("a chart").contains("test accuracy"));
    }
}
