//! Drawing: scales, axes, and how numbers are written.

use std::fmt::Write;

/// Text as it may stand in HTML.
pub(super) fn esc(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A number with so many decimals and a real minus sign; never "−0".
pub(super) fn num(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// A relative change in percent, with its sign.
pub(super) fn percent(change: f64) -> String {
    let decimals = if change.abs() < 0.095 { 1 } else { 0 };
    let text = num(100.0 * change, decimals);
    if text.starts_with('−') || text.trim_matches(['0', '.']).is_empty() { text + " %" } else { format!("+{text} %") }
}

/// Half the width of an interval of a relative change, in percentage points, beside a change written by [`percent`].
pub(super) fn percent_half(change: f64, half: f64) -> String {
    let decimals = if change.abs() < 0.095 || half < 0.0095 { 1 } else { 0 };
    format!("{} %", num(100.0 * half, decimals))
}

/// A p-value.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".into() } else { format!("p = {}", num(p, if p < 0.01 { 3 } else { 2 })) }
}

/// Marks of an axis from 0 or so up to `max`: round numbers, about `wanted` of them.
pub(super) fn ticks(max: f64, wanted: usize) -> Vec<f64> {
    if max <= 0.0 || !max.is_finite() {
        return vec![0.0, 1.0];
    }
    let raw = max / wanted.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].iter().map(|m| m * power).find(|s| *s >= raw).unwrap_or(raw);
    let count = (max / step).ceil() as usize;
    (0..=count).map(|i| i as f64 * step).collect()
}

/// How many decimals the marks of an axis need.
pub(super) fn tick_decimals(ticks: &[f64]) -> usize {
    let step = ticks.get(1).map_or(1.0, |t| (t - ticks[0]).abs());
    if step >= 1.0 { 0 } else { (-step.log10().floor()).clamp(0.0, 6.0) as usize }
}

/// From values to pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

impl Scale {
    pub(super) fn at(&self, value: f64) -> f64 {
        let span = self.from.1 - self.from.0;
        let share = if span == 0.0 { 0.0 } else { (value - self.from.0) / span };
        self.to.0 + share * (self.to.1 - self.to.0)
    }
}

/// The data of a path through points.
pub(super) fn path(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut d = String::new();
    for (i, (x, y)) in points.into_iter().enumerate() {
        let _ = write!(d, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
    }
    d
}

/// A drawing of a size, with a name and a description for those who do not see it.
pub(super) fn drawing(width: f64, height: f64, title: &str, description: &str, inside: &str) -> String {
    format!(
        "<svg role=\"img\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         aria-label=\"{0}\"><title>{0}</title><desc>{1}</desc>{inside}</svg>",
        esc(title),
        esc(description),
    )
}

/// A line across at every mark, with the mark written to its left.
pub(super) fn y_axis(scale: &Scale, ticks: &[f64], x: (f64, f64), unit: &str) -> String {
    let decimals = tick_decimals(ticks);
    let mut s = String::new();
    for t in ticks {
        let y = scale.at(*t);
        let _ = write!(
            s,
            "<path class=\"grid\" d=\"M{:.1} {y:.1}H{:.1}\"/><text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            x.0,
            x.1,
            x.0 - 6.0,
            y + 4.0,
            num(*t, decimals)
        );
    }
    let _ = write!(
        s,
        "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        x.0,
        scale.to.0.min(scale.to.1) - 8.0,
        esc(unit)
    );
    s
}

/// Marks along the bottom.
pub(super) fn x_axis(scale: &Scale, ticks: &[f64], y: (f64, f64), write_tick: impl Fn(f64) -> String) -> String {
    let mut s = String::new();
    for t in ticks {
        let x = scale.at(*t);
        let _ = write!(
            s,
            "<path class=\"grid\" d=\"M{x:.1} {:.1}V{:.1}\"/><text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">{}</text>",
            y.0,
            y.1,
            y.1 + 16.0,
            esc(&write_tick(*t))
        );
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([num(-1.25, 1), num(-0.04, 1), num(3.0, 0)], ["−1.2", "0.0", "3"]);
        assert_eq!(
            [percent(-0.483), percent(0.031), percent(0.0), percent(0.12)],
            ["−48 %", "+3.1 %", "0.0 %", "+12 %"]
        );
        assert_eq!([p_value(0.0004), p_value(0.004), p_value(0.31)], ["p < 0.001", "p = 0.004", "p = 0.31"]);
        assert_eq!(esc("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
    }

    #[test]
    fn axes_have_round_marks() {
        assert_eq!(ticks(47.0, 5), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(ticks(0.9, 4), [0.0, 0.5, 1.0]);
        assert_eq!(tick_decimals(&ticks(0.9, 4)), 1);
        assert_eq!(ticks(0.0, 5), [0.0, 1.0]);
        assert_eq!(ticks(f64::NAN, 5), [0.0, 1.0]);
    }
}
