//! NEMA dual-ring actuated-coordinated control: two rings of phases between barriers, coordinated phases that hold the
//! green until their yield point, the others called by loops, ended by gaps or by their force-off (NEMA TS 2, section 3;
//! FHWA Signal Timing Manual, 2nd edition, chapters 5 and 7).
//!
//! Rings come from the controller's database, or are derived where the junction has the standard form ([`rings`]). Force-
//! offs are fixed: they lie where the controller's own plan ends each phase. Time that a phase does not use goes to those
//! behind it, in the end to the coordinated ones, which then begin early. Pedestrians push a button: it calls the phase they
//! walk beside, which is never shorter than their walk and clearance.

mod ring;
mod rings;

use std::sync::Arc;

use greenkerb_models::ids::{ControllerId, CrossingId, GroupId};
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use self::ring::{Calls, Rings};
use super::interlock::{Interlock, Want};
use super::loops::Loop;
use super::sight::Sight;
use super::{Control, ControlError, Heads};
use crate::micro::Micro;
use crate::scenarios::Scenario;

/// A gap so long ends a green.
const PASSAGE_S: f64 = 3.0;
/// A vehicle whose front is so close to the stop line calls its phase, moving or not.
const STOP_BAR_M: f64 = 6.0;

struct Junction {
    id: ControllerId,
    rings: Rings,
    interlock: Interlock,
    loops: Vec<Loop>,
    /// For each phase, its loops.
    loops_of: Vec<Vec<usize>>,
    /// For each phase, the crossings whose people call it.
    buttons_of: Vec<Vec<CrossingId>>,
    calls: Vec<bool>,
    wants: Vec<Want>,
}

/// All junctions of a street under dual-ring control.
pub struct Nema {
    junctions: Vec<Junction>,
    step_s: f64,
}

impl Nema {
    /// Every controller with the force-offs of its own plan.
    ///
    /// # Errors
    /// [`ControlError::Unfit`] where a controller has no rings and its junction not the form they can be derived from, or
    /// where its plan does not fill them.
    pub fn new(scenario: &Scenario) -> Result<Self, ControlError> {
        let network = &scenario.network;
        let junctions = (0..network.controllers().len())
            .map(|i| Junction::new(network, ControllerId::at(i), scenario.begin))
            .collect::<Result<_, _>>()?;
        Ok(Self { junctions, step_s: scenario.tick.seconds() })
    }
}

impl Junction {
    fn new(network: &Network, id: ControllerId, begin: TimeDs) -> Result<Self, ControlError> {
        let controller = Arc::new(network.controller(id).clone());
        let unfit = |reason: String| ControlError::Unfit {
            controller: "nema".to_owned(),
            signal: controller.name.clone(),
            reason,
        };
        let layout = rings::layout(network, id).map_err(unfit)?;
        let rings = Rings::new(layout, &controller).map_err(unfit)?;
        let mut loops = Vec::new();
        for a in Sight::of(network, id, 0.0).approaches {
            let phases = rings.phases().iter().filter(|p| a.ways.iter().any(|(_, g)| *g == p.group));
            if let Some(min) = phases.map(|p| p.min).min() {
                loops.push(Loop::of(network, a.lane, a.ways, min));
            }
        }
        let serves = |l: &Loop, group: GroupId| l.ways.iter().any(|(_, g)| *g == group);
        let loops_of =
            rings.phases().iter().map(|p| (0..loops.len()).filter(|l| serves(&loops[*l], p.group)).collect()).collect();
        let buttons =
            |p: &ring::Phase| p.walks.iter().flat_map(|(g, _)| &controller.group(*g).crossings).copied().collect();
        Ok(Self {
            id,
            buttons_of: rings.phases().iter().map(buttons).collect(),
            calls: vec![false; rings.phases().len()],
            wants: vec![Want::Red; controller.groups.len()],
            interlock: Interlock::red(controller, begin),
            rings,
            loops,
            loops_of,
        })
    }

    /// A call is kept until its phase is green.
    fn call(&mut self, street: &Micro, now: TimeDs) {
        let now_s = now.seconds();
        for (p, loops) in self.loops_of.iter().enumerate() {
            let green = self.interlock.green_since(self.rings.phases()[p].group).is_some();
            if green && self.rings.serves(p) {
                self.calls[p] = false;
                continue;
            }
            let network = street.network();
            self.calls[p] |= self.buttons_of[p].iter().any(|x| street.people(*x).waiting > 0);
            self.calls[p] |= loops.iter().any(|l| {
                let l = &self.loops[*l];
                let length_m = network.lane(l.approach).length.get();
                let mine = |next| l.ways.iter().any(|(c, g)| *c == next && *g == self.rings.phases()[p].group);
                let at_bar = street
                    .on_lane(l.approach)
                    .next()
                    .is_some_and(|v| length_m - f64::from(v.front_m) <= STOP_BAR_M && v.next.is_some_and(mine));
                // Behind a loop of a lane with several movements nobody knows who it was: all are called.
                at_bar || l.gap_s(now_s) <= 0.0
            });
        }
    }

    fn decide(&mut self, street: &Micro, step_s: f64) {
        let now = street.now();
        for l in &mut self.loops {
            l.look(street, step_s);
        }
        self.call(street, now);
        let gap_s = |p: usize| {
            self.loops_of[p].iter().map(|l| self.loops[*l].gap_s(now.seconds())).fold(f64::INFINITY, f64::min)
        };
        let calls = Calls {
            called: self.calls.clone(),
            flows: (0..self.rings.phases().len()).map(|p| gap_s(p) < PASSAGE_S).collect(),
            green_since: self.rings.phases().iter().map(|p| self.interlock.green_since(p.group)).collect(),
        };
        self.rings.advance(&calls, now);
        self.rings.wants(&calls, now, &mut self.wants);
    }
}

impl Control for Nema {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        for j in &mut self.junctions {
            j.decide(street, self.step_s);
            heads.set_all(j.id, j.interlock.drive(&j.wants, street.now()));
        }
        Ok(())
    }
}
