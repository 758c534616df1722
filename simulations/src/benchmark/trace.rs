//! What a report draws of one run of each controller: trajectories and signals along the main arterial for ten minutes, and
//! the queue of every link minute by minute.

use greenkerb_models::ids::{ConnectionId, LaneId};
use greenkerb_models::network::{Network, SignalHead};
use greenkerb_models::units::TimeDs;
use serde::{Deserialize, Serialize};

use super::arterial::{Arterial, Piece};
use super::setup::Job;
use crate::metrics::{Place, Queues, Seen, Snapshot, Window};
use crate::micro::VehicleId;

/// Length of a diagram, in deciseconds.
const SHOWN_DS: i64 = 6_000;
/// A point of a trajectory is left out when the line between its neighbours passes so near, in metres.
const NEAR_M: f64 = 2.0;

/// A trajectory: tenths of seconds from the start of the diagram, and metres from the start of the arterial.
pub type Track = Vec<(u32, f32)>;

/// When a head was what: tenths of seconds from the start of the diagram, and green (2), yellow (1) or red (0) from then on.
pub type Shown = Vec<(u32, u8)>;

/// What is drawn of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Fingerprint of the run.
    pub key: String,
    /// The controller.
    pub controller: String,
    /// The seed.
    pub seed: u64,
    /// When the diagram begins, in seconds of the scenario.
    pub from_s: f64,
    /// When it ends.
    pub to_s: f64,
    /// Vehicles that drive forward.
    pub forward: Vec<Track>,
    /// Vehicles that drive backward.
    pub backward: Vec<Track>,
    /// Signals of forward traffic, per station.
    pub forward_heads: Vec<Shown>,
    /// Signals of backward traffic, per station.
    pub backward_heads: Vec<Shown>,
    /// Queue of every link, mean of every minute, in vehicles.
    pub link_queues_veh: Vec<Vec<f32>>,
}

/// Where a lane or a way across a node lies on the arterial.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    backward: bool,
    starts_m: f64,
    /// Metres of the arterial for one metre driven; negative backward.
    per_m: f64,
}

#[derive(Debug, Clone)]
struct Open {
    backward: bool,
    last: TimeDs,
    track: Track,
}

/// Records a trace.
#[derive(Debug, Clone)]
pub struct Tracer {
    from: TimeDs,
    to: TimeDs,
    lanes: Vec<Option<Stretch>>,
    connections: Vec<Option<Stretch>>,
    heads: [Vec<Vec<SignalHead>>; 2],
    shown: [Vec<Shown>; 2],
    open: Vec<Option<Open>>,
    tracks: [Vec<Track>; 2],
}

impl Tracer {
    /// For a network; `window` is the part of the run that counts, of which the middle is shown.
    #[must_use]
    pub fn new(network: &Network, arterial: Option<&Arterial>, window: Window) -> Self {
        let spare_ds = (window.to.since(window.from) - SHOWN_DS).max(0);
        // Whole minutes make axes that can be read.
        let from = TimeDs(window.from.0 + spare_ds / 2 / 600 * 600);
        let to = TimeDs((from.0 + SHOWN_DS).min(window.to.0));
        let mut tracer = Self {
            from,
            to,
            lanes: vec![None; network.lanes().len()],
            connections: vec![None; network.connections().len()],
            heads: [Vec::new(), Vec::new()],
            shown: [Vec::new(), Vec::new()],
            open: Vec::new(),
            tracks: [Vec::new(), Vec::new()],
        };
        if let Some(arterial) = arterial {
            tracer.lay(network, &arterial.forward, false);
            tracer.lay(network, &arterial.backward, true);
            tracer.heads = [
                arterial.stations.iter().map(|s| s.forward_heads.clone()).collect(),
                arterial.stations.iter().map(|s| s.backward_heads.clone()).collect(),
            ];
            tracer.shown = tracer.heads.clone().map(|stations| vec![Vec::new(); stations.len()]);
        }
        tracer
    }

