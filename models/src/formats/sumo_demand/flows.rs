//! Flows: when their vehicles come.

use super::draw::{Mix, unit};
use super::reader::Reader;
use super::time::instant_if;
use super::vehicles::{Course, Draft};
use crate::demand::{Emission, Flow, Trip};
use crate::formats::sumo::xml::value;
use crate::formats::sumo::{Fault, Flaw};
use crate::ids::KindId;
use crate::units::{TimeDs, VehPerHour};

/// SUMO's length of a flow that does not say when it ends.
const LENGTH_DEFAULT: TimeDs = TimeDs::from_s(86_400);
/// Most vehicles of one flow.
const VEHICLES_MAX: usize = 50_000_000;
/// Most vehicles of one flow that are written out one by one.
const WRITTEN_OUT_MAX: usize = 5_000_000;

/// How often vehicles come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rate {
    /// Every so many seconds.
    Every(f64),
    /// In each second with this chance.
    Chance(f64),
    /// So many per second on average, independent of each other.
    Poisson(f64),
}

fn rate(draft: &Draft) -> Result<Option<Rate>, Fault> {
    let (a, at) = (&draft.a, &draft.at);
    let given: Vec<&'static str> =
        ["period", "vehsPerHour", "perHour", "probability"].into_iter().filter(|n| a.get(n).is_some()).collect();
    if let [one, other, ..] = given[..] {
        return Err(at.fault(Flaw::Both { one, other }));
    }
    let Some(&name) = given.first() else { return Ok(None) };
    let text = a.get(name).unwrap_or("").trim();
    let exponent = text.strip_prefix("exp(").and_then(|t| t.strip_suffix(')'));
    if let (Some(per_s), "period") = (exponent, name) {
        return match per_s.trim().parse::<f64>() {
            Ok(v) if v.is_finite() && v > 0.0 && v <= 1e3 => Ok(Some(Rate::Poisson(v))),
            _ => Err(at.fault(value("period", text, "a rate above zero in exp(…)"))),
        };
    }
    let v = a.positive(at, name)?;
    match name {
        "period" => Ok(Some(Rate::Every(v))),
        "probability" if v <= 1.0 => Ok(Some(Rate::Chance(v))),
        "probability" => Err(at.fault(value("probability", text, "at most 1"))),
        _ => Ok(Some(Rate::Every(3_600.0 / v))),
    }
}

/// A flow's time and number, all told or derived as SUMO does.
struct Timing {
    begin: TimeDs,
    end: TimeDs,
    rate: Rate,
    /// Vehicles, where their number is fixed.
    count: Option<usize>,
}

