//! What must hold in any street: nobody is lost, nobody is where somebody else is, nobody drives backwards or over a red
//! light. Looked at after every step, from outside.

use std::collections::HashMap;

use greenkerb_models::ids::{ConnectionId, ControllerId, FacilityId, LaneId};
use greenkerb_models::signal::Indication;
use greenkerb_simulations::micro::{Micro, Vehicle, VehicleId, What};
use greenkerb_simulations::scenarios::Driving;

/// What is kept about a street from step to step.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Vehicles that head for a line with amber or red, and whether they could have stopped when they first saw it.
    before_red: HashMap<VehicleId, (ConnectionId, bool)>,
    /// Where vehicles were before the step, and how fast.
    before: HashMap<VehicleId, (LaneId, f32, f32)>,
    /// People who came and who stepped off.
    people: (u32, u32),
    /// Times a vehicle crossed a line that showed amber.
    pub(crate) on_amber: u32,
}

/// Way made while braking in stairs of a step (as the street's drivers reckon it).
fn brakes_m(speed_mps: f64, decel: f64, dt_s: f64) -> f64 {
    let stair = decel * dt_s;
    let n = (speed_mps / stair).floor();
    dt_s * (n * speed_mps - stair * n * (n + 1.0) / 2.0)
}

fn shown(street: &Micro, connection: ConnectionId) -> Option<Indication> {
    let head = street.network().connection(connection).signal?;
    Some(street.heads(head.controller)[head.group.index()])
}

impl Watch {
    /// Moves the street by one step and looks at it.
    ///
    /// # Errors
    /// What does not hold.
    pub(crate) fn step(&mut self, street: &mut Micro, driving: Driving) -> Result<(), String> {
        self.see_reds(street);
        self.before.clear();
        for l in 0..street.network().lanes().len() {
            let lane = LaneId(l as u32);
            self.before.extend(street.on_lane(lane).map(|v| (v.id, (lane, v.front_m, v.speed_mps))));
        }
        street.step();
        conserved(street)?;
        self.apart(street, driving)?;
        self.no_red_is_run(street, driving)?;
        self.people(street)
    }

    fn see_reds(&mut self, street: &Micro) {
        let dt_s = street.tick().seconds();
        let network = street.network();
        let stops = |c: ConnectionId| {
            matches!(shown(street, c), Some(Indication::Yellow | Indication::Red | Indication::RedAmber))
        };
        self.before_red.retain(|_, (c, _)| stops(*c));
        for l in 0..network.lanes().len() {
            let lane = LaneId(l as u32);
            for v in street.on_lane(lane) {
                let Some(next) = v.next.filter(|c| stops(*c)) else { continue };
                let decel = street.demand().kind(v.kind).decel.get();
                let to_line_m = network.lane(lane).length.get() - f64::from(v.front_m);
                let can_stop = to_line_m > brakes_m(f64::from(v.speed_mps), decel, dt_s) + 0.01;
                let seen = self.before_red.entry(v.id).or_insert((next, can_stop));
                if seen.0 != next {
                    *seen = (next, can_stop);
                }
            }
        }
    }

    fn no_red_is_run(&mut self, street: &Micro, driving: Driving) -> Result<(), String> {
        if driving == Driving::CityFlow {
            // CityFlow's drivers know no amber: see its rules.
            return Ok(());
        }
        for e in street.events() {
            let What::Crossed { vehicle, connection } = e.what else { continue };
            match self.before_red.remove(&vehicle) {
                Some((c, true)) if c == connection => {
                    return Err(format!("{vehicle:?} could stop and ran {:?} at {:?}", shown(street, c), e.at));
                }
                Some(_) => self.on_amber += 1,
                None => {}
            }
        }
        Ok(())
    }

