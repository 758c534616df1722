//! What vehicles do besides driving on: stays at bus stops, and parking.
//!
//! Few vehicles have an errand, so nothing of it is stored with those that have none. One that has is marked
//! (`mover::ERRAND`), and while vehicles move, its motion is held back to its next place (`holding`). Everything else
//! happens between two moves, one vehicle after the other: who has reached a place begins its stay, whose stay is over goes
//! on.
//!
//! | file | holds |
//! | --- | --- |
//! | `itinerary` | places along a way |
//! | `holding` | how a driver comes to a stand at a place |
//! | `attend` | between two moves: who is at a place, whose stay is over |
//! | `stops` | stays at stops |
//! | `facilities` | parking: mouth, barrier, bays, and back onto the street |
//! | `search` | what drivers do who find a facility full |
//! | `beside` | vehicles beside a lane, and how they get back onto it |

mod attend;
pub(crate) mod beside;
mod facilities;
pub(crate) mod holding;
pub(crate) mod itinerary;
mod search;
mod stops;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use greenkerb_models::demand::Demand;
use greenkerb_models::ids::FacilityId;
use greenkerb_models::network::Network;

use self::beside::Aside;
use self::facilities::Parked;
use self::itinerary::{Itinerary, Place};
use self::search::{Navigator, Search};
use super::ways::Course;

/// One vehicle's errands.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    /// The vehicle.
    pub(crate) vehicle: u32,
    /// Its places.
    pub(crate) itinerary: Arc<Itinerary>,
    /// Which of them is next.
    next: usize,
    /// How much later than its template it departed, in deciseconds: so much later is its timetable.
    shift_ds: i64,
    /// Its search for a bay, since it first found none.
    search: Option<Box<Search>>,
}

impl Errand {
    /// The place it heads for, or stays at.
    pub(crate) fn place(&self) -> &Place {
        &self.itinerary.places[self.next]
    }

    /// Links of the way before the one a course is at.
    pub(crate) fn passed(&self, course: Course) -> u32 {
        course.since(self.itinerary.courses[self.next])
    }
}

/// The errands of everybody who has any.
#[derive(Debug)]
pub(crate) struct Errands {
    all: Vec<Errand>,
    /// Entries of `all` that nobody uses.
    free: Vec<u32>,
    /// When what is next for an errand is due, by tick.
    agenda: BinaryHeap<Reverse<(u32, u32)>>,
    /// Buses in bays: those that stay, and those that want out, in the order in which they wanted to.
    bays: Vec<Aside>,
    merging: Vec<Aside>,
    /// Parking facilities.
    facilities: Vec<Parked>,
    /// Vehicles in their bays, those left out that were there from the beginning.
    parked: u64,
    navigator: Navigator,
}

impl Errands {
    /// Nobody has any yet.
    pub(crate) fn new(network: &Network, demand: &Demand) -> Self {
        Self {
            all: Vec::new(),
            free: Vec::new(),
            agenda: BinaryHeap::new(),
            bays: Vec::new(),
            merging: Vec::new(),
            facilities: demand.parts().facilities.iter().map(Parked::new).collect(),
            parked: 0,
            navigator: Navigator::new(network),
        }
    }

    /// Begins a vehicle's errands; their number.
    pub(crate) fn begin(&mut self, vehicle: u32, itinerary: &Arc<Itinerary>, shift_ds: i64) -> u32 {
        let errand = Errand { vehicle, itinerary: Arc::clone(itinerary), next: 0, shift_ds, search: None };
        match self.free.pop() {
            Some(slot) => {
                self.all[slot as usize] = errand;
                slot
            }
            None => {
                self.all.push(errand);
                self.all.len() as u32 - 1
            }
        }
    }

    /// One errand.
    pub(crate) fn of(&self, slot: u32) -> &Errand {
        &self.all[slot as usize]
    }

    /// A parking facility.
    pub(crate) fn facility(&self, id: FacilityId) -> &Parked {
        &self.facilities[id.index()]
    }

    /// Vehicles in bays that stay.
    pub(crate) fn staying(&self) -> impl Iterator<Item = &Aside> {
        self.bays.iter()
    }

    /// Vehicles beside the lanes that wait: in bays for a gap, in mouths for the barrier.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Aside> {
        self.merging.iter().chain(self.facilities.iter().flat_map(|f| &f.mouth))
    }

    /// Bays taken by those who came.
    #[cfg(debug_assertions)]
    pub(crate) fn taken(&self) -> u64 {
        self.facilities.iter().map(Parked::taken).sum()
    }

    /// Vehicles parked, and those that wait inside facilities for a gap.
    pub(crate) fn off_road(&self) -> (u64, u64) {
        (self.parked, self.facilities.iter().map(|f| f.leaving.len() as u64).sum())
    }
}
