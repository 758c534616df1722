//! How groups relate: from the junctions' right-of-way matrices and from what the program shows together.

use super::draft::{Draft, Run};
use crate::formats::Notes;
use crate::formats::sumo_net::right_of_way::Touch;
use crate::signal::{GroupKind, Indication};

/// How a pair relates, before its intergreen is known. The row is the group named first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pair {
    /// Their ways do not touch.
    #[default]
    Apart,
    /// Shown together, neither has to yield by what is shown.
    Together,
    /// Shown together; the row's group yields.
    Yields,
    /// Shown together; the column's group yields.
    YieldedTo,
    /// Touch and are never shown together.
    Conflict,
}

/// All pairs of one controller.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    size: usize,
    cells: Vec<Pair>,
}

impl Pairs {
    /// Aggregates touching connections to groups.
    ///
    /// A pair the program shows green together is permitted. One of the two yields when the right-of-way matrix says so
    /// and the program never shows it protected beside the other, nor ends its green in a yellow trap; where both would,
    /// the one with more yielding connections does (the first on a tie).
    pub(super) fn of(draft: &Draft, touches: &[Touch], notes: &mut Notes) -> Self {
        let size = draft.groups.len();
        let group_of = |index: u32| draft.groups.iter().position(|g| g.indices.contains(&index));
        let most = draft.groups.iter().flat_map(|g| &g.indices).max().copied().unwrap_or(0);
        let groups: Vec<Option<usize>> = (0..=most).map(group_of).collect();
        let mut touching = vec![false; size * size];
        let mut yielding = vec![0_u32; size * size];
        for t in touches {
            let group = |i: u32| groups.get(i as usize).copied().flatten();
            let (Some(a), Some(b)) = (group(t.index), group(t.other)) else { continue };
            if a != b {
                touching[a * size + b] = true;
                touching[b * size + a] = true;
                yielding[a * size + b] += u32::from(t.yields);
            }
        }
        let mut pairs = Self { size, cells: vec![Pair::Apart; size * size] };
        for a in 0..size {
            for b in a + 1..size {
                if !touching[a * size + b] {
                    continue;
                }
                let beside = |x: usize, y: usize, is: fn(Indication) -> bool| {
                    draft.steps.iter().any(|s| is(s.shows[x]) && s.shows[y].is_green())
                };
                let mut may_yield = |x: usize, y: usize| {
                    let yields = yielding[x * size + y] > 0 && !beside(x, y, |i| i == Indication::Protected);
                    let trap = yields && ends_in_trap(draft, x, y);
                    if trap {
                        let name = format!("{} beside {}", draft.group_name(x), draft.groups[y].name());
                        notes.add(
                            "permissive green that ends while a stream it yields to stays green, as the file shows: the \
                             two taken as settled by the rules of the road",
                            name,
                        );
                    }
                    yields && !trap
                };
                let (of_a, of_b) = if !beside(a, b, Indication::is_green) {
                    (Pair::Conflict, Pair::Conflict)
                } else {
                    match (may_yield(a, b), may_yield(b, a)) {
                        (false, false) => (Pair::Together, Pair::Together),
                        (true, true) if yielding[a * size + b] < yielding[b * size + a] => {
                            (Pair::YieldedTo, Pair::Yields)
                        }
                        (true, _) => (Pair::Yields, Pair::YieldedTo),
                        (false, true) => (Pair::YieldedTo, Pair::Yields),
                    }
                };
                pairs.cells[a * size + b] = of_a;
                pairs.cells[b * size + a] = of_b;
            }
        }
        pairs
    }

    /// How the row's group relates to the column's.
    pub(super) fn get(&self, a: usize, b: usize) -> Pair {
        self.cells[a * self.size + b]
    }

    /// Greens of the pair between which an intergreen must pass: those of `ending` and those of `starting`.
    /// Empty where nothing is asked.
    pub(super) fn greens(&self, draft: &Draft, ending: usize, starting: usize) -> (Vec<Run>, Vec<Run>) {
        let whole = draft.steps.len();
        let (e, s) = match self.get(ending, starting) {
            Pair::Apart | Pair::Together => (Vec::new(), Vec::new()),
            Pair::Conflict => (draft.green_runs(ending), draft.green_runs(starting)),
            Pair::Yields => (draft.protected_runs(ending), draft.green_runs(starting)),
            Pair::YieldedTo => (draft.green_runs(ending), draft.protected_runs(starting)),
        };
        let bounded = |runs: Vec<Run>| runs.into_iter().filter(|r| r.count < whole).collect();
        (bounded(e), bounded(s))
    }
}

/// True when a permissive green of `turning` ends for good while `other` is green and stays so: a yellow trap where
/// `other` comes towards it, and of no meaning where the two merge.
fn ends_in_trap(draft: &Draft, turning: usize, other: usize) -> bool {
    let n = draft.steps.len();
    let vehicles = |g: usize| draft.groups[g].kind == GroupKind::Vehicle;
    vehicles(turning)
        && vehicles(other)
        && draft.green_runs(turning).into_iter().filter(|r| r.count < n).any(|run| {
            let next = draft.after(run);
            let last = (next + n - 1) % n;
            draft.steps[last].shows[turning] == Indication::Permissive
                && draft.steps[last].shows[other].is_green()
                && draft.steps[next].shows[other].is_green()
        })
}