    fn lay(&mut self, network: &Network, pieces: &[Piece], backward: bool) {
        for (i, piece) in pieces.iter().enumerate() {
            for lane in &network.link(piece.link).lanes {
                let length_m = network.lane(*lane).length.get().max(0.1);
                let per_m = (piece.ends_m - piece.starts_m) / length_m;
                self.lanes[lane.index()] = Some(Stretch { backward, starts_m: piece.starts_m, per_m });
            }
            let Some(next) = pieces.get(i + 1) else { continue };
            for movement in network.movements_from(piece.link).iter().map(|m| network.movement(*m)) {
                if movement.to_link != next.link {
                    continue;
                }
                for c in &movement.connections {
                    let length_m = network.connection(*c).length.get().max(0.1);
                    let per_m = (next.starts_m - piece.ends_m) / length_m;
                    self.connections[c.index()] = Some(Stretch { backward, starts_m: piece.ends_m, per_m });
                }
            }
        }
    }

    /// Takes a look at the street.
    pub fn sample(&mut self, street: &Snapshot) {
        let now = street.now();
        if now < self.from || now > self.to {
            return;
        }
        let at = self.since_start(now);
        for (stations, shown) in self.heads.iter().zip(&mut self.shown) {
            for (heads, shown) in stations.iter().zip(shown) {
                let is = heads.iter().map(|h| state(street, *h)).max();
                if let Some(is) = is
                    && shown.last().is_none_or(|(_, before)| *before != is)
                {
                    shown.push((at, is));
                }
            }
        }
        for seen in street.vehicles() {
            if let Some((stretch, at_m)) = self.place(seen) {
                self.point(seen.vehicle.id, now, stretch.backward, at_m);
            }
        }
    }

    fn since_start(&self, now: TimeDs) -> u32 {
        u32::try_from(now.since(self.from)).unwrap_or(0)
    }

    fn place(&self, seen: &Seen) -> Option<(Stretch, f64)> {
        let stretch = match seen.place {
            Place::Lane(LaneId(lane)) => self.lanes[lane as usize]?,
            Place::Across(ConnectionId(c)) => self.connections[c as usize]?,
        };
        Some((stretch, stretch.starts_m + stretch.per_m * f64::from(seen.vehicle.front_m)))
    }

    fn point(&mut self, vehicle: VehicleId, now: TimeDs, backward: bool, at_m: f64) {
        let index = vehicle.0 as usize;
        if self.open.len() <= index {
            self.open.resize(index + 1, None);
        }
        let point = (self.since_start(now), ((at_m * 10.0).round() / 10.0) as f32);
        match &mut self.open[index] {
            // Who was away for more than two seconds begins anew.
            Some(open) if open.backward == backward && now.since(open.last) <= 20 => {
                open.track.push(point);
                open.last = now;
            }
            other => {
                let before = other.replace(Open { backward, last: now, track: vec![point] });
                if let Some(before) = before {
                    self.tracks[usize::from(before.backward)].push(thinned(before.track));
                }
            }
        }
    }

    /// Ends the run.
    #[must_use]
    pub fn finish(mut self, job: &Job, network: &Network, queues: &Queues) -> Trace {
        for open in std::mem::take(&mut self.open).into_iter().flatten() {
            self.tracks[usize::from(open.backward)].push(thinned(open.track));
        }
        let [mut forward, mut backward] = self.tracks;
        for tracks in [&mut forward, &mut backward] {
            tracks.retain(|t| t.len() > 1);
            tracks.sort_by(|a, b| a[0].0.cmp(&b[0].0).then(a[0].1.total_cmp(&b[0].1)));
        }
        let [forward_heads, backward_heads] = self.shown;
        let link = |i| queues.link_profile(greenkerb_models::ids::LinkId::at(i)).unwrap_or_default();
        let short = |q: &f32| (q * 10.0).round() / 10.0;
        Trace {
            key: job.key.clone(),
            controller: job.controller.clone(),
            seed: job.seed,
            from_s: self.from.seconds(),
            to_s: self.to.seconds(),
            forward,
            backward,
            forward_heads,
            backward_heads,
            link_queues_veh: (0..network.links().len()).map(|i| link(i).iter().map(short).collect()).collect(),
        }
    }
}

