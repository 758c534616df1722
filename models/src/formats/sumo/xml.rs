//! Elements of an XML text with their line numbers and attributes.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::{Fault, Flaw, Place, short};
use crate::network::Point;
use crate::units::Ds;

/// Most attributes an element may have; SUMO's richest has about 30.
const ATTRIBUTES_MAX: usize = 100;
/// Deepest nesting; SUMO's own is 5.
const DEPTH_MAX: usize = 64;
/// Furthest a coordinate may lie from the origin, in metres: about 25 times round the globe.
const COORDINATE_MAX_M: f64 = 1e9;

/// What happens next in the text.
pub(in crate::formats) enum Token {
    /// An element starts; `empty` ones end at once and are not reported again.
    Start { tag: String, attributes: Attributes, empty: bool },
    /// The innermost open element ends.
    End,
    /// The text ends, every element closed.
    Eof,
}

/// Walks a text element by element.
pub(in crate::formats) struct Elements<'t> {
    reader: Reader<&'t [u8]>,
    text: &'t [u8],
    counted_to: usize,
    line: u32,
    depth: usize,
    rooted: bool,
}

impl<'t> Elements<'t> {
    pub(in crate::formats) fn of(text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let reader = Reader::from_str(text);
        Self { reader, text: text.as_bytes(), counted_to: 0, line: 1, depth: 0, rooted: false }
    }

    fn line_at(&mut self, offset: u64) -> u32 {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).clamp(self.counted_to, self.text.len());
        let breaks = self.text[self.counted_to..offset].iter().filter(|b| **b == b'\n').count();
        self.counted_to = offset;
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.line
    }

    pub(in crate::formats) fn next(&mut self) -> Result<Token, Fault> {
        loop {
            let line = self.line_at(self.reader.buffer_position());
            let event = self.reader.read_event();
            match event {
                Ok(Event::Start(e)) => return self.start(&e, line, false),
                Ok(Event::Empty(e)) => return self.start(&e, line, true),
                Ok(Event::End(_)) => {
                    self.depth -= 1;
                    return Ok(Token::End);
                }
                Ok(Event::Eof) if self.depth > 0 => return Err(Fault::xml(line, "the file ends inside an element")),
                Ok(Event::Eof) if !self.rooted => return Err(Fault::xml(line, "there is no element")),
                Ok(Event::Eof) => return Ok(Token::Eof),
                Ok(_) => {}
                Err(e) => {
                    let line = self.line_at(self.reader.error_position());
                    return Err(Fault::xml(line, e));
                }
            }
        }
    }

    fn start(&mut self, e: &BytesStart<'_>, line: u32, empty: bool) -> Result<Token, Fault> {
        if self.depth == 0 && self.rooted {
            return Err(Fault::xml(line, "there is more than one outermost element"));
        }
        self.rooted = true;
        if !empty {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(Fault::xml(line, format!("elements are nested more than {DEPTH_MAX} deep")));
            }
        }
        let mut found: Vec<(String, String)> = Vec::new();
        for attribute in e.attributes().with_checks(false) {
            let attribute = attribute.map_err(|e| Fault::xml(line, e))?;
            let key = attribute.key.as_ref().to_owned();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| Fault::xml(line, e))?;
            if found.iter().any(|(k, _)| *k == key) {
                return Err(Fault::xml(line, format!("attribute '{key}' is given twice")));
            }
            if found.len() == ATTRIBUTES_MAX {
                return Err(Fault::xml(line, format!("an element has more than {ATTRIBUTES_MAX} attributes")));
            }
            found.push((key, value.into_owned()));
        }
        let attributes = Attributes { line, found };
        Ok(Token::Start { tag: e.name().as_ref().to_owned(), attributes, empty })
    }
}

/// Attributes of one element.
pub(in crate::formats) struct Attributes {
    pub(in crate::formats) line: u32,
    found: Vec<(String, String)>,
}

