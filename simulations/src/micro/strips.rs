//! The street as strips: every lane and every way across a node is one, numbered so that what lies together is stored
//! together.
//!
//! A strip belongs to the node its vehicles drive towards (a lane) or over (a connection). Nodes are put in order along a
//! space-filling curve and cut into regions; the strips of a region are one stretch of numbers. The cut depends on the
//! network alone, never on the number of threads.

use greenkerb_models::demand::VehicleClass;
use greenkerb_models::ids::{ConnectionId, LaneId, LinkId, NodeId};
use greenkerb_models::network::{Admits, Network, Turn};

/// Number of a strip; [`NONE`] where there is none.
pub(crate) type StripId = u32;

/// No strip, no vehicle, no way on.
pub(crate) const NONE: u32 = u32::MAX;

/// Strips a region should hold: enough to be worth a task of its own.
const REGION_STRIPS: usize = 512;
const REGIONS_MAX: usize = 64;

/// What does not change about a strip.
#[derive(Debug, Clone)]
pub(crate) struct Strip {
    /// Length in metres.
    pub(crate) length_m: f64,
    /// Speed limit in metres per second.
    pub(crate) limit_mps: f64,
    /// Lanes: the first of its connections in [`Strips::outs`]. Connections: unused.
    first_out: u32,
    /// Lanes: how many connections leave it.
    out_count: u32,
    /// Lanes: the first of the connections into it in [`Strips::ins`], and how many there are. Connections: unused.
    first_in: u32,
    in_count: u32,
    /// Connections: the lane it leaves. Lanes: [`NONE`].
    pub(crate) from: StripId,
    /// Connections: the lane it enters. Lanes: [`NONE`].
    pub(crate) to: StripId,
    /// Lanes: its link. Connections: the link it enters.
    pub(crate) link: LinkId,
    /// Lanes: position in its link, 0 = rightmost. Connections: that of the lane it enters.
    pub(crate) index: u32,
    /// Lane or connection number in the network.
    pub(crate) id: u32,
    /// Connections: which way they turn.
    pub(crate) turn: Turn,
    /// True for a connection.
    pub(crate) is_connection: bool,
}

/// All strips, and how they hang together.
#[derive(Debug)]
pub(crate) struct Strips {
    /// By number.
    pub(crate) all: Vec<Strip>,
    /// Connections, grouped by the lane they leave.
    outs: Vec<StripId>,
    /// Connections, grouped by the lane they enter.
    ins: Vec<StripId>,
    /// Lane strips by lane.
    of_lane: Vec<StripId>,
    /// Connection strips by connection.
    of_connection: Vec<StripId>,
    /// Region of every strip.
    region_of: Vec<u16>,
    /// First strip of every region, and one past the last.
    bounds: Vec<u32>,
    /// Region of every link, that of its lanes.
    region_of_link: Vec<u16>,
}

impl Strips {
    /// Cuts a network into strips and regions.
    pub(crate) fn new(network: &Network) -> Self {
        let order = nodes_in_order(network);
        let mut links_into = vec![Vec::new(); network.nodes().len()];
        for (i, l) in network.links().iter().enumerate() {
            links_into[l.to.index()].push(LinkId::at(i));
        }
        let count = network.lanes().len() + network.connections().len();
        let regions = (count / REGION_STRIPS).clamp(1, REGIONS_MAX);
        let share = count.div_ceil(regions).max(1);

        let mut s = Self {
            all: Vec::with_capacity(count),
            outs: Vec::with_capacity(network.connections().len()),
            ins: Vec::with_capacity(network.connections().len()),
            of_lane: vec![NONE; network.lanes().len()],
            of_connection: vec![NONE; network.connections().len()],
            region_of: Vec::with_capacity(count),
            bounds: vec![0],
            region_of_link: vec![0; network.links().len()],
        };
        for node in order {
            if s.all.len() >= s.bounds.len() * share {
                s.bounds.push(s.all.len() as u32);
            }
            let region = (s.bounds.len() - 1) as u16;
            for link in &links_into[node.index()] {
                s.region_of_link[link.index()] = region;
                for lane in &network.link(*link).lanes {
                    s.add_lane(network, *lane);
                }
                for lane in &network.link(*link).lanes {
                    for c in network.connections_from(*lane) {
                        s.add_connection(network, *c);
                    }
                }
            }
            s.region_of.resize(s.all.len(), region);
        }
        s.bounds.push(s.all.len() as u32);
        s.join(network);
        s
    }

    fn add_lane(&mut self, network: &Network, id: LaneId) {
        self.of_lane[id.index()] = self.all.len() as u32;
        let lane = network.lane(id);
        self.all.push(Strip {
            length_m: lane.length.get(),
            limit_mps: lane.speed.get(),
            first_out: 0,
            out_count: 0,
            first_in: 0,
            in_count: 0,
            from: NONE,
            to: NONE,
            link: lane.link,
            index: lane.index,
            id: id.0,
            turn: Turn::Straight,
            is_connection: false,
        });
    }

    fn add_connection(&mut self, network: &Network, id: ConnectionId) {
        self.of_connection[id.index()] = self.all.len() as u32;
        let c = network.connection(id);
        let (from, to) = (network.lane(c.from_lane), network.lane(c.to_lane));
        let limit_mps = if c.speed.get() > 0.0 { c.speed } else { from.speed };
        self.all.push(Strip {
            length_m: c.length.get(),
            limit_mps: limit_mps.get(),
            first_out: 0,
            out_count: 0,
            first_in: 0,
            in_count: 0,
            from: NONE,
            to: NONE,
            link: to.link,
            index: to.index,
            id: id.0,
            turn: network.movement(c.movement).turn,
            is_connection: true,
        });
    }

