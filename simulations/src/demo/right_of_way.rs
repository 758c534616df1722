//! Who may cross the line: signals, the gaps that yielding drivers wait for, and junctions without signals.

use greenkerb_models::ids::{ConnectionId, ControllerId, GroupId, LaneId, LinkId, NodeId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Indication, Relation};

/// Gap that a driver who yields waits for (HCM 7th ed., exhibit 20-12: 4.1 s for a left turn from the main street).
pub(super) const CRITICAL_GAP_S: f64 = 4.1;
/// How long into yellow drivers still go (HCM 7th ed., exhibit 19-11: extension of effective green).
const INTO_YELLOW_MS: i64 = 2_000;
/// How long a vehicle keeps those from other streets out of a junction without signals.
pub(super) const CROSSING_MS: i64 = 1_500;
/// Headway where the network knows no saturation flow.
const HEADWAY_MS: i64 = 1_900;

/// What a lamp lets its drivers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// Stay.
    Stop,
    /// Go.
    Go,
    /// Go where the gap allows.
    Yield,
}

/// The lamps of a controller, and since when they show what they show.
#[derive(Debug, Clone, Default)]
pub(super) struct Lamps {
    shown: Vec<(Indication, i64)>,
}

impl Lamps {
    /// The lamps show this from `now_ms` on.
    pub(super) fn show(&mut self, heads: &[Indication], now_ms: i64) {
        if self.shown.len() != heads.len() {
            self.shown = heads.iter().map(|head| (*head, now_ms)).collect();
            return;
        }
        for ((shown, since_ms), head) in self.shown.iter_mut().zip(heads) {
            if shown != head {
                (*shown, *since_ms) = (*head, now_ms);
            }
        }
    }

    /// What a group may do. Lamps that show nothing let nobody go.
    pub(super) fn leave(&self, group: GroupId, now_ms: i64) -> Leave {
        match self.shown.get(group.index()) {
            Some((Indication::Protected, _)) => Leave::Go,
            Some((Indication::Permissive | Indication::StopThenGo, _)) => Leave::Yield,
            Some((Indication::Yellow, since_ms)) if now_ms - since_ms < INTO_YELLOW_MS => Leave::Go,
            _ => Leave::Stop,
        }
    }

    /// What a group's heads show.
    pub(super) fn shown(&self, group: GroupId) -> Option<Indication> {
        self.shown.get(group.index()).map(|(head, _)| *head)
    }

    fn is_green(&self, group: GroupId) -> bool {
        self.shown(group).is_some_and(Indication::is_green)
    }
}

/// A lane whose drivers have the right of way over somebody, while their group is green.
#[derive(Debug, Clone)]
struct Prior {
    group: GroupId,
    lanes: Vec<LaneId>,
}

/// What the rules of the road say about one connection.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) to: LaneId,
    pub(super) across_m: f64,
    pub(super) headway_ms: i64,
    pub(super) signal: Option<(ControllerId, GroupId)>,
    /// A junction without signals that several links lead to.
    pub(super) contested: Option<NodeId>,
    prior: Vec<Prior>,
}

impl Way {
    /// Everything about the connections of a network, in its order.
    pub(super) fn all(network: &Network) -> Vec<Self> {
        (0..network.connections().len()).map(|i| Self::of(network, ConnectionId::at(i))).collect()
    }

    fn of(network: &Network, id: ConnectionId) -> Self {
        let connection = network.connection(id);
        let movement = network.movement(connection.movement);
        let vph = movement.saturation.get();
        let headway_ms = if vph >= 1.0 { (3_600_000.0 / vph).round() as i64 } else { HEADWAY_MS };
        let signal = connection.signal.map(|s| (s.controller, s.group));
        let contested =
            (signal.is_none() && network.links_into(movement.node).nth(1).is_some()).then_some(movement.node);
        let prior = signal.map_or_else(Vec::new, |(controller, group)| prior(network, controller, group));
        Self { to: connection.to_lane, across_m: connection.length.get(), headway_ms, signal, contested, prior }
    }

    /// True when somebody it yields to is close: `comes` tells whether the foremost driver of a lane is about to cross
    /// the line with a group.
    pub(super) fn must_wait(&self, lamps: &Lamps, comes: impl Fn(LaneId, GroupId) -> bool) -> bool {
        self.prior.iter().any(|p| lamps.is_green(p.group) && p.lanes.iter().any(|lane| comes(*lane, p.group)))
    }
}

/// Groups a group yields to, with their lanes.
fn prior(network: &Network, controller: ControllerId, group: GroupId) -> Vec<Prior> {
    let database = network.controller(controller);
    let yields = |other: GroupId| match database.conflicts.get(group, other) {
        Relation::Permitted { yields, .. } => yields,
        // Met only by those who turn on red.
        Relation::Conflict { .. } => true,
        Relation::Compatible => false,
    };
    let lanes = |other: GroupId| {
        let mut lanes: Vec<LaneId> =
            database.group(other).connections.iter().map(|c| network.connection(*c).from_lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes
    };
    (0..database.groups.len())
        .map(GroupId::at)
        .filter(|other| *other != group && yields(*other))
        .map(|other| Prior { group: other, lanes: lanes(other) })
        .collect()
}

/// A junction without signals: who came first goes first, and others stay out while somebody crosses.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Crossroads {
    last: Option<(LinkId, i64)>,
}

impl Crossroads {
    /// True when nobody from another link is still crossing.
    pub(super) fn is_clear_for(self, link: LinkId, now_ms: i64) -> bool {
        self.last.is_none_or(|(last, until_ms)| last == link || now_ms >= until_ms)
    }

    /// Somebody from a link sets out.
    pub(super) fn cross(&mut self, link: LinkId, now_ms: i64) {
        self.last = Some((link, now_ms + CROSSING_MS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_go_on_green_and_early_yellow_only() {
        let mut lamps = Lamps::default();
        let group = GroupId::at(0);
        assert_eq!(lamps.leave(group, 0), Leave::Stop);
        for (head, at, leave) in [
            (Indication::Red, 0, Leave::Stop),
            (Indication::RedAmber, 1_000, Leave::Stop),
            (Indication::Protected, 2_000, Leave::Go),
            (Indication::Permissive, 3_000, Leave::Yield),
            (Indication::Yellow, 4_000, Leave::Go),
            (Indication::Yellow, 5_000, Leave::Go),
            (Indication::Yellow, 6_000, Leave::Stop),
            (Indication::StopThenGo, 7_000, Leave::Yield),
        ] {
            lamps.show(&[head], at);
            assert_eq!(lamps.leave(group, at), leave, "{head:?} at {at}");
        }
    }

    #[test]
    fn a_junction_is_kept_clear_for_who_crosses() {
        let mut junction = Crossroads::default();
        let (a, b) = (LinkId::at(0), LinkId::at(1));
        junction.cross(a, 0);
        assert!(junction.is_clear_for(a, 500) && !junction.is_clear_for(b, 500) && junction.is_clear_for(b, 1_500));
    }
}
