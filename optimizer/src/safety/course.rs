//! Greens of every group along a line of time: one or more cycles, of one plan or of several in turn.
//!
//! The cycle wrap and the seam between two plans are then no special cases: a cyclic plan is judged as several of its
//! cycles on end, a transition as the cycles that are really run, a schedule as itself and the cycles after it.

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Protection, TimedGreen, TimingPlan};
use greenkerb_models::units::TimeDs;

/// A stretch of green `[start, end)` in deciseconds from the start of the course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
    /// Right of way, all of it; false where any part of it yields.
    pub(super) protected: bool,
}

/// Cycles of one plan that are laid on end to judge it. One cycle is whole with its neighbours on both sides (a green
/// that starts in it ends before the third, the gap after that before the end of the fourth).
const CYCLES: usize = 4;

/// Greens along a line of time. Greens that the first and the last instant cut off are known only in part.
#[derive(Debug, Clone)]
pub(super) struct Course {
    /// Per group, in order of time: parts of one protection, neighbours of the same protection joined.
    parts: Vec<Vec<Span>>,
    /// Per group, in order of time: greens, protected or not, joined.
    greens: Vec<Vec<Span>>,
    length: i64,
}

impl Course {
    /// A plan that runs on and on.
    pub(super) fn of_plan(plan: &TimingPlan) -> Self {
        Self::of_cycles(std::iter::repeat_n(plan, CYCLES))
    }

    /// One cycle of each plan in turn. Every plan has passed the structure rule, all for the same number of groups.
    pub(super) fn of_cycles<'a>(plans: impl Iterator<Item = &'a TimingPlan>) -> Self {
        let mut parts: Vec<Vec<Span>> = Vec::new();
        let mut from = 0;
        for plan in plans {
            let cycle = i64::from(plan.cycle.0);
            parts.resize(plan.greens.len(), Vec::new());
            for (spans, intervals) in parts.iter_mut().zip(&plan.greens) {
                let mut pieces = Vec::with_capacity(intervals.len() + 1);
                for green in intervals {
                    let protected = green.protection == Protection::Protected;
                    let (start, end) = (i64::from(green.start.0), i64::from(green.start.0) + i64::from(green.length.0));
                    pieces.push(Span { start: from + start, end: from + end.min(cycle), protected });
                    if end > cycle {
                        pieces.push(Span { start: from, end: from + end - cycle, protected });
                    }
                }
                pieces.sort_unstable_by_key(|s| s.start);
                for piece in pieces {
                    match spans.last_mut() {
                        Some(last) if last.end == piece.start && last.protected == protected_of(&piece) => {
                            last.end = piece.end;
                        }
                        _ => spans.push(piece),
                    }
                }
            }
            from += cycle;
        }
        Self::of_parts(parts, from)
    }

    /// A schedule to its end, then so many cycles of the plan that takes over at `at`, in the middle of a cycle. Every
    /// group has its greens in both.
    pub(super) fn of_schedule(greens: &[Vec<TimedGreen>], begins: TimeDs, (at, plan): (TimeDs, &TimingPlan)) -> Self {
        let after = Self::of_cycles(std::iter::repeat_n(plan, CYCLES));
        let (seam, position) = (at.since(begins), i64::from(plan.position_at(at).0));
        let parts = greens.iter().zip(&after.parts).map(|(scheduled, cyclic)| {
            let scheduled = scheduled.iter().map(|g| Span {
                start: g.start.since(begins),
                end: g.end.since(begins).min(seam),
                protected: g.protection == Protection::Protected,
            });
            let cyclic = cyclic.iter().filter(|s| s.end > position).map(|s| Span {
                start: seam + (s.start - position).max(0),
                end: seam + s.end - position,
                protected: s.protected,
            });
            let mut spans: Vec<Span> = Vec::new();
            for span in scheduled.chain(cyclic) {
                match spans.last_mut() {
                    Some(last) if last.end == span.start && last.protected == span.protected => last.end = span.end,
                    _ => spans.push(span),
                }
            }
            spans
        });
        Self::of_parts(parts.collect(), seam + after.length - position)
    }

    fn of_parts(parts: Vec<Vec<Span>>, length: i64) -> Self {
        let greens = parts.iter().map(|spans| joined(spans)).collect();
        Self { parts, greens, length }
    }

    /// Length of the course.
    pub(super) const fn length(&self) -> i64 {
        self.length
    }

    /// Greens of a group, whatever their protection.
    pub(super) fn greens(&self, group: GroupId) -> &[Span] {
        &self.greens[group.index()]
    }

    /// Parts of a group's greens, each of one protection.
    pub(super) fn parts(&self, group: GroupId) -> &[Span] {
        &self.parts[group.index()]
    }

    /// Greens of a group with right of way.
    pub(super) fn protected(&self, group: GroupId) -> Vec<Span> {
        self.parts(group).iter().copied().filter(protected_of).collect()
    }

    /// True when the span is known from its start to its end.
    pub(super) const fn whole(&self, span: &Span) -> bool {
        span.start > 0 && span.end < self.length
    }
}

const fn protected_of(span: &Span) -> bool {
    span.protected
}

fn joined(parts: &[Span]) -> Vec<Span> {
    let mut greens: Vec<Span> = Vec::with_capacity(parts.len());
    for part in parts {
        match greens.last_mut() {
            Some(last) if last.end == part.start => {
                last.end = part.end;
                last.protected &= part.protected;
            }
            _ => greens.push(*part),
        }
    }
    greens
}
