//! Which groups of a junction are green together.
//!
//! Approaches that face each other run together, main streets first; walkers walk beside whoever does not drive over
//! their crossing, or gives way to them in turning. Left turns get a stage of their own behind that where the plan asks
//! for one and they have a lane of their own.

use greenkerb_models::ids::{ConnectionId, GroupId};
use greenkerb_models::network::NetworkParts;
use greenkerb_models::signal::{ConflictMatrix, Indication, Relation};

use super::controllers::{Junction, Serves};
use super::plan::Lefts;
use super::right_of_way::facing;
use super::turns::turned;

/// What each stage shows, stage by stage.
pub(super) struct Stages<'a> {
    pub(super) junction: &'a Junction<'a>,
    pub(super) conflicts: &'a ConflictMatrix,
    pub(super) parts: &'a NetworkParts,
    pub(super) lefts: Lefts,
}

impl Stages<'_> {
    /// Every stage, in order: what each group shows.
    pub(super) fn all(&self) -> Vec<Vec<Indication>> {
        let mut stages = Vec::new();
        for axis in self.axes() {
            let mut shows = self.red();
            for g in self.of_arms(&axis) {
                if !(self.has_own_stage(g) && self.lefts == Lefts::Protected) {
                    shows[g] = self.green(g);
                }
            }
            if shows.iter().any(|s| s.is_green()) {
                self.add_walkers(&mut shows);
                stages.push(shows);
            }
            let mut left: Vec<usize> = self.of_arms(&axis).filter(|&g| self.has_own_stage(g)).collect();
            while !left.is_empty() {
                let mut shows = self.red();
                left.retain(|&g| {
                    let fits = (0..shows.len()).all(|o| !shows[o].is_green() || !self.meet(g, o));
                    if fits {
                        shows[g] = Indication::Protected;
                    }
                    !fits
                });
                stages.push(shows);
            }
        }
        // Walkers that no stage has room for get one of their own.
        let mut rest = self.red();
        for (g, head) in self.junction.heads.iter().enumerate() {
            let served = stages.iter().any(|s| s[g].is_green());
            if matches!(head.serves, Serves::Walkers(_)) && !served {
                rest[g] = Indication::Protected;
            }
        }
        if rest.iter().any(|s| s.is_green()) {
            stages.push(rest);
        }
        stages
    }

    fn red(&self) -> Vec<Indication> {
        vec![Indication::Red; self.junction.heads.len()]
    }

    fn green(&self, g: usize) -> Indication {
        if self.junction.heads[g].yields { Indication::Permissive } else { Indication::Protected }
    }

    fn meet(&self, a: usize, b: usize) -> bool {
        a != b && self.conflicts.get(GroupId::at(a), GroupId::at(b)) != Relation::Compatible
    }

    fn conflict(&self, a: usize, b: usize) -> bool {
        self.conflicts.conflicts(GroupId::at(a), GroupId::at(b))
    }

    fn of_arms<'s>(&'s self, arms: &'s [usize]) -> impl Iterator<Item = usize> + 's {
        self.junction.heads.iter().enumerate().filter_map(|(g, h)| match h.serves {
            Serves::Approach(a) | Serves::RightOf(a) | Serves::LeftOf(a) if arms.contains(&a) => Some(g),
            _ => None,
        })
    }

    /// Approaches that run together: those that face each other, main streets first.
    fn axes(&self) -> Vec<Vec<usize>> {
        let arms = self.junction.arms;
        let mut open: Vec<usize> = (0..arms.len()).filter(|&a| self.of_arms(&[a]).next().is_some()).collect();
        open.sort_by_key(|&a| (!arms[a].main, a));
        let mut axes = Vec::new();
        while let Some(&a) = open.first() {
            open.remove(0);
            let compatible = |b: usize| self.of_arms(&[a]).all(|g| self.of_arms(&[b]).all(|h| !self.conflict(g, h)));
            let partner = open
                .iter()
                .copied()
                .filter(|&b| facing(&arms[a], &arms[b]) && compatible(b))
                .min_by(|&x, &y| turned(&arms[a], &arms[x]).abs().total_cmp(&turned(&arms[a], &arms[y]).abs()));
            open.retain(|&b| Some(b) != partner);
            axes.push(std::iter::once(a).chain(partner).collect());
        }
        axes
    }

    /// A left turn from lanes of its own that yields to an oncoming stream, where such turns get a stage.
    fn has_own_stage(&self, g: usize) -> bool {
        let head = &self.junction.heads[g];
        let Serves::LeftOf(arm) = head.serves else { return false };
        let wanted = match self.lefts {
            Lefts::Permissive => false,
            Lefts::Protected | Lefts::Both => true,
            Lefts::BothFromMain => self.junction.arms[arm].main,
        };
        let lane_of = |c: &ConnectionId| self.parts.connections[c.index()].from_lane;
        let shared = self.junction.heads.iter().enumerate().any(|(o, other)| {
            o != g && other.connections.iter().any(|c| head.connections.iter().any(|k| lane_of(k) == lane_of(c)))
        });
        let oncoming = (0..self.junction.heads.len()).any(|o| {
            let vehicles = !matches!(self.junction.heads[o].serves, Serves::Walkers(_));
            let yields =
                matches!(self.conflicts.get(GroupId::at(g), GroupId::at(o)), Relation::Permitted { yields: true, .. });
            vehicles && yields
        });
        wanted && !shared && oncoming
    }

    /// Lets everybody walk who is in nobody's way, or whom those who turn give way to.
    fn add_walkers(&self, shows: &mut [Indication]) {
        for (w, head) in self.junction.heads.iter().enumerate() {
            let blocked = (0..shows.len()).any(|g| shows[g].is_green() && self.conflict(w, g));
            if matches!(head.serves, Serves::Walkers(_)) && !blocked {
                shows[w] = Indication::Protected;
            }
        }
    }
}
