//! Line charts side by side, as SVG.

use plotters::prelude::*;

/// A named line.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// One chart; `log` says which of its axes are logarithmic.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) x: &'static str,
    pub(crate) log: [bool; 2],
    pub(crate) legend: SeriesLabelPosition,
    pub(crate) series: Vec<Series>,
}

const COLORS: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(255, 127, 14),
    RGBColor(23, 190, 207),
];

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Draws the panels in a row.
pub(crate) fn draw(path: &str, panels: &[Panel]) -> Outcome {
    let root = SVGBackend::new(path, (440 * panels.len() as u32, 400)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, panel) in root.split_evenly((1, panels.len())).iter().zip(panels) {
        panel.draw(area)?;
    }
    root.present()?;
    Ok(())
}

impl Panel {
    fn draw(&self, area: &DrawingArea<SVGBackend, plotters::coord::Shift>) -> Outcome {
        let [x_log, y_log] = self.log;
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 16))
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(self.range(|point| point.0), self.range(|point| point.1))?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .x_labels(5)
            .y_labels(7)
            .x_label_formatter(&|x| label(*x, x_log))
            .y_label_formatter(&|y| label(*y, y_log))
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (index, series) in self.series.iter().enumerate() {
            let style = COLORS[index % COLORS.len()].stroke_width(2);
            chart
                .draw_series(LineSeries::new(self.placed(series), style))?
                .label(&series.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
        }
        chart
            .configure_series_labels()
            .position(self.legend.clone())
            .background_style(WHITE.mix(0.8))
            .label_font(("sans-serif", 12))
            .draw()?;
        Ok(())
    }

    /// The points where they are drawn: on a logarithmic axis, at their decimal logarithm.
    fn placed<'a>(&self, series: &'a Series) -> impl Iterator<Item = (f64, f64)> + use<'a> {
        let [x, y] = self.log.map(|log| move |v: f64| if log { v.log10() } else { v });
        series.points.iter().map(move |point| (x(point.0), y(point.1)))
    }

    /// From the least to the largest coordinate, with a little room.
    fn range(&self, coordinate: impl Fn((f64, f64)) -> f64) -> std::ops::Range<f64> {
        let all = self.series.iter().flat_map(|series| self.placed(series)).map(coordinate);
        let (least, largest) = all.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        let room = 0.03 * (largest - least);
        least - room..largest + room
    }
}

/// Of a logarithmic axis, only the powers of ten are labelled.
fn label(value: f64, log: bool) -> String {
    match log {
        true if value.fract() == 0.0 => format!("{}", 10_f64.powf(value)),
        true => String::new(),
        false => format!("{value:.1}"),
    }
}
