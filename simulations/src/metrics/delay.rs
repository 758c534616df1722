//! Total delay and its parts, from what SUMO writes about every trip.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use quick_xml::events::{BytesStart, Event};
use serde::{Deserialize, Serialize};

use super::total_delay::DelaySums;

/// Why a trip or statistic file tells nothing.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// It cannot be opened.
    #[error("{}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no XML, or is cut off.
    #[error("{what}: {source}")]
    Xml {
        /// Which file.
        what: &'static str,
        /// What the parser says.
        source: quick_xml::Error,
    },
    /// An element lacks an attribute, or it is no number.
    #[error("{what}: attribute '{attribute}' of <{element}> {reason}")]
    Attribute {
        /// Which file.
        what: &'static str,
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An element is missing.
    #[error("{what}: there is no <{element}>")]
    Missing {
        /// Which file.
        what: &'static str,
        /// The element.
        element: &'static str,
    },
    /// No vehicle was loaded.
    #[error("no vehicle was loaded: check the routes and the time window")]
    NoVehicles,
}

/// Delay of one run, and what else must be looked at beside it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Delay {
    /// Time loss and departure delay of all vehicles, over all vehicles loaded.
    pub total_delay_s_per_veh: f64,
    /// Part of it lost on the way.
    pub time_loss_s_per_veh: f64,
    /// Part of it spent waiting to get in.
    pub depart_delay_s_per_veh: f64,
    /// Vehicles that were to depart in the run.
    pub loaded: u64,
    /// Vehicles that got in.
    pub inserted: u64,
    /// Vehicles that reached their destination.
    pub arrived: u64,
    /// Vehicles that never got in.
    pub undeparted: u64,
    /// Longest time any one vehicle spent below 0.1 m/s, over its whole trip.
    pub max_wait_s: f64,
    /// Collisions SUMO counted.
    pub collisions: u64,
    /// Vehicles SUMO moved by magic; zero where teleporting is off.
    pub teleports: u64,
    /// Times a vehicle braked harder than its kind likes to.
    pub emergency_braking: u64,
}

#[derive(Default)]
struct Sums {
    delay: DelaySums,
    inserted: u64,
    arrived: u64,
    max_wait_s: f64,
}

#[derive(Default)]
struct Counts {
    collisions: Option<u64>,
    emergency_braking: Option<u64>,
    teleports: Option<u64>,
}

const TRIPS: &str = "trip information";
const STATISTICS: &str = "statistics";

impl Delay {
    /// Reads the files that SUMO writes with `--tripinfo-output` (unfinished and undeparted vehicles included) and
    /// `--statistic-output`.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn read(trips: &Path, statistics: &Path) -> Result<Self, MetricsError> {
        let open = |path: &Path| {
            let opened = File::open(path).map(BufReader::new);
            opened.map_err(|source| MetricsError::Open { path: path.to_owned(), source })
        };
        Self::from_readers(open(trips)?, open(statistics)?)
    }

    /// As [`Delay::read`], from anything that can be read.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn from_readers(trips: impl BufRead, statistics: impl BufRead) -> Result<Self, MetricsError> {
        let mut sums = Sums::default();
        elements(
            TRIPS,
            trips,
            |element| if element.name().as_ref() == "tripinfo" { sums.add(element) } else { Ok(()) },
        )?;
        let mut counts = Counts::default();
        elements(STATISTICS, statistics, |element| {
            let count = |name, attribute| number(STATISTICS, element, name, attribute).map(|n| Some(n as u64));
            match element.name().as_ref() {
                "teleports" => counts.teleports = count("teleports", "total")?,
                "safety" => {
                    counts.collisions = count("safety", "collisions")?;
                    counts.emergency_braking = count("safety", "emergencyBraking")?;
                }
                _ => {}
            }
            Ok(())
        })?;
        let delay = sums.delay.per_vehicle().ok_or(MetricsError::NoVehicles)?;
        let missing = |element| MetricsError::Missing { what: STATISTICS, element };
        let loaded = sums.delay.loaded;
        Ok(Self {
            total_delay_s_per_veh: delay.total_delay_s_per_veh,
            time_loss_s_per_veh: delay.time_loss_s_per_veh,
            depart_delay_s_per_veh: delay.depart_delay_s_per_veh,
            loaded,
            inserted: sums.inserted,
            arrived: sums.arrived,
            undeparted: loaded - sums.inserted,
            max_wait_s: sums.max_wait_s,
            collisions: counts.collisions.ok_or(missing("safety"))?,
            teleports: counts.teleports.ok_or(missing("teleports"))?,
            emergency_braking: counts.emergency_braking.ok_or(missing("safety"))?,
        })
    }
}

