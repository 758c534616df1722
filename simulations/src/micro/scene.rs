//! The street as every driver sees it in a step: how it was at the step's beginning.

use std::sync::atomic::AtomicU32;

use greenkerb_models::units::TimeDs;

use super::errands::Errands;
use super::junction::Crosses;
use super::lamps::Lamps;
use super::mover::{Kind, Mover, Rider};
use super::people::GiveWay;
use super::region::Row;
use super::strips::{NONE, StripId, Strips};
use super::ways::Ways;
use crate::random::SplitMix64;

/// What drivers may look at. Nothing in it changes while they decide, so who decides first makes no difference.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// Strips.
    pub(crate) strips: &'a Strips,
    /// Ways.
    pub(crate) ways: &'a Ways,
    /// Kinds of vehicles.
    pub(crate) kinds: &'a [Kind],
    /// Heads.
    pub(crate) lamps: &'a Lamps,
    /// Crossing ways, where drivers go by geometry.
    pub(crate) crosses: &'a Crosses,
    /// Movers by strip.
    pub(crate) rows: &'a [Row],
    /// Connections with somebody on them, or about to come onto them.
    pub(crate) busy: &'a [bool],
    /// Where one has to stop for people.
    pub(crate) give_way: &'a GiveWay,
    /// Errands of those who have any.
    pub(crate) errands: &'a Errands,
    /// The strip every vehicle is on; [`NONE`] when it is on none. Written by whoever moves the vehicle, read outside.
    pub(crate) places: &'a [AtomicU32],
    /// Number of the step.
    pub(crate) tick: u32,
    /// Its length in seconds.
    pub(crate) dt_s: f64,
    /// Its end.
    pub(crate) ends: TimeDs,
    /// Seed of all chance.
    pub(crate) seed: u64,
}

/// What is ahead of a mover.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead<'a> {
    /// The mover ahead.
    pub(crate) mover: &'a Mover,
    /// From my front to its rear, in metres.
    pub(crate) gap_m: f64,
}

impl<'a> Scene<'a> {
    /// The kind of a mover.
    pub(crate) fn kind(&self, m: &Mover) -> &'a Kind {
        &self.kinds[usize::from(m.kind)]
    }

    /// A vehicle's chance in this step, in `[0, 1)`: from its number and the step's, whoever asks.
    pub(crate) fn chance(&self, vehicle: u32) -> f64 {
        SplitMix64(self.seed ^ (u64::from(vehicle) << 32 | u64::from(self.tick)).wrapping_mul(0xD6E8_FEB8_6659_FD93))
            .unit()
    }

    /// The rearmost mover of a strip.
    pub(crate) fn last(&self, strip: StripId) -> Option<&'a Mover> {
        self.rows[strip as usize].movers.last()
    }

    /// What is ahead of the `i`-th mover of a strip: the one in front of it there, or the first along its way. The strip
    /// behind its own is looked at in any case, further ones up to `reach_m`.
    pub(crate) fn ahead(&self, strip: StripId, i: usize, m: &Mover, rider: &Rider, reach_m: f64) -> Option<Ahead<'a>> {
        if i > 0 {
            let mover = &self.rows[strip as usize].movers[i - 1];
            return Some(Ahead { mover, gap_m: mover.rear_m() - m.front_m });
        }
        let mut rest_m = self.strips.all[strip as usize].length_m - m.front_m;
        // Read when it is needed: riders lie far from movers in memory.
        let mut course = None;
        let mut next = m.next;
        while next != NONE {
            let s = &self.strips.all[next as usize];
            if s.is_connection {
                // Ways that leave one lane lie over each other at their start.
                let near = self.strips.outs(s.from).iter().filter_map(|c| self.last(*c));
                let near = near.map(|mover| Ahead { mover, gap_m: rest_m + mover.rear_m() });
                if let Some(nearest) = near.reduce(|a, b| if b.gap_m < a.gap_m { b } else { a }) {
                    return Some(nearest);
                }
                next = s.to;
            } else {
                if let Some(mover) = self.last(next) {
                    return Some(Ahead { mover, gap_m: rest_m + mover.rear_m() });
                }
                let onward = course.unwrap_or(rider.course).onward();
                next = self.ways.connection(self.strips, next, m.vehicle, onward);
                course = Some(onward);
            }
            rest_m += s.length_m;
            if rest_m > reach_m {
                return None;
            }
        }
        None
    }
}