fn state(street: &Snapshot, head: SignalHead) -> u8 {
    match street.shows(head) {
        shows if shows.is_green() => 2,
        greenkerb_models::signal::Indication::Yellow => 1,
        _ => 0,
    }
}

/// Leaves out points that lie near the line between others (Ramer 1972, Douglas and Peucker 1973), measured along the way.
fn thinned(track: Track) -> Track {
    if track.len() < 3 {
        return track;
    }
    let mut keep = vec![false; track.len()];
    let mut spans = vec![(0, track.len() - 1)];
    keep[0] = true;
    keep[track.len() - 1] = true;
    while let Some((a, b)) = spans.pop() {
        let ((ta, xa), (tb, xb)) = (track[a], track[b]);
        let slope = f64::from(xb - xa) / f64::from(tb - ta).max(1.0);
        let off = |i: usize| (f64::from(xa) + slope * f64::from(track[i].0 - ta) - f64::from(track[i].1)).abs();
        let farthest = (a + 1..b).max_by(|i, j| off(*i).total_cmp(&off(*j)));
        if let Some(i) = farthest
            && off(i) > NEAR_M
        {
            keep[i] = true;
            spans.extend([(a, i), (i, b)]);
        }
    }
    track.into_iter().zip(keep).filter_map(|(point, kept)| kept.then_some(point)).collect()
}

#[cfg(test)]
mod tests {
    use greenkerb_models::signal::Indication;

    use super::*;
    use crate::metrics::samples::{at_s, car};
    use crate::scenarios::grid;

    #[test]
    fn a_vehicle_is_followed_across_a_node_and_its_signal_too() {
        let network = grid(2, 1, 200.0).unwrap();
        let arterial = Arterial::of(&network, &greenkerb_models::demand::Demand::default()).unwrap();
        let window = Window { from: at_s(0), to: at_s(600) };
        let mut tracer = Tracer::new(&network, Some(&arterial), window);
        let first = network.link(arterial.forward[0].link).lanes[0];
        let second = network.link(arterial.forward[1].link).lanes[0];
        let head = arterial.stations[0].forward_heads[0];
        for t in 0..=30 {
            let street = Snapshot::empty(&network, 0, at_s(t));
            let at_m = 10.0 * t as f32;
            let street = if at_m < 200.0 {
                street.with_lane(first, [car(7, at_m, 10.0, None)])
            } else {
                street.with_lane(second, [car(7, at_m - 215.0, 10.0, None)])
            };
            let shows = if t < 12 { Indication::Red } else { Indication::Protected };
            tracer.sample(&street.with_head(head.controller, head.group, shows));
        }
        let mut queues = Queues::new(&network, at_s(0), window, true);
        queues.close();
        let job = Job { controller: "a".into(), seed: 1, key: "k".into() };
        let trace = tracer.finish(&job, &network, &queues);
        assert_eq!(trace.forward, [vec![(0, 0.0), (300, 300.0)]], "a straight line needs two points");
        assert!(trace.backward.is_empty());
        assert_eq!(trace.forward_heads[0], [(0, 0), (120, 2)]);
        assert_eq!((trace.from_s, trace.to_s), (0.0, 600.0));
    }

    #[test]
    fn a_stop_keeps_its_corners() {
        let track: Track = (0..40)
            .map(|t| {
                (
                    t * 10,
                    if t < 10 {
                        t as f32 * 10.0
                    } else if t < 30 {
                        100.0
                    } else {
                        (t - 20) as f32 * 10.0
                    },
                )
            })
            .collect();
        let thin = thinned(track.clone());
        assert_eq!(thin, [track[0], track[10], track[30], track[39]]);
    }

    #[test]
    fn ten_minutes_in_the_middle_are_shown() {
        let network = grid(1, 1, 200.0).unwrap();
        let tracer = Tracer::new(&network, None, Window { from: at_s(300), to: at_s(3_900) });
        assert_eq!((tracer.from, tracer.to), (at_s(300 + 1_500), at_s(2_400)));
    }
}
