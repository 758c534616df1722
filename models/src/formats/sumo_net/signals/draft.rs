//! A program while it is being understood: groups, and what each shows in each step.

use crate::formats::Notes;
use crate::formats::sumo_net::error::{Fault, Flaw, Place};
use crate::formats::sumo_net::raw::{RawPhase, RawProgram};
use crate::ids::{ConnectionId, CrossingId, LinkId};
use crate::signal::{GroupKind, Indication};
use crate::units::Ds;

/// Most signal groups of one controller; the largest joined junctions we know have about 100.
const GROUPS_MAX: usize = 512;
/// Most steps of one program.
const STEPS_MAX: usize = 512;

/// What obeys one position of the state strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::formats::sumo_net) enum Obeys {
    Connection(ConnectionId),
    Crossing(CrossingId),
}

/// One thing that obeys a signal, with what decides its safety times.
#[derive(Debug, Clone)]
pub(in crate::formats::sumo_net) struct Head {
    pub(in crate::formats::sumo_net) at: Place,
    pub(in crate::formats::sumo_net) link_index: u32,
    pub(in crate::formats::sumo_net) link_index_2: Option<u32>,
    pub(in crate::formats::sumo_net) obeys: Obeys,
    /// Link it comes from; none for a crossing.
    pub(in crate::formats::sumo_net) from: Option<LinkId>,
    /// Speed limit on the way to the signal.
    pub(in crate::formats::sumo_net) approach_mps: f64,
    /// Length of the way across.
    pub(in crate::formats::sumo_net) way_m: f64,
}

/// A signal group in the making.
#[derive(Debug, Clone)]
pub(super) struct DraftGroup {
    pub(super) kind: GroupKind,
    pub(super) indices: Vec<u32>,
    pub(super) heads: Vec<Head>,
    from: Option<LinkId>,
    column: Vec<Indication>,
    pub(super) turn_on_red: bool,
}

impl DraftGroup {
    pub(super) fn name(&self) -> String {
        let prefix = if self.kind == GroupKind::Pedestrian { 'p' } else { 'g' };
        format!("{prefix}{}", self.indices[0])
    }

    pub(super) fn longest_way_m(&self) -> f64 {
        self.heads.iter().map(|h| h.way_m).fold(0.0, f64::max)
    }

    pub(super) fn fastest_approach_mps(&self) -> f64 {
        self.heads.iter().map(|h| h.approach_mps).fold(0.0, f64::max)
    }
}

/// A step in the making.
#[derive(Debug, Clone)]
pub(super) struct DraftStep {
    pub(super) length: Ds,
    /// `minDur`, where the file states it.
    pub(super) stated_min: Option<Ds>,
    /// Number of the phase in the file.
    pub(super) phase: usize,
    pub(super) shows: Vec<Indication>,
}

/// Groups and steps in the making.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) at: Place,
    pub(super) groups: Vec<DraftGroup>,
    pub(super) steps: Vec<DraftStep>,
}

/// A run of steps, around the end of the cycle too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) count: usize,
}

/// Whether a position shows one letter for ever.
pub(in crate::formats::sumo_net) fn constant_letter(phases: &[RawPhase], index: u32) -> Option<char> {
    let mut letters = phases.iter().map(|p| p.state.get(index as usize).copied());
    let first = letters.next()??;
    letters.all(|l| l == Some(first)).then_some(first)
}

/// True for a letter that, shown for ever, is no signal: red closes the way, the others leave it to the rules of the
/// road.
pub(in crate::formats::sumo_net) fn is_no_signal(letter: char) -> bool {
    !matches!(letter, 'g' | 'G')
}

fn indication(letter: char, notes: &mut Notes, at: &Place) -> Indication {
    match letter {
        'G' => Indication::Protected,
        'g' => Indication::Permissive,
        'y' | 'Y' => Indication::Yellow,
        'u' | 'U' => Indication::RedAmber,
        's' => Indication::StopThenGo,
        'O' => {
            notes.add("dark signal ('O') taken as protected green: in SUMO both have the right of way", &at.id);
            Indication::Protected
        }
        'o' => {
            notes.add("blinking signal ('o') taken as permissive green: in SUMO both yield", &at.id);
            Indication::Permissive
        }
        _ => Indication::Red,
    }
}

/// The phases in the order they run, following `next` where it is given.
fn in_order(program: &RawProgram, notes: &mut Notes) -> Result<Vec<usize>, Fault> {
    let count = program.phases.len();
    let mut order: Vec<usize> = Vec::new();
    let mut at = 0;
    while !order.contains(&at) {
        order.push(at);
        let phase = &program.phases[at];
        at = match phase.next {
            Some(next) if next >= count => {
                let flaw = Flaw::Dangling { name: "next", id: next.to_string(), target: "a phase" };
                return Err(phase.at.fault(flaw));
            }
            Some(next) => next,
            None => (at + 1) % count,
        };
    }
    if let Some(lead_in) = order.iter().position(|p| *p == at) {
        order.drain(..lead_in);
    }
    if order.len() < count {
        notes.add("phases outside the cycle that the first successors make left out", &program.at.id);
    }
    Ok(order)
}