    fn apart(&self, street: &Micro, driving: Driving) -> Result<(), String> {
        let network = street.network();
        for l in 0..network.lanes().len() {
            let lane = LaneId(l as u32);
            let length_m = network.lane(lane).length.get();
            let on: Vec<Vehicle> = street.on_lane(lane).collect();
            for v in &on {
                if !(v.speed_mps >= 0.0 && v.speed_mps.is_finite()) {
                    return Err(format!("{v:?} drives backwards"));
                }
                if !(0.0..=length_m + 1e-3).contains(&f64::from(v.front_m)) {
                    return Err(format!("{v:?} is off its lane of {length_m} m"));
                }
            }
            // Where no table says who gives way, ways into one lane are nobody's business.
            if driving == Driving::CityFlow || network.parts().conflicts.is_empty() {
                continue;
            }
            let near = |w: &&[Vehicle]| {
                w[1].front_m > w[0].front_m - w[0].length_m + 0.01 && !self.is_run_into(street, lane, &w[0], &w[1])
            };
            if let Some(w) = on.windows(2).find(near) {
                return Err(format!(
                    "at {:?} on {}: {:?} is in {:?}",
                    street.now(),
                    network.lane(lane).name,
                    w[1],
                    w[0]
                ));
            }
        }
        Ok(())
    }

    /// A leader that brakes harder than it likes to can be run into: followers reckon with its usual braking. True when it
    /// did so in this step, or the two have been in each other since before.
    fn is_run_into(&self, street: &Micro, lane: LaneId, leader: &Vehicle, follower: &Vehicle) -> bool {
        let before = |v: &Vehicle| self.before.get(&v.id).filter(|(l, ..)| *l == lane);
        let decel = street.demand().kind(leader.kind).decel.get() * street.tick().seconds();
        let Some((_, front_m, speed_mps)) = before(leader) else { return false };
        let braked_hard = f64::from(speed_mps - leader.speed_mps) > decel + 1e-3;
        braked_hard || before(follower).is_some_and(|(_, behind_m, _)| *behind_m > front_m - leader.length_m)
    }

    fn people(&mut self, street: &Micro) -> Result<(), String> {
        for e in street.events() {
            match e.what {
                What::PersonCame { .. } => self.people.0 += 1,
                What::PersonCrossed { waited_s, .. } if waited_s >= 0.0 => self.people.1 += 1,
                What::PersonCrossed { waited_s, .. } => return Err(format!("somebody waited {waited_s} s")),
                _ => {}
            }
        }
        let crossings = street.network().crossings().len() as u32;
        let waiting: u32 = (0..crossings).map(|x| street.people(greenkerb_models::ids::CrossingId(x)).waiting).sum();
        if self.people.0 != self.people.1 + waiting {
            return Err(format!("{:?} came and crossed, {waiting} wait", self.people));
        }
        Ok(())
    }
}

fn conserved(street: &Micro) -> Result<(), String> {
    let t = street.totals();
    let outside: u64 = (0..street.network().links().len())
        .map(|l| u64::from(street.waiting_outside(greenkerb_models::ids::LinkId(l as u32))))
        .sum();
    let holds = [
        ("loaded", t.loaded, t.waiting + t.inserted),
        ("inserted", t.inserted, t.on_road + t.arrived + t.parked + t.leaving),
        ("on the road", t.on_road, street.on_road().count() as u64),
        ("outside", t.waiting, outside),
    ];
    if let Some((what, told, found)) = holds.iter().find(|(_, told, found)| told != found) {
        return Err(format!("{what}: {told} told, {found} found: {t:?}"));
    }
    let facilities = &street.demand().parts().facilities;
    let mut inside = 0;
    for (i, f) in facilities.iter().enumerate() {
        let now = street.facility(FacilityId(i as u32));
        if now.occupied > f.capacity || now.in_mouth > f.mouth {
            return Err(format!("{}: {now:?} of {} bays and {} places", f.name, f.capacity, f.mouth));
        }
        inside += u64::from(now.occupied - f.occupied);
    }
    if inside != t.parked + t.leaving {
        return Err(format!("{inside} bays are taken by those who came: {t:?}"));
    }
    Ok(())
}

/// The controllers' programs, each with its own offset.
pub(crate) fn show_programs(street: &mut Micro, offset_ds: i64) {
    let network = std::sync::Arc::clone(street.network());
    let now = street.now();
    for (i, c) in network.controllers().iter().enumerate() {
        let cycle: i64 = c.program.steps.iter().map(|s| i64::from(s.shipped.0)).sum();
        let mut at = (now.0 + offset_ds * i as i64).rem_euclid(cycle.max(1));
        let step = c.program.steps.iter().find(|s| {
            at -= i64::from(s.shipped.0);
            at < 0
        });
        if let Some(step) = step {
            street.show(ControllerId(i as u32), &step.shows);
        }
    }
}