impl Reader<'_> {
    fn timing(&mut self, draft: &Draft) -> Result<Timing, Fault> {
        let (a, at) = (&draft.a, &draft.at);
        let begin = instant_if(a, at, "begin")?.unwrap_or(self.options.begin);
        let end = instant_if(a, at, "end")?;
        let number = a.index_if(at, "number")?.map(|n| n as usize);
        let rate = rate(draft)?;
        if rate.is_some() && end.is_some() && number.is_some() {
            return Err(at.fault(Flaw::Both { one: "end", other: "number" }));
        }
        if end.is_some_and(|e| e < begin) {
            return Err(at.fault(Flaw::Backwards));
        }
        let told = end.unwrap_or_else(|| TimeDs(begin.0 + LENGTH_DEFAULT.0));
        if end.is_none() && (rate.is_none() || number.is_none()) {
            self.notes.add("flow without an end ends after 24 hours", &at.id);
        }
        let length_s = told.since(begin) as f64 / 10.0;
        let timing = match (rate, number) {
            (None, None) => return Err(at.fault(Flaw::Missing { name: "period' or 'number" })),
            (None, Some(n)) => {
                let rate = Rate::Every(length_s / (n.max(1)) as f64);
                Timing { begin, end: told, rate, count: Some(n) }
            }
            (Some(Rate::Every(period_s)), None) => {
                // The last one comes before the end.
                let count = (length_s / period_s).ceil();
                Timing { begin, end: told, rate: Rate::Every(period_s), count: Some(count as usize) }
            }
            (Some(rate), number) => Timing { begin, end: told, rate, count: number },
        };
        let expected = match (timing.count, timing.rate) {
            (Some(n), _) => n as f64,
            (None, Rate::Every(s)) => length_s / s,
            (None, Rate::Chance(p) | Rate::Poisson(p)) => length_s * p,
        };
        if expected > VEHICLES_MAX as f64 {
            let found = if expected < 1e18 { expected as usize } else { usize::MAX };
            return Err(at.fault(Flaw::TooMany { what: "vehicles", found, most: VEHICLES_MAX }));
        }
        Ok(timing)
    }

    /// Takes a flow. What SUMO draws anew for every vehicle is drawn here by the vehicle's name, or split by its shares.
    pub(super) fn flow(
        &mut self,
        draft: &Draft,
        template: Trip,
        kinds: &Mix<KindId>,
        course: &Course,
    ) -> Result<(), Fault> {
        let t = self.timing(draft)?;
        if t.count == Some(0) || (t.count.is_none() && t.end == t.begin) {
            self.notes.add("flow without vehicles left out", &draft.at.id);
            return Ok(());
        }
        let timetable = draft.stays.iter().any(|s| s.until.is_some());
        let plain = kinds.single().is_some() && !matches!(course, Course::Along(r) if r.single().is_none());
        let plain = plain && !timetable;
        match (t.rate, t.count) {
            (Rate::Every(period_s), Some(n)) if plain => {
                let last = TimeDs(t.begin.0 + (period_s * (n - 1) as f64 * 10.0).round() as i64);
                let trip = self.trip(draft, Trip { depart: t.begin, ..template }, kinds, course, t.begin)?;
                // Vehicles may come all at once; a period of nothing would never end.
                let emission =
                    if n == 1 || period_s <= 0.0 { Emission::Count(n as u32) } else { Emission::Every { period_s } };
                self.flows.push(Flow { template: trip, end: last, emission });
                Ok(())
            }
            (Rate::Chance(_) | Rate::Poisson(_), None) if timetable => {
                Err(draft.at.fault(Flaw::Unsupported { what: "a flow by chance with a timetable".into() }))
            }
            (Rate::Chance(_) | Rate::Poisson(_), None) => self.split(draft, &template, kinds, course, &t),
            (rate, count) => self.write_out(draft, &template, kinds, course, (&t, rate, count.unwrap_or(0))),
        }
    }

    /// Independent streams, one for each kind and route, together as strong as the flow.
    fn split(
        &mut self,
        draft: &Draft,
        template: &Trip,
        kinds: &Mix<KindId>,
        course: &Course,
        t: &Timing,
    ) -> Result<(), Fault> {
        let ways: Vec<(f64, Course)> = match course {
            Course::Along(routes) => routes.shares().map(|(s, r)| (s, Course::Along(Mix::one(r)))).collect(),
            between @ Course::Between(_) => vec![(1.0, between.clone())],
        };
        let kinds: Vec<(f64, KindId)> = kinds.shares().collect();
        let several = ways.len() * kinds.len() > 1;
        for (w, (way_share, way)) in ways.iter().enumerate() {
            for (k, (kind_share, kind)) in kinds.iter().enumerate() {
                let share = way_share * kind_share;
                let emission = match t.rate {
                    Rate::Chance(p) => Emission::Chance { per_s: p * share },
                    Rate::Poisson(per_s) => {
                        Emission::Poisson(VehPerHour::new(per_s * share * 3_600.0).unwrap_or_default())
                    }
                    Rate::Every(period_s) => Emission::Every { period_s },
                };
                let mut trip = Trip { depart: t.begin, ..template.clone() };
                if several {
                    trip.name = format!("{}:{}", template.name, w * kinds.len() + k);
                }
                let trip = self.trip(draft, trip, &Mix::one(*kind), way, t.begin)?;
                self.flows.push(Flow { template: trip, end: t.end, emission });
            }
        }
        if several {
            self.notes.add("flow of several types or routes by chance split into one for each", &draft.at.id);
        }
        Ok(())
    }

    /// Every vehicle of a flow by itself.
    fn write_out(
        &mut self,
        draft: &Draft,
        template: &Trip,
        kinds: &Mix<KindId>,
        course: &Course,
        (t, rate, count): (&Timing, Rate, usize),
    ) -> Result<(), Fault> {
        if count > WRITTEN_OUT_MAX {
            return Err(draft.at.fault(Flaw::TooMany { what: "vehicles", found: count, most: WRITTEN_OUT_MAX }));
        }
        let mut after_s = 0.0;
        for i in 0..count {
            let name = format!("{}.{i}", template.name);
            let chance = 1.0 - unit("gap", &name);
            match rate {
                Rate::Every(period_s) => after_s = period_s * i as f64,
                Rate::Poisson(per_s) => after_s -= chance.ln() / per_s,
                // Whole seconds without a vehicle, then the one in which it comes.
                Rate::Chance(per_s) => {
                    let idle_s = if per_s < 1.0 { (chance.ln() / (1.0 - per_s).ln()).floor() } else { 0.0 };
                    after_s += idle_s + if i == 0 { 0.0 } else { 1.0 };
                }
            }
            let depart = TimeDs(t.begin.0 + (after_s * 10.0).round() as i64);
            if self.vehicle_lines.contains_key(&name) {
                let first = self.vehicle_lines[&name];
                return Err(draft.at.fault(Flaw::Duplicate { first }));
            }
            let trip = self.trip(draft, Trip { name, depart, ..template.clone() }, kinds, course, t.begin)?;
            self.trips.push(trip);
        }
        if !matches!(rate, Rate::Every(_)) {
            self.notes.add(
                "random flow of a fixed number of vehicles: their times are drawn once, by their names",
                &draft.at.id,
            );
        }
        Ok(())
    }
}
