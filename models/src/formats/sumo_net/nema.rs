//! SUMO's NEMA controllers: phases in two rings become the steps they run through as a fixed-time plan, and the
//! ring-barrier database.
//!
//! Facts from SUMO ("Traffic Lights with NEMA Phases" and `NEMAController.cpp`): a ring lists up to two phases for each
//! side of the barrier, 0 for none; on a side where a ring has no phases of its own it repeats the other ring's; `maxDur`
//! is the split without yellow and red; `barrier2Phases` (or `coordinatePhases`) are the coordinated ones. A position
//! of the state strings that is `G` in an active phase shows what that phase shows; every other one shows the first of
//! `G g y u O s` that an active phase has for it. With TS2 the offset is the start of the first coordinated green, with
//! type 170 the start of its yellow.

use super::error::{Fault, Flaw};
use super::raw::{RawPhase, RawProgram};
use super::xml::value;
use crate::formats::Notes;
use crate::ids::GroupId;
use crate::signal::{BarrierGroup, GroupKind, RingBarrier, RingPhase, SignalGroup};
use crate::units::Ds;

/// `type` of a NEMA program.
const KIND: &str = "NEMA";
/// Phases a ring has on each side of the barrier.
const PHASES_PER_SIDE: usize = 2;
/// Highest phase number (NTCIP 1202 controllers have at least 16 phases).
const PHASE_MAX: u8 = 16;
/// Which letter wins where no active phase controls a position.
const PRIORITY: &str = "GgyuOs";

/// A NEMA phase.
#[derive(Debug, Clone)]
struct NemaPhase {
    number: u8,
    state: Vec<char>,
    min_green: Ds,
    green: Ds,
    yellow: Ds,
    red: Ds,
}

/// Rings and barriers as the file states them.
#[derive(Debug, Clone)]
pub(super) struct Rings {
    /// Per side of the barrier, per ring: positions in `phases`.
    sides: Vec<[Vec<usize>; 2]>,
    coordinated: Vec<u8>,
    phases: Vec<NemaPhase>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Light {
    Green,
    Yellow,
    Red,
}

/// A stretch of one ring's time.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    phase: usize,
    light: Light,
    start: Ds,
    end: Ds,
}

/// Puts steps in the place of the phases of every NEMA program.
pub(super) fn expand(programs: &mut [RawProgram], notes: &mut Notes) -> Result<(), Fault> {
    for program in programs.iter_mut().filter(|p| p.kind.eq_ignore_ascii_case(KIND)) {
        let rings = Rings::of(program)?;
        notes.add("NEMA program taken as fixed time: every phase as long as its longest green", &program.at.id);
        let timeline = rings.timeline(program, notes);
        program.offset_ds = rings.offset_ds(program, &timeline)?;
        program.phases = rings.steps(program, &timeline);
        program.rings = Some(rings);
    }
    Ok(())
}

impl Rings {
    fn of(program: &RawProgram) -> Result<Self, Fault> {
        let flaw = |key, reason: String| program.at.fault(Flaw::Nema { key, reason });
        let Some(first) = program.phases.first() else {
            return Err(program.at.fault(Flaw::Childless { child: "phase" }));
        };
        let mut phases: Vec<NemaPhase> = Vec::new();
        for p in &program.phases {
            let found = nema_phase(p)?;
            if phases.iter().any(|x| x.number == found.number) {
                return Err(p.at.fault(value("name", &found.number.to_string(), "the only phase of its number")));
            }
            if p.state.len() != first.state.len() {
                let (state, found) = (p.state.iter().collect(), p.state.len());
                return Err(p.at.fault(Flaw::StateLength { state, found, expected: first.state.len() }));
            }
            phases.push(found);
        }
        let mut sides: Vec<[Vec<usize>; 2]> = Vec::new();
        for (r, key) in ["ring1", "ring2"].into_iter().enumerate() {
            for (i, number) in numbers(program, key)?.into_iter().enumerate() {
                let side = i / PHASES_PER_SIDE;
                if sides.len() <= side {
                    sides.push(Default::default());
                }
                if number == 0 {
                    continue;
                }
                let at = phases.iter().position(|p| p.number == number);
                let at = at.ok_or_else(|| flaw(key, format!("there is no phase {number}")))?;
                if sides.iter().any(|s| s[r].contains(&at)) {
                    return Err(flaw(key, format!("phase {number} is listed twice")));
                }
                sides[side][r].push(at);
            }
        }
        for (side, rings) in sides.iter().enumerate() {
            for (r, key) in ["ring1", "ring2"].into_iter().enumerate() {
                if rings[r].is_empty() {
                    return Err(flaw(key, format!("it has no phase on side {} of the barrier", side + 1)));
                }
            }
        }
        let mut coordinated = match program.param("coordinatePhases") {
            Some(_) => numbers(program, "coordinatePhases")?,
            None => numbers(program, "barrier2Phases")?,
        };
        coordinated.dedup();
        let side_of =
            |number: &u8| sides.iter().position(|rings| rings.iter().flatten().any(|p| phases[*p].number == *number));
        let on: Vec<Option<usize>> = coordinated.iter().map(side_of).collect();
        if on.is_empty() || on.iter().any(|s| s.is_none() || *s != on[0]) {
            let reason = "the coordinated phases must exist and lie on one side of the barrier".to_owned();
            return Err(flaw("barrier2Phases", reason));
        }
        Ok(Self { sides, coordinated, phases })
    }

