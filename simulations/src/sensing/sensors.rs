//! All detectors of a network in the built-in street.

use greenkerb_models::detection::DetectorKind;
use greenkerb_models::network::Network;

use super::areas::{AreaReading, Areas};
use super::loops::Loops;
use super::passages::Passages;
use super::place::Place;
use super::sighting::Sighting;
use crate::micro::Micro;

/// The detectors of a network: loops, and areas where the network says so.
#[derive(Debug)]
pub struct Sensors {
    passages: Passages,
    loops: Loops,
    areas: Areas,
    /// For each detector: is it an area?
    is_area: Vec<bool>,
}

impl Sensors {
    /// The detectors of a network, over an empty street.
    #[must_use]
    pub fn of(network: &Network) -> Self {
        let detectors = network.detectors();
        let of = |area: bool| {
            let chosen = detectors.iter().filter(move |d| (d.kind == DetectorKind::Area) == area);
            chosen.map(|d| Place::of(network, d))
        };
        Self {
            passages: Passages::over(network, detectors.iter().map(|d| d.lane)),
            loops: Loops::at(of(false)),
            areas: Areas::at(of(true)),
            is_area: detectors.iter().map(|d| d.kind == DetectorKind::Area).collect(),
        }
    }

    /// Looks at the street; to be called once before the first step and after each.
    pub fn see(&mut self, street: &Micro) {
        if let Some(step_s) = self.passages.see(street) {
            self.loops.see(|lane| self.passages.on(lane), step_s);
            self.areas.see(|lane| self.passages.on(lane), step_s);
        }
    }

    /// What every detector saw since the last time, in the order of the network's detectors.
    pub fn take(&mut self) -> Vec<Sighting> {
        let mut loops = self.loops.take().into_iter();
        let mut areas = self.areas.take().into_iter();
        let of = |is_area: &bool| {
            if *is_area { areas.next().as_ref().map(AreaReading::sighting) } else { loops.next() }
        };
        self.is_area.iter().map(of).map(Option::unwrap_or_default).collect()
    }
}
