//! The main arterial of a network: the street whose time–space diagram a report shows.
//!
//! From every link that leads to a signal the way straight on is followed until it ends or would come back. Of all such
//! ways the one is taken that weighs most: the sum over its signalised links of the vehicles that are to go straight on there
//! by their routes, or of lanes × speed limit where the demand has no routes. Ties go to the first.

use std::collections::BTreeMap;

use greenkerb_models::demand::{Demand, Emission, Flow, Way};
use greenkerb_models::ids::{ConnectionId, ControllerId, LinkId, NodeId};
use greenkerb_models::network::{Network, SignalHead, Turn};

/// More signals than this make a diagram that nobody can read.
const STATIONS_MAX: usize = 14;

/// A stop line on the arterial.
#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    /// The node.
    pub node: NodeId,
    /// Who shows its signals.
    pub controller: ControllerId,
    /// Where the line is that forward traffic stops at, from the start, in metres.
    pub forward_m: f64,
    /// Where the line is that backward traffic stops at.
    pub backward_m: f64,
    /// Heads of the forward straight movement.
    pub forward_heads: Vec<SignalHead>,
    /// Heads of the backward straight movement; empty on a one-way street.
    pub backward_heads: Vec<SignalHead>,
}

/// A link of the arterial, and where it lies on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// The link.
    pub link: LinkId,
    /// Where the link starts, in metres from the start of the arterial.
    pub starts_m: f64,
    /// Where it ends; before its start when it is driven backwards.
    pub ends_m: f64,
}

/// The main arterial.
#[derive(Debug, Clone, PartialEq)]
pub struct Arterial {
    /// Forward links in order.
    pub forward: Vec<Piece>,
    /// Links of the other direction, where there are any.
    pub backward: Vec<Piece>,
    /// Its signals in order.
    pub stations: Vec<Station>,
    /// Its length, in metres.
    pub length_m: f64,
    /// Speed limit of most of it, in metres per second.
    pub speed_mps: f64,
}

impl Arterial {
    /// Finds it; none when no signal is passed straight on.
    #[must_use]
    pub fn of(network: &Network, demand: &Demand) -> Option<Self> {
        let mut best: Option<(f64, Vec<LinkId>)> = None;
        let planned = planned(demand);
        for i in 0..network.links().len() {
            let way = follow(network, LinkId::at(i));
            let weighs: f64 = way.iter().map(|l| weight(network, &planned, *l)).sum();
            if weighs > 0.0 && best.as_ref().is_none_or(|(most, _)| weighs > *most) {
                best = Some((weighs, way));
            }
        }
        best.map(|(_, way)| Self::along(network, &way))
    }

    /// The arterial along some links.
    #[must_use]
    pub fn along(network: &Network, way: &[LinkId]) -> Self {
        let mut forward: Vec<Piece> = Vec::new();
        let mut at_m = 0.0;
        let mut across: Vec<Option<ConnectionId>> = Vec::new();
        for (i, link) in way.iter().enumerate() {
            let starts_m = at_m;
            at_m += network.link(*link).length.get();
            forward.push(Piece { link: *link, starts_m, ends_m: at_m });
            let next = way.get(i + 1).and_then(|to| connections(network, *link, *to).first().copied());
            at_m += next.map_or(0.0, |c| network.connection(c).length.get());
            across.push(next);
        }
        let mut backward: Vec<Piece> = way
            .iter()
            .zip(&forward)
            .filter_map(|(link, piece)| {
                let back = opposite(network, *link)?;
                Some(Piece { link: back, starts_m: piece.ends_m, ends_m: piece.starts_m })
            })
            .collect();
        backward.reverse();
        let stations = (0..way.len().saturating_sub(1))
            .filter_map(|i| {
                let node = network.link(way[i]).to;
                let controller = network.node(node).controller?;
                let back = opposite(network, way[i + 1]).zip(opposite(network, way[i]));
                Some(Station {
                    node,
                    controller,
                    forward_m: forward[i].ends_m,
                    backward_m: forward[i + 1].starts_m,
                    forward_heads: heads(network, way[i], way[i + 1]),
                    backward_heads: back.map(|(from, to)| heads(network, from, to)).unwrap_or_default(),
                })
            })
            .collect();
        let mut speeds: Vec<f64> = way.iter().map(|l| network.link(*l).speed.get()).collect();
        speeds.sort_by(f64::total_cmp);
        Self {
            length_m: forward.last().map_or(0.0, |p| p.ends_m),
            forward,
            backward,
            stations,
            speed_mps: speeds.get(speeds.len() / 2).copied().unwrap_or(0.0),
        }
    }

