//! What vehicles do besides driving on: stays at bus stops.
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
//! | `stops` | stays at stops |
//! | `beside` | vehicles beside a lane, and how they get back onto it |

pub(crate) mod beside;
pub(crate) mod holding;
pub(crate) mod itinerary;
mod stops;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use self::beside::Aside;
use self::itinerary::{Itinerary, Place};
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
#[derive(Debug, Default)]
pub(crate) struct Errands {
    all: Vec<Errand>,
    /// Entries of `all` that nobody uses.
    free: Vec<u32>,
    /// When what is next for an errand is due, by tick.
    agenda: BinaryHeap<Reverse<(u32, u32)>>,
    /// Vehicles beside the lanes: those that stay, by errand, and those that want back, in the order in which they
    /// wanted to.
    bays: Vec<Aside>,
    merging: Vec<Aside>,
}

impl Errands {
    /// Begins a vehicle's errands; their number.
    pub(crate) fn begin(&mut self, vehicle: u32, itinerary: &Arc<Itinerary>, shift_ds: i64) -> u32 {
        let errand = Errand { vehicle, itinerary: Arc::clone(itinerary), next: 0, shift_ds };
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

    /// Vehicles that are on the road, but beside its lanes.
    pub(crate) fn beside(&self) -> impl Iterator<Item = &Aside> {
        self.bays.iter().chain(&self.merging)
    }
}