    /// Sets what refers to other strips, once all of them have numbers.
    fn join(&mut self, network: &Network) {
        for i in 0..self.all.len() {
            if self.all[i].is_connection {
                let c = network.connection(ConnectionId(self.all[i].id));
                self.all[i].from = self.of_lane[c.from_lane.index()];
                self.all[i].to = self.of_lane[c.to_lane.index()];
            } else {
                self.all[i].first_out = self.outs.len() as u32;
                let leave = network.connections_from(LaneId(self.all[i].id));
                self.all[i].out_count = leave.len() as u32;
                self.outs.extend(leave.iter().map(|c| self.of_connection[c.index()]));
            }
        }
        let mut ins: Vec<StripId> =
            (0..self.all.len() as u32).filter(|i| self.all[*i as usize].is_connection).collect();
        ins.sort_by_key(|c| (self.all[*c as usize].to, *c));
        for (place, c) in ins.iter().enumerate() {
            let to = self.all[*c as usize].to as usize;
            if self.all[to].in_count == 0 {
                self.all[to].first_in = place as u32;
            }
            self.all[to].in_count += 1;
        }
        self.ins = ins;
    }

    /// Connections that leave a lane.
    pub(crate) fn outs(&self, lane: StripId) -> &[StripId] {
        let s = &self.all[lane as usize];
        &self.outs[s.first_out as usize..(s.first_out + s.out_count) as usize]
    }

    /// Connections that enter a lane.
    pub(crate) fn ins(&self, lane: StripId) -> &[StripId] {
        let s = &self.all[lane as usize];
        &self.ins[s.first_in as usize..(s.first_in + s.in_count) as usize]
    }

    /// Strip of a lane.
    pub(crate) fn of_lane(&self, id: LaneId) -> StripId {
        self.of_lane[id.index()]
    }

    /// Strip of a connection.
    pub(crate) fn of_connection(&self, id: ConnectionId) -> StripId {
        self.of_connection[id.index()]
    }

    /// The region a strip lies in.
    pub(crate) fn region_of(&self, strip: StripId) -> usize {
        usize::from(self.region_of[strip as usize])
    }

    /// The region a link's lanes lie in.
    pub(crate) fn region_of_link(&self, link: LinkId) -> usize {
        usize::from(self.region_of_link[link.index()])
    }

    /// First strip of every region, and one past the last.
    pub(crate) fn bounds(&self) -> &[u32] {
        &self.bounds
    }
}

/// True when vehicles of a class may use a lane.
pub(crate) const fn may_use(class: VehicleClass, admits: Admits) -> bool {
    match class {
        VehicleClass::Car | VehicleClass::Lorry => admits.cars,
        VehicleClass::Bus => admits.buses || admits.cars,
        VehicleClass::Bicycle => admits.bicycles || admits.cars,
        VehicleClass::Emergency => admits.motor(),
    }
}

/// Nodes along a Morton curve over the map, so that neighbours are mostly near each other.
fn nodes_in_order(network: &Network) -> Vec<NodeId> {
    let xs = || network.nodes().iter().map(|n| n.position.x);
    let ys = || network.nodes().iter().map(|n| n.position.y);
    let (x0, x1) = (xs().fold(f64::MAX, f64::min), xs().fold(f64::MIN, f64::max));
    let (y0, y1) = (ys().fold(f64::MAX, f64::min), ys().fold(f64::MIN, f64::max));
    let side = (x1 - x0).max(y1 - y0).max(1.0);
    let cell = |v: f64, low: f64| ((v - low) / side * 65_535.0) as u32;
    let mut nodes: Vec<(u64, NodeId)> = network
        .nodes()
        .iter()
        .enumerate()
        .map(|(i, n)| (spread(cell(n.position.x, x0)) | spread(cell(n.position.y, y0)) << 1, NodeId::at(i)))
        .collect();
    nodes.sort_unstable();
    nodes.into_iter().map(|(_, n)| n).collect()
}

/// Puts a zero between every two of the low 16 bits.
fn spread(v: u32) -> u64 {
    let mut v = u64::from(v & 0xFFFF);
    v = (v | (v << 8)) & 0x00FF_00FF;
    v = (v | (v << 4)) & 0x0F0F_0F0F;
    v = (v | (v << 2)) & 0x3333_3333;
    (v | (v << 1)) & 0x5555_5555
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn every_lane_and_connection_is_one_strip() {
        let net = grid(12, 9, 200.0).unwrap();
        let s = Strips::new(&net);
        assert_eq!(s.all.len(), net.lanes().len() + net.connections().len());
        assert!(s.bounds().len() > 2 && s.bounds().is_sorted());
        for i in 0..net.lanes().len() {
            assert_eq!(s.all[s.of_lane(LaneId::at(i)) as usize].id, i as u32);
        }
        for (i, c) in net.connections().iter().enumerate() {
            let strip = s.of_connection(ConnectionId::at(i));
            assert_eq!(s.all[strip as usize].from, s.of_lane(c.from_lane));
            assert_eq!(s.all[strip as usize].to, s.of_lane(c.to_lane));
            assert!(s.outs(s.of_lane(c.from_lane)).contains(&strip));
            assert!(s.ins(s.of_lane(c.to_lane)).contains(&strip));
            assert_eq!(s.region_of(strip), s.region_of(s.of_lane(c.from_lane)), "a node's strips lie in one region");
        }
    }
}
