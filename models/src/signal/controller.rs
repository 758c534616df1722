//! A signal controller: the database that safety is judged by.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{GroupId, NodeId};
use crate::signal::{
    ConflictMatrix, GroupKind, Program, ProgramError, Relation, RingBarrier, SignalGroup, StepKind, TimingPlan,
};
use crate::units::Ds;

/// Longest time a database may hold.
const TIME_MAX: Ds = Ds::from_s(3_600);

/// What the controller itself can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Shortest cycle.
    pub cycle_min: Ds,
    /// Longest cycle, at most 255 s (NTCIP 1202).
    pub cycle_max: Ds,
    /// Smallest step of time it resolves; every time in a plan is a multiple of it.
    pub resolution: Ds,
}

/// A signal controller with its database. The optimizer reads all of this and never writes any of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Controller {
    /// Name in the source file.
    pub name: String,
    /// Nodes whose signals it shows.
    pub nodes: Vec<NodeId>,
    /// Its signal groups; a [`GroupId`] is a position in here.
    pub groups: Vec<SignalGroup>,
    /// Which groups may be green together, and the intergreens between the others.
    pub conflicts: ConflictMatrix,
    /// Its stages in order; the lengths they ship with make the time-of-day plan it falls back to.
    pub program: Program,
    /// Its rings and barriers, where it has them.
    pub ring_barrier: Option<RingBarrier>,
    /// What it can do.
    pub limits: Limits,
}

