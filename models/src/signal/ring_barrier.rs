//! NEMA rings and barriers: phases in sequence per ring, rings meeting at each barrier.

use serde::{Deserialize, Serialize};

use crate::ids::GroupId;
use crate::signal::{GreenInterval, OffsetReference, PlanView, Protection, TimingPlan};
use crate::units::Ds;

/// A phase in a ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingPhase {
    /// NEMA phase number, 1–16.
    pub phase: u8,
    /// The signal group it shows green.
    pub group: GroupId,
    /// Shortest green.
    pub min_green: Ds,
    /// Walk and pedestrian clearance together, zero where no crossing is served.
    pub walk_and_clearance: Ds,
    /// Yellow.
    pub yellow: Ds,
    /// All-red.
    pub all_red: Ds,
    /// Left out of the cycle.
    pub omitted: bool,
}

impl RingPhase {
    /// Shortest split: the longer of minimum green and pedestrian needs, with yellow and all-red.
    #[must_use]
    pub fn min_split(&self) -> Ds {
        self.min_green.max(self.walk_and_clearance) + self.yellow + self.all_red
    }
}

/// What lies between two barriers: for each ring, its phases in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BarrierGroup {
    /// Phases per ring.
    pub rings: Vec<Vec<RingPhase>>,
}

/// Rings and barriers of a controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingBarrier {
    /// Barrier groups in order.
    pub barrier_groups: Vec<BarrierGroup>,
    /// Coordinated phase numbers, one per ring, on one side of the barrier.
    pub coordinated: Vec<u8>,
}

/// Why splits do not make a plan of rings and barriers. Names in brackets are NTCIP 1202's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingBarrierError {
    /// A phase that is not in the rings, or that is missing from the splits.
    #[error("phase {phase} is not exactly once in the splits and in the rings (badPlan)")]
    Phase {
        /// Phase number.
        phase: u8,
    },
    /// Rings of different length between two barriers.
    #[error("barrier group {barrier_group}: ring {ring} takes {takes}, ring 0 takes {first} (splitOverrun)")]
    UnequalRings {
        /// Number of the barrier group.
        barrier_group: usize,
        /// Number of the ring.
        ring: usize,
        /// What it takes.
        takes: Ds,
        /// What ring 0 takes.
        first: Ds,
    },
    /// A split too short for its own yellow and all-red and any green.
    #[error("phase {phase}: a split of {split} leaves no green (splitOverrun)")]
    NoGreen {
        /// Phase number.
        phase: u8,
        /// Its split.
        split: Ds,
    },
    /// The sum of all splits does not fit.
    #[error("the cycle is too long (badCycleTime)")]
    CycleTooLong,
}

impl RingBarrier {
    /// All phases that are not omitted: barrier group by barrier group, ring by ring.
    pub fn phases(&self) -> impl Iterator<Item = &RingPhase> {
        self.barrier_groups.iter().flat_map(|b| b.rings.iter().flatten()).filter(|p| !p.omitted)
    }