    /// Stretches of both rings over one cycle. A ring that is done before the other waits in the green of its last phase
    /// before the barrier.
    fn timeline(&self, program: &RawProgram, notes: &mut Notes) -> [Vec<Stretch>; 2] {
        let mut timeline: [Vec<Stretch>; 2] = Default::default();
        let mut barrier = Ds::ZERO;
        for rings in &self.sides {
            let takes = |ring: &[usize]| -> Ds { ring.iter().map(|p| self.phases[*p].split()).sum() };
            let longest = takes(&rings[0]).max(takes(&rings[1]));
            for (ring, stretches) in rings.iter().zip(&mut timeline) {
                let wait = longest - takes(ring);
                if wait > Ds::ZERO {
                    notes.add(
                        "ring shorter than the other before a barrier made to wait there in green",
                        &program.at.id,
                    );
                }
                let mut at = barrier;
                for (i, p) in ring.iter().enumerate() {
                    let phase = &self.phases[*p];
                    let waits = if i + 1 == ring.len() { wait } else { Ds::ZERO };
                    let lights =
                        [(Light::Green, phase.green + waits), (Light::Yellow, phase.yellow), (Light::Red, phase.red)];
                    for (light, length) in lights {
                        stretches.push(Stretch { phase: *p, light, start: at, end: at + length });
                        at += length;
                    }
                }
            }
            barrier += longest;
        }
        timeline
    }

    /// Offset of the cycle's start, from the offset of the file's reference point.
    fn offset_ds(&self, program: &RawProgram, timeline: &[Vec<Stretch>; 2]) -> Result<i64, Fault> {
        if program.param("coordinate-mode").is_none_or(|m| !matches!(m, "true" | "True" | "1")) {
            return Ok(0);
        }
        let kind: String = program.param("controllerType").unwrap_or("TS2").to_lowercase();
        let kind: String = kind.chars().filter(|c| c.is_alphanumeric()).collect();
        let at_end = match kind.as_str() {
            "ts2" => false,
            "type170" => true,
            _ => {
                let reason = "it is neither TS2 nor Type170".to_owned();
                return Err(program.at.fault(Flaw::Nema { key: "controllerType", reason }));
            }
        };
        let coordinated = |s: &&Stretch| self.coordinated.contains(&self.phases[s.phase].number);
        let greens = timeline.iter().flatten().filter(|s| s.light == Light::Green).filter(coordinated);
        let reference = greens.map(|s| if at_end { s.end } else { s.start }).min();
        Ok(program.offset_ds - i64::from(reference.unwrap_or(Ds::ZERO).0))
    }

    fn letter(&self, active: &[Stretch], index: usize) -> char {
        let shown = |s: &Stretch| {
            let letter = self.phases[s.phase].state[index];
            match s.light {
                Light::Green => letter,
                Light::Yellow if matches!(letter, 'G' | 'g') => 'y',
                Light::Yellow => letter,
                Light::Red if letter == 's' => 's',
                Light::Red => 'r',
            }
        };
        if let Some(controls) = active.iter().rev().find(|s| self.phases[s.phase].state[index] == 'G') {
            return shown(controls);
        }
        let letters: Vec<char> = active.iter().map(shown).collect();
        PRIORITY.chars().find(|p| letters.contains(p)).unwrap_or('r')
    }

    fn steps(&self, program: &RawProgram, timeline: &[Vec<Stretch>; 2]) -> Vec<RawPhase> {
        let mut ends: Vec<Ds> = timeline.iter().flatten().map(|s| s.end).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut steps: Vec<RawPhase> = Vec::new();
        let mut start = Ds::ZERO;
        for end in ends {
            let active: Vec<Stretch> =
                timeline.iter().filter_map(|ring| ring.iter().find(|s| s.end > start).copied()).collect();
            let width = self.phases.first().map_or(0, |p| p.state.len());
            let state: Vec<char> = (0..width).map(|i| self.letter(&active, i)).collect();
            let length = end.saturating_sub(start);
            start = end;
            match steps.last_mut() {
                _ if length == Ds::ZERO => {}
                Some(last) if last.state == state => last.duration += length,
                _ => steps.push(RawPhase {
                    at: program.at.clone(),
                    name: None,
                    duration: length,
                    min: None,
                    max: None,
                    yellow: None,
                    red: None,
                    next: None,
                    state,
                }),
            }
        }
        steps
    }