    /// Its name: its first and its last node.
    #[must_use]
    pub fn name(&self, network: &Network) -> String {
        let ends = self.forward.first().zip(self.forward.last());
        ends.map_or(String::new(), |(first, last)| {
            let (from, to) = (network.link(first.link).from, network.link(last.link).to);
            format!("{} – {}", network.node(from).name, network.node(to).name)
        })
    }
}

/// The way straight on from a link: each link once, no node twice, and no more signals than fit a diagram.
fn follow(network: &Network, start: LinkId) -> Vec<LinkId> {
    let mut way = vec![start];
    let mut nodes = vec![network.link(start).from, network.link(start).to];
    let mut signals = usize::from(network.node(network.link(start).to).controller.is_some());
    while signals <= STATIONS_MAX {
        let Some(next) = way.last().and_then(|l| straight_on(network, *l)) else { break };
        let to = network.link(next).to;
        if nodes.contains(&to) {
            break;
        }
        nodes.push(to);
        way.push(next);
        signals += usize::from(network.node(to).controller.is_some());
    }
    way
}

/// The link that most lanes go straight on to; the first of equals.
fn straight_on(network: &Network, link: LinkId) -> Option<LinkId> {
    let straight = network.movements_from(link).iter().map(|m| network.movement(*m));
    let straight = straight.filter(|m| m.turn == Turn::Straight);
    let widest = straight.reduce(|a, b| if b.connections.len() > a.connections.len() { b } else { a });
    widest.map(|m| m.to_link)
}

/// Vehicles that are to go from a link to another by their routes.
type Planned = BTreeMap<(LinkId, LinkId), f64>;

fn planned(demand: &Demand) -> Planned {
    let parts = demand.parts();
    let trips = parts.trips.iter().map(|t| (&t.way, 1.0));
    let flows = parts.flows.iter().map(|f| (&f.template.way, vehicles(f)));
    let mut planned = Planned::new();
    for (way, vehicles) in trips.chain(flows) {
        let Way::Along(route) = way else { continue };
        for pair in demand.route(*route).links.windows(2) {
            *planned.entry((pair[0], pair[1])).or_default() += vehicles;
        }
    }
    planned
}

/// Vehicles of a flow, on average.
fn vehicles(flow: &Flow) -> f64 {
    let lasts_s = flow.end.since(flow.template.depart).max(0) as f64 / 10.0;
    match flow.emission {
        Emission::Every { period_s } => (lasts_s / period_s).ceil(),
        Emission::Count(n) => f64::from(n),
        Emission::Chance { per_s } => per_s * lasts_s,
        Emission::Poisson(flow) => flow.get() * lasts_s / 3_600.0,
    }
}

/// What a link weighs: nothing unless it ends at a signal with a way straight on.
fn weight(network: &Network, planned: &Planned, link: LinkId) -> f64 {
    let l = network.link(link);
    let (Some(_), Some(next)) = (network.node(l.to).controller, straight_on(network, link)) else { return 0.0 };
    if !planned.is_empty() {
        return planned.get(&(link, next)).copied().unwrap_or(0.0);
    }
    let lanes = l.lanes.iter().filter(|lane| network.lane(**lane).admits.motor()).count();
    lanes as f64 * l.speed.get()
}

