//! Plots of drops against memory, as SVG: one panel a setting, one colour a rule, every run a dot, the mean a ring with bars from the
//! least to the most.
//!
//! **Limits.** [`COLOURS`] rules tell apart; further ones share colours.

use std::fmt::Write as _;

/// Colours that people who see few colours tell apart as well (Okabe and Ito, *Color Universal Design*, 2008), then greys.
pub const COLOURS: [&str; 9] =
    ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c", "#7f5539"];

const PANEL: (f64, f64) = (400.0, 300.0);
/// Left, top, right and bottom of a panel.
const MARGIN: [f64; 4] = [62.0, 34.0, 14.0, 46.0];
const LEGEND_HEIGHT: f64 = 52.0;
const LEGEND_COLUMNS: usize = 5;
const TICKS: usize = 5;

/// The runs of one rule.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The rule.
    pub name: String,
    /// Memory and drops of each run.
    pub runs: Vec<(f64, f64)>,
}

/// One panel.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// What is the same for all of its runs.
    pub title: String,
    /// What memory is given as.
    pub x_label: String,
    /// What drops are given as.
    pub y_label: String,
    /// Rules, in the same order in all panels; the legend is that of the panel with the most.
    pub series: Vec<Series>,
}

/// Draws panels, `columns` in a row, with one legend for all.
pub fn draw(panels: &[Panel], columns: usize) -> String {
    let columns = columns.clamp(1, panels.len().max(1));
    let rows = panels.len().div_ceil(columns);
    let (width, height) = (columns as f64 * PANEL.0, rows as f64 * PANEL.1 + LEGEND_HEIGHT);
    let mut out = String::new();
    let mut put = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    put(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\"><rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
    ));
    for (place, panel) in panels.iter().enumerate() {
        let (x, y) = ((place % columns) as f64 * PANEL.0, (place / columns) as f64 * PANEL.1);
        put(format!("<g transform=\"translate({x},{y})\">{}</g>", panel.draw()));
    }
    let named = panels.iter().map(|panel| &panel.series[..]).max_by_key(|series| series.len()).unwrap_or_default();
    for (place, series) in named.iter().enumerate() {
        let step = width / LEGEND_COLUMNS as f64;
        let x = 16.0 + (place % LEGEND_COLUMNS) as f64 * step;
        let y = height - LEGEND_HEIGHT + 16.0 + (place / LEGEND_COLUMNS) as f64 * 18.0;
        let (colour, name) = (colour(place), escaped(&series.name));
        put(format!(
            "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{y:.1}\">{name}</text>",
            y - 4.0,
            x + 10.0
        ));
    }
    put("</svg>".to_owned());
    out
}

impl Panel {
    fn draw(&self) -> String {
        let runs = || self.series.iter().flat_map(|series| &series.runs);
        let (x_most, y_most) = (ceiling(runs().map(|run| run.0)), ceiling(runs().map(|run| run.1)));
        let [left, top, right, bottom] = MARGIN;
        let x_at = |x: f64| left + x / x_most * (PANEL.0 - left - right);
        let y_at = |y: f64| PANEL.1 - bottom - y / y_most * (PANEL.1 - top - bottom);
        let mut out = format!("<text x=\"{left}\" y=\"20\" font-weight=\"bold\">{}</text>", escaped(&self.title));
        for tick in 0..=TICKS {
            let part = tick as f64 / TICKS as f64;
            let (x, y) = (x_at(part * x_most), y_at(part * y_most));
            let _ = write!(
                out,
                "<line x1=\"{left}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{}</text><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                PANEL.0 - right,
                left - 6.0,
                y + 4.0,
                number(part * y_most),
                PANEL.1 - bottom + 15.0,
                number(part * x_most)
            );
        }
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><text transform=\"translate(14,{:.1}) rotate(-90)\" \
             text-anchor=\"middle\">{}</text>",
            f64::midpoint(left, PANEL.0 - right),
            PANEL.1 - 14.0,
            escaped(&self.x_label),
            f64::midpoint(top, PANEL.1 - bottom),
            escaped(&self.y_label)
        );
        for (place, series) in self.series.iter().enumerate().filter(|(_, series)| !series.runs.is_empty()) {
            series.draw(colour(place), x_at, y_at, &mut out);
        }
        out
    }
}

impl Series {
    fn draw(&self, colour: &str, x_at: impl Fn(f64) -> f64, y_at: impl Fn(f64) -> f64, out: &mut String) {
        for (x, y) in &self.runs {
            let _ = write!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\" fill=\"{colour}\" fill-opacity=\"0.5\"/>",
                x_at(*x),
                y_at(*y)
            );
        }
        let (x, y) = (Spread::of(self.runs.iter().map(|run| run.0)), Spread::of(self.runs.iter().map(|run| run.1)));
        let _ = write!(
            out,
            "<g stroke=\"{colour}\" fill=\"none\"><line x1=\"{:.1}\" y1=\"{my:.1}\" x2=\"{:.1}\" y2=\"{my:.1}\"/><line x1=\"{mx:.1}\" \
             y1=\"{:.1}\" x2=\"{mx:.1}\" y2=\"{:.1}\"/><circle cx=\"{mx:.1}\" cy=\"{my:.1}\" r=\"5\" stroke-width=\"2\"/></g>",
            x_at(x.least),
            x_at(x.most),
            y_at(y.least),
            y_at(y.most),
            mx = x_at(x.mean),
            my = y_at(y.mean)
        );
    }
}

/// Least, mean and most of some runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The least.
    pub least: f64,
    /// The mean.
    pub mean: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// Of at least one value; zeros of none.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut most, mut sum, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0_u32);
        for value in values {
            (least, most, sum, count) = (least.min(value), most.max(value), sum + value, count + 1);
        }
        if count == 0 {
            return Self { least: 0.0, mean: 0.0, most: 0.0 };
        }
        Self { least, mean: sum / f64::from(count), most }
    }
}

/// The end of an axis: 1, 2 or 5 times a power of ten, not under any of `values`.
fn ceiling(values: impl Iterator<Item = f64>) -> f64 {
    let most = values.fold(0.0, f64::max);
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|end| *end >= most).unwrap_or(most)
}

fn number(value: f64) -> String {
    if value == 0.0 || value >= 10.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!([0.0, 0.7, 1.0, 13.0, 57.7].map(|most| ceiling([most].into_iter())), [1.0, 1.0, 1.0, 20.0, 100.0]);
        assert_eq!([0.0, 0.4, 20.0].map(number), ["0", "0.4", "20"]);
    }

    #[test]
    fn a_plot_has_every_run_and_names_are_text() {
        let series = |name: &str| Series { name: name.to_owned(), runs: vec![(1.0, 2.0), (3.0, 4.0)] };
        let panel = Panel { series: vec![series("a<b"), Series::default()], ..Panel::default() };
        let text = draw(&[panel.clone(), panel], 2);
        assert_eq!(text.matches("r=\"2\"").count(), 4);
        assert!(text.contains("a&lt;b") && text.starts_with("<svg") && text.ends_with("</svg>\n"));
        assert_eq!(Spread::of([1.0, 4.0].into_iter()), Spread { least: 1.0, mean: 2.5, most: 4.0 });
    }
}
