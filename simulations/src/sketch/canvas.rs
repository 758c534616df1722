//! An SVG document in metres, with north up and numbers short enough to keep files small.

use std::fmt::Write;

use greenkerb_models::network::Point;

/// A drawing under way.
pub(super) struct Canvas {
    body: String,
    low: Point,
    high: Point,
    margin_m: f64,
}

/// Text with what SVG cannot have in it escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A number with at most one decimal.
fn short(v: f64) -> String {
    let rounded = (v * 10.0).round() / 10.0;
    // No minus before zero.
    format!("{}", rounded + 0.0)
}

impl Canvas {
    /// A canvas for everything between two corners.
    pub(super) fn new(low: Point, high: Point, margin_m: f64) -> Self {
        Self { body: String::new(), low, high, margin_m }
    }

    /// Width and height in metres, margins included.
    pub(super) fn size_m(&self) -> (f64, f64) {
        let span = |a: f64, b: f64| (b - a).max(1.0) + 2.0 * self.margin_m;
        (span(self.low.x, self.high.x), span(self.low.y, self.high.y))
    }

    fn place(&self, p: Point) -> (String, String) {
        (short(p.x - self.low.x + self.margin_m), short(self.high.y - p.y + self.margin_m))
    }

    /// `M … L …` through points; nothing for fewer than two.
    pub(super) fn path(&self, points: &[Point], closed: bool) -> Option<String> {
        if points.len() < 2 {
            return None;
        }
        let mut d = String::new();
        let mut last = None;
        for p in points {
            let at = self.place(*p);
            if last.as_ref() == Some(&at) {
                continue;
            }
            let letter = if last.is_none() { 'M' } else { 'L' };
            let _ = write!(d, "{letter}{} {}", at.0, at.1);
            last = Some(at);
        }
        if closed {
            d.push('Z');
        }
        Some(d)
    }

    /// Opens a group with attributes.
    pub(super) fn open(&mut self, attributes: &str) {
        let _ = writeln!(self.body, "<g {attributes}>");
    }

    /// Closes a group.
    pub(super) fn close(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// A line or an area.
    pub(super) fn line(&mut self, points: &[Point], closed: bool, attributes: &str) {
        if let Some(d) = self.path(points, closed) {
            let _ =
                writeln!(self.body, "<path d=\"{d}\"{}{attributes}/>", if attributes.is_empty() { "" } else { " " });
        }
    }

    /// A dot with a name that shows when it is pointed at.
    pub(super) fn dot(&mut self, at: Point, radius_m: f64, name: &str, attributes: &str) {
        let (x, y) = self.place(at);
        let gap = if attributes.is_empty() { "" } else { " " };
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{}\"{gap}{attributes}><title>{}</title></circle>",
            short(radius_m),
            escaped(name)
        );
    }

    /// A square with a letter in it and a name that shows when it is pointed at.
    pub(super) fn sign(&mut self, at: Point, side_m: f64, letter: &str, name: &str, class: &str) {
        let (x, y) = self.place(at);
        let (x, y) = (x.parse::<f64>().unwrap_or(0.0), y.parse::<f64>().unwrap_or(0.0));
        let half = side_m / 2.0;
        let _ = writeln!(
            self.body,
            "<g class=\"{class}\"><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{s}\" height=\"{s}\" rx=\"{}\"/>\
             <text x=\"{}\" y=\"{}\" font-size=\"{}\">{}</text></g>",
            escaped(name),
            short(x - half),
            short(y - half),
            short(side_m / 6.0),
            short(x),
            short(y + side_m * 0.28),
            short(side_m * 0.8),
            escaped(letter),
            s = short(side_m),
        );
    }

    /// Words around a point.
    pub(super) fn words(&mut self, at: Point, size_m: f64, text: &str, attributes: &str) {
        let (x, y) = self.place(at);
        let gap = if attributes.is_empty() { "" } else { " " };
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"{gap}{attributes}>{}</text>",
            short(size_m),
            escaped(text)
        );
    }

    /// A bar of a round length in the lower left corner, with what it is.
    pub(super) fn scale(&mut self, size_m: f64) {
        let (width_m, _) = self.size_m();
        let wanted = width_m / 8.0;
        let magnitude = 10_f64.powf(wanted.log10().floor());
        let bar_m = [5.0, 2.0, 1.0].map(|k| k * magnitude).into_iter().find(|b| *b <= wanted).unwrap_or(magnitude);
        let y = self.low.y - self.margin_m * 0.6;
        let (a, b) = (self.low.x, self.low.x + bar_m);
        let tick = size_m * 0.35;
        let p = |x, y| Point { x, y };
        self.line(&[p(a, y + tick), p(a, y), p(b, y), p(b, y + tick)], false, "class=\"scale\"");
        let text = if bar_m >= 1_000.0 { format!("{} km", bar_m / 1_000.0) } else { format!("{bar_m} m") };
        self.words(p((a + b) / 2.0, y + size_m * 0.5), size_m, &text, "");
    }

    /// The whole document. `width_px` is how wide it is shown; its height follows.
    pub(super) fn finish(self, title: &str, style: &str, width_px: f64) -> String {
        let (w, h) = self.size_m();
        let height_px = (width_px * h / w).round();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{height_px}\" role=\"img\">\n\
             <title>{}</title>\n<style>{style}</style>\n{}</svg>\n",
            short(w),
            short(h),
            width_px,
            escaped(title),
            self.body,
        )
    }
}