impl Sums {
    fn add(&mut self, trip: &BytesStart<'_>) -> Result<(), MetricsError> {
        let value = |attribute| number(TRIPS, trip, "tripinfo", attribute);
        // A vehicle that never got in has a negative departure, one that is still under way a negative arrival.
        let (depart_delay_s, departed) = (value("departDelay")?, value("depart")? >= 0.0);
        self.delay.add(if departed { value("timeLoss")? } else { 0.0 }, depart_delay_s);
        if departed {
            self.inserted += 1;
            self.max_wait_s = self.max_wait_s.max(value("waitingTime")?);
            self.arrived += u64::from(value("arrival")? >= 0.0);
        }
        Ok(())
    }
}

/// Calls `visit` for every element of an XML file.
fn elements(
    what: &'static str,
    reader: impl BufRead,
    mut visit: impl FnMut(&BytesStart<'_>) -> Result<(), MetricsError>,
) -> Result<(), MetricsError> {
    let mut xml = quick_xml::Reader::from_reader(reader);
    let mut buffer = Vec::new();
    loop {
        match xml.read_event_into(&mut buffer).map_err(|source| MetricsError::Xml { what, source })? {
            Event::Start(element) | Event::Empty(element) => visit(&element)?,
            Event::Eof => return Ok(()),
            _ => {}
        }
        buffer.clear();
    }
}

fn number(
    what: &'static str,
    from: &BytesStart<'_>,
    element: &'static str,
    attribute: &'static str,
) -> Result<f64, MetricsError> {
    let fault = |reason: String| MetricsError::Attribute { what, element, attribute, reason };
    let found = from.try_get_attribute(attribute).map_err(|e| fault(format!("is broken: {e}")))?;
    let found = found.ok_or_else(|| fault("is missing".into()))?;
    let text = found.value.into_owned();
    let value: f64 = text.parse().map_err(|_| fault(format!("is no number: '{text}'")))?;
    if value.is_finite() { Ok(value) } else { Err(fault(format!("is no finite number: '{text}'"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arrived after losing 20 s and waiting 5 s to get in; still under way after 40 s; never got in and waits 55 s.
    const TRIPS_XML: &str = r#"<tripinfos>
        <tripinfo id="a" depart="10.00" departDelay="5.00" arrival="90.00" waitingTime="12.00" timeLoss="20.00"/>
        <tripinfo id="b" depart="20.00" departDelay="0.00" arrival="-1.00" waitingTime="33.00" timeLoss="40.00">
            <emissions/>
        </tripinfo>
        <tripinfo id="c" depart="-1.00" departDelay="55.00" arrival="-1.00" waitingTime="0.00" timeLoss="0.00"/>
    </tripinfos>"#;
    const STATISTICS_XML: &str = r#"<statistics><vehicles loaded="3" inserted="2"/><teleports total="1" jam="1"/>
        <safety collisions="2" emergencyStops="0" emergencyBraking="4"/></statistics>"#;

    fn read(trips: &str, statistics: &str) -> Result<Delay, MetricsError> {
        Delay::from_readers(trips.as_bytes(), statistics.as_bytes())
    }

    #[test]
    fn delay_counts_those_who_never_got_in() {
        let delay = read(TRIPS_XML, STATISTICS_XML).unwrap();
        assert_eq!(delay.total_delay_s_per_veh, (20.0 + 40.0 + 5.0 + 55.0) / 3.0);
        assert_eq!(delay.time_loss_s_per_veh, 20.0);
        assert_eq!(delay.depart_delay_s_per_veh, 20.0);
        assert_eq!((delay.loaded, delay.inserted, delay.arrived, delay.undeparted), (3, 2, 1, 1));
        assert_eq!(delay.max_wait_s, 33.0);
        assert_eq!((delay.collisions, delay.teleports, delay.emergency_braking), (2, 1, 4));
    }

    #[test]
    fn a_run_without_vehicles_has_no_delay() {
        assert!(matches!(read("<tripinfos/>", STATISTICS_XML), Err(MetricsError::NoVehicles)));
    }

    #[test]
    fn broken_files_are_refused() {
        let error = read("<tripinfos><tripinfo depart='1'/></tripinfos>", STATISTICS_XML).unwrap_err();
        assert_eq!(error.to_string(), "trip information: attribute 'departDelay' of <tripinfo> is missing");
        let error = read(&TRIPS_XML.replace("20.00", "fast"), STATISTICS_XML).unwrap_err();
        assert!(error.to_string().contains("is no number: 'fast'"), "{error}");
        assert!(read(TRIPS_XML, "<statistics/>").is_err());
        assert!(read("<tripinfos><tripinfo", STATISTICS_XML).is_err());
    }
}