/// Why a controller's database contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControllerError {
    /// It has no signal groups.
    #[error("it has no signal groups")]
    NoGroups,
    /// The conflict matrix is of another size than the list of groups.
    #[error("its conflict matrix is for {matrix} groups, but it has {groups}")]
    MatrixSize {
        /// Size of the matrix.
        matrix: usize,
        /// Number of groups.
        groups: usize,
    },
    /// The conflict matrix is not symmetric.
    #[error("groups '{a}' and '{b}' do not agree on whether they conflict")]
    Asymmetric {
        /// One group.
        a: String,
        /// The other.
        b: String,
    },
    /// A step shows another number of groups.
    #[error("step {step} shows {shows} groups, but there are {groups}")]
    StepWidth {
        /// Number of the step.
        step: usize,
        /// Groups it shows.
        shows: usize,
        /// Number of groups.
        groups: usize,
    },
    /// The limits are not a range, or pass 255 s.
    #[error("cycle limits {min} to {max} are not a range within 255 s")]
    Limits {
        /// Shortest cycle.
        min: Ds,
        /// Longest cycle.
        max: Ds,
    },
    /// The time resolution is zero.
    #[error("its time resolution is zero")]
    Resolution,
    /// Two groups share a name.
    #[error("two groups are named '{name}'")]
    DuplicateGroup {
        /// The shared name.
        name: String,
    },
    /// A vehicle group without yellow.
    #[error("vehicle group '{group}' has no yellow")]
    NoYellow {
        /// The group.
        group: String,
    },
    /// A time in the database that no controller can mean.
    #[error("{what} of {time} is longer than an hour")]
    TooLong {
        /// Whose time it is.
        what: String,
        /// The time.
        time: Ds,
    },
    /// A phase of the rings shows a group that does not exist.
    #[error("phase {phase} shows group number {group}, which does not exist")]
    RingGroup {
        /// The phase.
        phase: u8,
        /// The number it gives.
        group: u32,
    },
    /// The program is no program.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl Controller {
    /// One group.
    #[must_use]
    pub fn group(&self, id: GroupId) -> &SignalGroup {
        &self.groups[id.index()]
    }

    /// Ids of all groups.
    pub fn group_ids(&self) -> impl Iterator<Item = GroupId> + use<> {
        (0..self.groups.len()).map(GroupId::at)
    }

    /// The plan the controller runs when nobody tells it better.
    ///
    /// # Panics
    /// Never for a controller of a built network, whose program has been checked.
    #[must_use]
    pub fn time_of_day_plan(&self) -> TimingPlan {
        self.program.shipped_plan(&self.groups, &self.conflicts).expect("checked when the network was built")
    }

    /// SHA-256 over the whole database, in hex: a plan is computed against one database and refused by any other.
    ///
    /// # Panics
    /// Never: the database is plain data.
    #[must_use]
    pub fn checksum(&self) -> String {
        let bytes = postcard::to_stdvec(self).expect("plain data serialises");
        Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The same controller with no clearance longer than the longest its own program shows between two stages, nor shorter
    /// than a group's yellow or pedestrian clearance.
    ///
    /// A file that is a model, as SUMO's, says how long to wait between those greens only that follow each other in its
    /// program; between others a careful reader derives an all-red. Rules of the literature that show stages in any order
    /// go without, and so does SUMO's own control: who is compared with them has to be given the same.
    #[must_use]
    pub fn with_clearances_as_shown(mut self) -> Self {
        let mut longest = Ds::ZERO;
        let mut run = Ds::ZERO;
        for step in self.program.steps.iter().chain(&self.program.steps) {
            run = if step.kind == StepKind::Clearance { run + step.shipped } else { Ds::ZERO };
            longest = longest.max(run);
        }
        for ending in 0..self.groups.len() {
            let group = &mut self.groups[ending];
            let own = group.yellow.max(group.clearance);
            let cap = longest.max(own);
            group.min_red = group.min_red.min(Ds(cap.0 - own.0));
            for starting in self.group_ids().collect::<Vec<_>>() {
                let ending = GroupId::at(ending);
                let capped = match self.conflicts.get(ending, starting) {
                    Relation::Conflict { intergreen } => Relation::Conflict { intergreen: intergreen.min(cap) },
                    Relation::Permitted { yields, intergreen } => {
                        Relation::Permitted { yields, intergreen: intergreen.min(cap) }
                    }
                    Relation::Compatible => continue,
                };
                self.conflicts.set(ending, starting, capped);
            }
        }
        self
    }

    /// Checks the database against itself.
    ///
    /// # Errors
    /// [`ControllerError`] naming the first contradiction.
    pub fn check(&self) -> Result<(), ControllerError> {
        let groups = self.groups.len();
        if groups == 0 {
            return Err(ControllerError::NoGroups);
        }
        if self.conflicts.size() != groups || !self.conflicts.is_whole() {
            return Err(ControllerError::MatrixSize { matrix: self.conflicts.size(), groups });
        }
        if let Some((a, b)) = self.conflicts.asymmetry() {
            return Err(ControllerError::Asymmetric { a: self.group(a).name.clone(), b: self.group(b).name.clone() });
        }
        for (i, g) in self.groups.iter().enumerate() {
            if self.groups[..i].iter().any(|other| other.name == g.name) {
                return Err(ControllerError::DuplicateGroup { name: g.name.clone() });
            }
            if g.kind == GroupKind::Vehicle && g.yellow == Ds::ZERO {
                return Err(ControllerError::NoYellow { group: g.name.clone() });
            }
        }
        for (i, s) in self.program.steps.iter().enumerate() {
            if s.shows.len() != groups {
                return Err(ControllerError::StepWidth { step: i, shows: s.shows.len(), groups });
            }
        }
        let Limits { cycle_min, cycle_max, resolution } = self.limits;
        if cycle_min > cycle_max || cycle_max > Ds::from_s(255) || cycle_min == Ds::ZERO {
            return Err(ControllerError::Limits { min: cycle_min, max: cycle_max });
        }
        if resolution == Ds::ZERO {
            return Err(ControllerError::Resolution);
        }
        self.check_times()?;
        let phases =
            self.ring_barrier.iter().flat_map(|r| r.barrier_groups.iter().flat_map(|b| b.rings.iter().flatten()));
        for p in phases {
            if p.group.index() >= groups {
                return Err(ControllerError::RingGroup { phase: p.phase, group: p.group.0 });
            }
        }
        self.program.shipped_plan(&self.groups, &self.conflicts)?;
        Ok(())
    }

    /// No time is so long that sums of times could overflow.
    fn check_times(&self) -> Result<(), ControllerError> {
        let longest = |what: String, times: &[Ds]| match times.iter().max() {
            Some(&time) if time > TIME_MAX => Err(ControllerError::TooLong { what, time }),
            _ => Ok(()),
        };
        for g in &self.groups {
            let times = [g.min_green, g.yellow, g.red_amber, g.clearance, g.min_red, g.max_red];
            longest(format!("a time of group '{}'", g.name), &times)?;
        }
        for (i, s) in self.program.steps.iter().enumerate() {
            let min = if let StepKind::Stage { min, .. } = s.kind { min } else { Ds::ZERO };
            longest(format!("step {i}"), &[s.shipped, min])?;
        }
        for (a, b) in self.group_ids().flat_map(|a| self.group_ids().map(move |b| (a, b))) {
            if let Relation::Permitted { intergreen, .. } | Relation::Conflict { intergreen } = self.conflicts.get(a, b)
            {
                longest(format!("the intergreen from '{}'", self.group(a).name), &[intergreen])?;
            }
        }
        let phases =
            self.ring_barrier.iter().flat_map(|r| r.barrier_groups.iter().flat_map(|b| b.rings.iter().flatten()));
        for p in phases {
            longest(format!("a time of phase {}", p.phase), &[p.min_green, p.walk_and_clearance, p.yellow, p.all_red])?;
        }
        Ok(())
    }
}