    /// Shortest green the file states for a position of the state strings.
    pub(super) fn min_green(&self, index: u32) -> Option<Ds> {
        let green = |p: &&NemaPhase| p.state.get(index as usize) == Some(&'G');
        self.phases.iter().filter(green).map(|p| p.min_green).min()
    }

    /// The ring-barrier database: each phase shows the group that is its own.
    pub(super) fn ring_barrier(&self, name: &str, groups: &[SignalGroup], notes: &mut Notes) -> Option<RingBarrier> {
        let mut own: Vec<Option<usize>> = vec![None; self.phases.len()];
        for (p, phase) in self.phases.iter().enumerate() {
            let protected = |phase: &NemaPhase, g: &SignalGroup| {
                g.link_indices.iter().all(|i| phase.state.get(*i as usize) == Some(&'G'))
            };
            let free = |g: &usize| groups[*g].kind == GroupKind::Vehicle && !own.contains(&Some(*g));
            own[p] = (0..groups.len()).filter(free).filter(|g| protected(phase, &groups[*g])).min_by_key(|g| {
                let shared = self.phases.iter().filter(|x| protected(x, &groups[*g])).count();
                (shared, std::cmp::Reverse(groups[*g].link_indices.len()))
            });
        }
        let Some(own) = own.into_iter().collect::<Option<Vec<usize>>>() else {
            notes.add("NEMA rings kept as stages only: a phase has no protected green of its own", name);
            return None;
        };
        let mut kept: Vec<usize> = Vec::new();
        let barrier_groups = self
            .sides
            .iter()
            .map(|rings| {
                let mut of_side = Vec::new();
                for ring in rings {
                    // A ring that repeats the other's phases on this side has none of its own.
                    let new: Vec<usize> = ring.iter().copied().filter(|p| !kept.contains(p)).collect();
                    kept.extend(&new);
                    if !new.is_empty() {
                        of_side.push(new.iter().map(|p| self.ring_phase(*p, own[*p], groups)).collect());
                    }
                }
                BarrierGroup { rings: of_side }
            })
            .collect();
        Some(RingBarrier { barrier_groups, coordinated: self.coordinated.clone() })
    }

    fn ring_phase(&self, phase: usize, group: usize, groups: &[SignalGroup]) -> RingPhase {
        let p = &self.phases[phase];
        let walks = |g: &&SignalGroup| {
            let green = g.link_indices.iter().all(|i| p.state.get(*i as usize).is_some_and(|c| matches!(c, 'G' | 'g')));
            g.kind == GroupKind::Pedestrian && green
        };
        let walk = groups.iter().filter(walks).map(|g| g.min_green + g.clearance).max().unwrap_or(Ds::ZERO);
        RingPhase {
            phase: p.number,
            group: GroupId::at(group),
            min_green: p.min_green,
            walk_and_clearance: walk.min(p.green),
            yellow: p.yellow,
            all_red: p.red,
            omitted: false,
        }
    }
}

impl NemaPhase {
    fn split(&self) -> Ds {
        self.green + self.yellow + self.red
    }
}

fn nema_phase(p: &RawPhase) -> Result<NemaPhase, Fault> {
    let name = p.name.as_deref().unwrap_or("");
    let number = name.trim().parse().ok().filter(|n| (1..=PHASE_MAX).contains(n));
    let number = number.ok_or_else(|| p.at.fault(value("name", name, "a NEMA phase number, 1 to 16")))?;
    let stated = |time: Option<Ds>, name| time.ok_or_else(|| p.at.fault(Flaw::Missing { name }));
    let green = stated(p.max, "maxDur")?;
    let hour = Ds::from_s(3_600);
    if green == Ds::ZERO || green > hour {
        return Err(p.at.fault(value("maxDur", &green.to_string(), "a green of 0.1 s to an hour")));
    }
    let (yellow, red) = (stated(p.yellow, "yellow")?, stated(p.red, "red")?);
    if yellow == Ds::ZERO || yellow > hour || red > hour {
        return Err(p.at.fault(value("yellow", &yellow.to_string(), "a yellow of 0.1 s to an hour")));
    }
    Ok(NemaPhase { number, state: p.state.clone(), min_green: p.min.unwrap_or(green).min(green), green, yellow, red })
}

fn numbers(program: &RawProgram, key: &'static str) -> Result<Vec<u8>, Fault> {
    let flaw = |reason: String| program.at.fault(Flaw::Nema { key, reason });
    let text = program.param(key).ok_or_else(|| flaw("it is missing".to_owned()))?;
    let number = |word: &str| word.trim().parse::<u8>().ok().filter(|n| *n <= PHASE_MAX);
    let read: Option<Vec<u8>> = text.split(',').map(number).collect();
    read.filter(|n| n.len() <= usize::from(PHASE_MAX)).ok_or_else(|| {
        flaw(format!("\"{}\" is not a list of phase numbers", text.chars().take(40).collect::<String>()))
    })
}