impl Draft {
    /// Groups the heads of a program by what they show: same link, same kind, same letters in every step.
    pub(super) fn of(program: &RawProgram, heads: &[Head], notes: &mut Notes) -> Result<Self, Fault> {
        let at = program.at.clone();
        let too_many = |what, found, most| at.fault(Flaw::TooMany { what, found, most });
        if program.phases.len() > STEPS_MAX {
            return Err(too_many("phases", program.phases.len(), STEPS_MAX));
        }
        let order = in_order(program, notes)?;
        let mut groups: Vec<DraftGroup> = Vec::new();
        let mut sorted: Vec<&Head> = heads.iter().collect();
        sorted.sort_by_key(|h| h.link_index);
        for head in sorted {
            let letters: Vec<char> =
                order.iter().filter_map(|p| program.phases[*p].state.get(head.link_index as usize).copied()).collect();
            let column: Vec<Indication> = letters.iter().map(|c| indication(*c, notes, &at)).collect();
            let kind = match head.obeys {
                Obeys::Connection(_) => GroupKind::Vehicle,
                Obeys::Crossing(_) => GroupKind::Pedestrian,
            };
            let crossing = kind == GroupKind::Pedestrian;
            let joins = |g: &DraftGroup| {
                let same_index = g.indices.contains(&head.link_index);
                same_index || (!crossing && g.kind == kind && g.from == head.from && g.column == column)
            };
            if let Some(g) = groups.iter_mut().find(|g| joins(g)) {
                g.heads.push(head.clone());
                if !crossing {
                    // Whoever shares a position with vehicles is signalled as they are.
                    g.kind = GroupKind::Vehicle;
                }
                g.indices.push(head.link_index);
            } else {
                let indices = vec![head.link_index];
                let heads = vec![head.clone()];
                groups.push(DraftGroup { kind, indices, heads, from: head.from, column, turn_on_red: false });
            }
            if let (Some(g), Some(second)) = (groups.last_mut(), head.link_index_2) {
                let same = |p: &usize| {
                    let state = &program.phases[*p].state;
                    state.get(second as usize) == state.get(head.link_index as usize)
                };
                if !order.iter().all(same) {
                    notes.add("far side of a crossing made to show what the near side shows", &head.at.id);
                }
                g.indices.push(second);
            }
        }
        for g in &mut groups {
            g.indices.sort_unstable();
            g.indices.dedup();
        }
        if groups.len() > GROUPS_MAX {
            return Err(too_many("signal groups", groups.len(), GROUPS_MAX));
        }
        let steps = order
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let phase = &program.phases[*p];
                DraftStep {
                    length: phase.duration,
                    stated_min: phase.min,
                    phase: *p,
                    shows: groups.iter().map(|g| g.column[i]).collect(),
                }
            })
            .collect();
        let mut draft = Self { at, groups, steps };
        draft.settle_turns_on_red(notes);
        Ok(draft)
    }

    /// A turn on red is a property of the heads here: allowed whenever they are red, or never.
    fn settle_turns_on_red(&mut self, notes: &mut Notes) {
        for g in 0..self.groups.len() {
            let shown = |i| self.steps.iter().any(|s| s.shows[g] == i);
            let (stop_then_go, red) = (shown(Indication::StopThenGo), shown(Indication::Red));
            self.groups[g].turn_on_red = stop_then_go && !red;
            if stop_then_go && red {
                let name = format!("{} {}", self.at.id, self.groups[g].name());
                notes.add("turn on red ('s') shown in some red steps only taken as never allowed", name);
                for s in self.steps.iter_mut().filter(|s| s.shows[g] == Indication::StopThenGo) {
                    s.shows[g] = Indication::Red;
                }
            }
        }
    }

    /// Runs of consecutive steps in which a group shows what `is` accepts.
    pub(super) fn runs(&self, group: usize, is: impl Fn(Indication) -> bool) -> Vec<Run> {
        let n = self.steps.len();
        let on = |i: usize| is(self.steps[i % n].shows[group]);
        let Some(off) = (0..n).find(|i| !on(*i)) else {
            return vec![Run { start: 0, count: n }];
        };
        let mut runs: Vec<Run> = Vec::new();
        for i in off + 1..off + n {
            match runs.last_mut() {
                Some(r) if on(i) && r.start + r.count == i => r.count += 1,
                _ if on(i) => runs.push(Run { start: i, count: 1 }),
                _ => {}
            }
        }
        runs.into_iter().map(|r| Run { start: r.start % n, ..r }).collect()
    }

    pub(super) fn green_runs(&self, group: usize) -> Vec<Run> {
        self.runs(group, Indication::is_green)
    }

    pub(super) fn protected_runs(&self, group: usize) -> Vec<Run> {
        self.runs(group, |i| i == Indication::Protected)
    }

    /// The steps of a run, in order.
    pub(super) fn steps_of(&self, run: Run) -> impl Iterator<Item = usize> + use<> {
        let n = self.steps.len();
        (run.start..run.start + run.count).map(move |i| i % n)
    }

    /// The first step after a run.
    pub(super) fn after(&self, run: Run) -> usize {
        (run.start + run.count) % self.steps.len()
    }

    /// Steps from `from` up to but without `to`, around the end of the cycle.
    pub(super) fn between(&self, from: usize, to: usize) -> impl Iterator<Item = usize> + use<> {
        let n = self.steps.len();
        (0..(to + n - from) % n).map(move |i| (from + i) % n)
    }

    pub(super) fn step_name(&self, step: usize) -> String {
        format!("{} phase {}", self.at.id, self.steps[step].phase)
    }

    pub(super) fn group_name(&self, group: usize) -> String {
        format!("{} {}", self.at.id, self.groups[group].name())
    }
}