fn connections(network: &Network, from: LinkId, to: LinkId) -> &[ConnectionId] {
    let movement = network.movements_from(from).iter().map(|m| network.movement(*m)).find(|m| m.to_link == to);
    movement.map_or(&[], |m| m.connections.as_slice())
}

fn heads(network: &Network, from: LinkId, to: LinkId) -> Vec<SignalHead> {
    let all = connections(network, from, to).iter().filter_map(|c| network.connection(*c).signal);
    let mut heads: Vec<SignalHead> = all.collect();
    heads.dedup_by_key(|h| (h.controller, h.group));
    heads
}

/// The link that leads the other way between the same nodes; the first of several.
fn opposite(network: &Network, link: LinkId) -> Option<LinkId> {
    let l = network.link(link);
    network.links_into(l.from).filter(|back| network.link(*back).from == l.to).min()
}

#[cfg(test)]
mod tests {
    use greenkerb_models::demand::{DemandParts, DepartLane, DepartSpeed, Route, Trip, VehicleKind};
    use greenkerb_models::ids::{KindId, RouteId};
    use greenkerb_models::units::TimeDs;

    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn the_arterial_of_a_grid_is_its_longest_straight_street() {
        let network = grid(4, 2, 200.0).unwrap();
        let arterial = Arterial::of(&network, &Demand::default()).unwrap();
        assert_eq!(arterial.stations.len(), 4, "{}", arterial.name(&network));
        assert_eq!((arterial.forward.len(), arterial.backward.len()), (5, 5));
        assert!((arterial.length_m - (5.0 * 200.0 + 4.0 * 15.0)).abs() < 1e-9);
        let rows: Vec<f64> = arterial.stations.iter().map(|s| network.node(s.node).position.y).collect();
        assert!(rows.windows(2).all(|w| w[0] == w[1]), "straight: {rows:?}");
        for s in &arterial.stations {
            assert_eq!((s.forward_heads.len(), s.backward_heads.len()), (1, 1));
            assert!(s.forward_heads[0] != s.backward_heads[0]);
            assert!((s.backward_m - s.forward_m - 15.0).abs() < 1e-9);
        }
        // Where routes tell who drives, the busiest street is taken.
        let busy: Vec<LinkId> = follow(&network, arterial.backward[0].link);
        let other = (0..network.links().len()).map(LinkId::at).find(|l| {
            let way = follow(&network, *l);
            way.len() == 3 && network.node(network.link(*l).from).position.y < 0.0
        });
        let short = follow(&network, other.unwrap());
        let route = |links: &[LinkId], vehicles| {
            let route = Route { name: format!("{links:?}"), links: links.to_vec() };
            (route, Emission::Count(vehicles))
        };
        let parts = [route(&busy, 10), route(&short, 100)];
        let flow = |(i, (route, emission)): (usize, &(Route, Emission))| Flow {
            template: Trip {
                name: route.name.clone(),
                kind: KindId(0),
                depart: TimeDs(0),
                way: Way::Along(RouteId::at(i)),
                depart_lane: DepartLane::Best,
                depart_speed: DepartSpeed::Zero,
                stays: Vec::new(),
                parking: None,
            },
            end: TimeDs::from_s(600),
            emission: *emission,
        };
        let demand = DemandParts {
            kinds: vec![VehicleKind::car("car")],
            flows: parts.iter().enumerate().map(flow).collect(),
            routes: parts.iter().map(|p| p.0.clone()).collect(),
            ..DemandParts::default()
        };
        let demand = demand.build(&network).unwrap();
        let busiest = Arterial::of(&network, &demand).unwrap();
        assert_eq!(busiest.forward.iter().map(|p| p.link).collect::<Vec<_>>(), short);
        let first_back = arterial.backward[0];
        assert_eq!(network.link(first_back.link).from, network.link(arterial.forward[4].link).to);
        assert!(first_back.starts_m > first_back.ends_m);
    }
}