impl Attributes {
    pub(in crate::formats) fn get(&self, name: &str) -> Option<&str> {
        self.found.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    /// All attributes, in file order.
    pub(in crate::formats) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.found.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// True when the attribute says so in one of SUMO's words.
    pub(in crate::formats) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "True" | "1" | "yes" | "on" | "x" | "t"))
    }

    /// Where the element stands, known by its attribute `id`.
    pub(in crate::formats) fn place(&self, element: &'static str) -> Result<Place, Fault> {
        let place = |id: &str| Place { line: self.line, element, id: id.into() };
        match self.get("id") {
            Some("") => Err(place("").fault(value("id", "", "a name"))),
            Some(id) => Ok(place(id)),
            None => Err(place("?").fault(Flaw::Missing { name: "id" })),
        }
    }

    pub(in crate::formats) fn text(&self, at: &Place, name: &'static str) -> Result<String, Fault> {
        self.get(name).map(str::to_owned).ok_or_else(|| at.fault(Flaw::Missing { name }))
    }

    pub(in crate::formats) fn number(&self, at: &Place, name: &'static str) -> Result<f64, Fault> {
        self.number_if(at, name)?.ok_or_else(|| at.fault(Flaw::Missing { name }))
    }

    pub(in crate::formats) fn number_if(&self, at: &Place, name: &'static str) -> Result<Option<f64>, Fault> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.trim().parse::<f64>() {
            Ok(v) if v.is_finite() && v.abs() <= COORDINATE_MAX_M => Ok(Some(v)),
            _ => Err(at.fault(value(name, text, "a finite number"))),
        }
    }

    pub(in crate::formats) fn positive(&self, at: &Place, name: &'static str) -> Result<f64, Fault> {
        match self.number(at, name)? {
            v if v > 0.0 => Ok(v),
            _ => Err(at.fault(value(name, self.get(name).unwrap_or(""), "above zero"))),
        }
    }

    pub(in crate::formats) fn index(&self, at: &Place, name: &'static str) -> Result<u32, Fault> {
        self.index_if(at, name)?.ok_or_else(|| at.fault(Flaw::Missing { name }))
    }

    pub(in crate::formats) fn index_if(&self, at: &Place, name: &'static str) -> Result<Option<u32>, Fault> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| at.fault(value(name, text, "a whole number from 0")))
    }

    /// A duration in seconds, as deciseconds.
    pub(in crate::formats) fn duration_if(&self, at: &Place, name: &'static str) -> Result<Option<Ds>, Fault> {
        let Some(v) = self.number_if(at, name)? else { return Ok(None) };
        Ds::from_seconds(v)
            .map(Some)
            .map_err(|_| at.fault(value(name, self.get(name).unwrap_or(""), "a duration in seconds")))
    }

    /// Points as SUMO writes them: `x,y` or `x,y,z`, separated by blanks.
    pub(in crate::formats) fn points(&self, at: &Place, name: &'static str) -> Result<Vec<Point>, Fault> {
        let Some(text) = self.get(name) else { return Ok(Vec::new()) };
        let bad = || at.fault(value(name, text, "a list of points x,y"));
        text.split_whitespace()
            .map(|point| {
                let mut numbers = point.split(',').map(|n| n.parse::<f64>().ok().filter(|v| usable(*v)));
                match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
                    (Some(Some(x)), Some(Some(y)), None | Some(Some(_)), None) => Ok(Point { x, y }),
                    _ => Err(bad()),
                }
            })
            .collect()
    }
}

fn usable(coordinate: f64) -> bool {
    coordinate.is_finite() && coordinate.abs() <= COORDINATE_MAX_M
}

/// The flaw of a value that is not what it should be.
pub(in crate::formats) fn value(name: &'static str, value: &str, expected: &'static str) -> Flaw {
    Flaw::Value { name, value: short(value), expected }
}