    /// Compiles splits (yellow and all-red included) into the canonical plan. Second 0 is the first barrier.
    /// `groups` is the number of signal groups of the controller.
    ///
    /// # Errors
    /// [`RingBarrierError`] when the splits do not fill the rings.
    pub fn compile(
        &self,
        groups: usize,
        splits: &[(u8, Ds)],
        offset: Ds,
        reference: OffsetReference,
    ) -> Result<TimingPlan, RingBarrierError> {
        for p in self.phases() {
            if splits.iter().filter(|s| s.0 == p.phase).count() != 1 {
                return Err(RingBarrierError::Phase { phase: p.phase });
            }
        }
        if let Some(s) = splits.iter().find(|s| !self.phases().any(|p| p.phase == s.0)) {
            return Err(RingBarrierError::Phase { phase: s.0 });
        }
        let lost = |p: &RingPhase| p.yellow.0.checked_add(p.all_red.0).map(Ds);
        let all = splits.iter().map(|s| Some(s.1)).chain(self.phases().map(lost));
        // With the sum of everything below 2^32, none of the sums below overflows.
        all.into_iter()
            .try_fold(0_u32, |sum, d| sum.checked_add(d?.0))
            .filter(|sum| *sum < u32::MAX / 4)
            .ok_or(RingBarrierError::CycleTooLong)?;
        let split_of = |phase: u8| splits.iter().find(|s| s.0 == phase).map_or(Ds::ZERO, |s| s.1);
        let mut greens: Vec<Vec<GreenInterval>> = vec![Vec::new(); groups];
        let mut barrier = Ds::ZERO;
        let mut reference_position = Ds::ZERO;
        let coordinated = self.coordinated.first().copied();
        for (b, barrier_group) in self.barrier_groups.iter().enumerate() {
            let mut first = None;
            for (r, ring) in barrier_group.rings.iter().enumerate() {
                let mut at = barrier;
                for p in ring.iter().filter(|p| !p.omitted) {
                    let split = split_of(p.phase);
                    let lost = p.yellow + p.all_red;
                    if split <= lost {
                        return Err(RingBarrierError::NoGreen { phase: p.phase, split });
                    }
                    if coordinated == Some(p.phase) {
                        reference_position = match reference {
                            OffsetReference::CycleStart => Ds::ZERO,
                            OffsetReference::CoordinatedGreenStart => at,
                            OffsetReference::CoordinatedSplitEnd => at + split,
                        };
                    }
                    greens[p.group.index()].push(GreenInterval {
                        start: at,
                        length: split - lost,
                        protection: Protection::Protected,
                    });
                    at += split;
                }
                let takes = at - barrier;
                match first {
                    None => first = Some(takes),
                    Some(f) if f != takes => {
                        return Err(RingBarrierError::UnequalRings { barrier_group: b, ring: r, takes, first: f });
                    }
                    Some(_) => {}
                }
            }
            barrier += first.unwrap_or(Ds::ZERO);
        }
        let cycle = barrier;
        for g in &mut greens {
            g.sort_by_key(|i| i.start);
        }
        let modulo = |d: Ds| {
            if cycle == Ds::ZERO { d } else { Ds(d.0 % cycle.0) }
        };
        Ok(TimingPlan {
            cycle,
            offset: modulo(offset),
            reference,
            greens,
            view: PlanView::RingBarrier { splits: splits.to_vec() },
            reference_position: modulo(reference_position),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(phase: u8, group: usize) -> RingPhase {
        RingPhase {
            phase,
            group: GroupId::at(group),
            min_green: Ds::from_s(5),
            walk_and_clearance: Ds::ZERO,
            yellow: Ds::from_s(3),
            all_red: Ds::from_s(1),
            omitted: false,
        }
    }

    fn eight_phases() -> RingBarrier {
        RingBarrier {
            barrier_groups: vec![
                BarrierGroup { rings: vec![vec![phase(1, 0), phase(2, 1)], vec![phase(5, 4), phase(6, 5)]] },
                BarrierGroup { rings: vec![vec![phase(3, 2), phase(4, 3)], vec![phase(7, 6), phase(8, 7)]] },
            ],
            coordinated: vec![2, 6],
        }
    }

    fn splits(s: [u32; 8]) -> Vec<(u8, Ds)> {
        (1..=8).zip(s.map(Ds::from_s)).collect()
    }

    #[test]
    fn the_reference_point_follows_the_coordinated_phase() {
        let rb = eight_phases();
        let s = splits([15, 30, 15, 20, 12, 33, 17, 18]);
        let green = rb.compile(8, &s, Ds::ZERO, OffsetReference::CoordinatedGreenStart).unwrap();
        let end = rb.compile(8, &s, Ds::ZERO, OffsetReference::CoordinatedSplitEnd).unwrap();
        assert_eq!(green.cycle, Ds::from_s(80));
        assert_eq!(green.reference_position, Ds::from_s(15));
        assert_eq!(end.reference_position, Ds::from_s(45));
        // The same offset number means instants 30 s apart.
        use crate::units::TimeDs;
        assert_eq!(green.position_at(TimeDs(0)), Ds::from_s(15));
        assert_eq!(end.position_at(TimeDs(0)), Ds::from_s(45));
    }

    #[test]
    fn unequal_rings_are_refused() {
        let err = eight_phases()
            .compile(8, &splits([15, 30, 15, 20, 12, 32, 17, 18]), Ds::ZERO, OffsetReference::CycleStart)
            .unwrap_err();
        assert!(matches!(err, RingBarrierError::UnequalRings { barrier_group: 0, ring: 1, .. }), "{err}");
    }
}
