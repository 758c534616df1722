//! Stages one after the other, each for a length that may change from cycle to cycle.

use std::sync::Arc;

use greenkerb_models::signal::Indication;
use greenkerb_models::units::{Ds, TimeDs};

use super::stages::Stages;
use super::switch::Switch;

/// One controller's stages in a fixed order.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    switch: Switch,
    order: Vec<usize>,
    lengths: Vec<Ds>,
    /// Place in the order of the stage that is shown.
    place: usize,
    /// The first stage's beginning that was told already.
    told: Option<TimeDs>,
}

impl Sequence {
    /// The stages of the program with the lengths it ships with; where the program is a list of stages to choose from,
    /// those that serve everybody.
    pub(crate) fn of_program(stages: Arc<Stages>, begin: TimeDs) -> Self {
        let order = if stages.is_list() { stages.cover() } else { (0..stages.all().len()).collect() };
        let lengths = order.iter().map(|s| stages.all()[*s].shipped).collect();
        Self::new(stages, order, lengths, begin)
    }

    /// Stages in an order (not empty), each for its length.
    pub(crate) fn new(stages: Arc<Stages>, order: Vec<usize>, lengths: Vec<Ds>, begin: TimeDs) -> Self {
        let switch = Switch::new(stages, order.first().copied().unwrap_or(0), begin);
        Self { switch, order, lengths, place: 0, told: None }
    }

    pub(crate) fn stages(&self) -> &Arc<Stages> {
        self.switch.stages()
    }

    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    pub(crate) fn lengths(&self) -> &[Ds] {
        &self.lengths
    }

    /// Shortest lengths, in order.
    pub(crate) fn minima(&self) -> Vec<Ds> {
        self.order.iter().map(|s| self.stages().all()[*s].min).collect()
    }

    /// New lengths, in order, from the stage that is shown on.
    pub(crate) fn set_lengths(&mut self, lengths: Vec<Ds>) {
        debug_assert_eq!(lengths.len(), self.order.len());
        self.lengths = lengths;
    }

    /// True once for every beginning of the first stage.
    pub(crate) fn cycle_begins(&mut self, now: TimeDs) -> bool {
        let begins = self.place == 0 && now >= self.switch.since() && self.told != Some(self.switch.since());
        if begins {
            self.switch.show(now);
            self.told = Some(self.switch.since());
        }
        begins
    }

    /// Leaves the stage when it is over; what the heads show from `now` on.
    pub(crate) fn show(&mut self, now: TimeDs) -> &[Indication] {
        if !self.switch.is_changing() && self.switch.age(now) >= self.lengths[self.place] {
            self.go_on(now);
        }
        self.switch.show(now)
    }

    /// What the heads show from `now` on, without leaving the stage.
    pub(crate) fn hold(&mut self, now: TimeDs) -> &[Indication] {
        self.switch.show(now)
    }

    /// Place in the order of the stage that is shown or come to.
    pub(crate) const fn place(&self) -> usize {
        self.place
    }

    /// From when on that stage is shown, or will be.
    pub(crate) const fn since(&self) -> TimeDs {
        self.switch.since()
    }

    /// How long it has been shown; nothing while it is come to.
    pub(crate) fn age(&self, now: TimeDs) -> Option<Ds> {
        (now >= self.switch.since()).then(|| self.switch.age(now))
    }

    /// Leaves the stage for the next one if it may be left; tells whether it did.
    pub(crate) fn go_on(&mut self, now: TimeDs) -> bool {
        let next = (self.place + 1) % self.order.len();
        let went = self.switch.go(self.order[next], now);
        if went {
            self.place = next;
        }
        went
    }
}

/// Shares a time out by weights, in whole seconds, none below its minimum; equally where nothing has weight. Longer than
/// asked where the minima need more.
pub(crate) fn share_out(total: Ds, weights: &[f64], minima: &[Ds]) -> Vec<Ds> {
    let least: Ds = minima.iter().copied().sum();
    let spare_s = f64::from(total.saturating_sub(least).0 / 10);
    let sum: f64 = weights.iter().sum();
    let share = |w: f64| if sum > 0.0 { w / sum } else { 1.0 / weights.len().max(1) as f64 };
    let exact: Vec<f64> = weights.iter().map(|w| spare_s * share(*w)).collect();
    let mut whole: Vec<u32> = exact.iter().map(|e| e.floor() as u32).collect();
    let left = (spare_s as u32).saturating_sub(whole.iter().sum());
    let mut by_rest: Vec<usize> = (0..exact.len()).collect();
    by_rest.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()).then(a.cmp(&b)));
    for &i in by_rest.iter().take(left as usize) {
        whole[i] += 1;
    }
    whole.iter().zip(minima).map(|(w, min)| *min + Ds::from_s(*w)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::sample;

    #[test]
    fn stages_come_in_order_for_their_lengths() {
        let stages = Arc::new(Stages::of(Arc::new(crate::field::sample::controller())));
        let mut sequence = Sequence::of_program(stages, TimeDs(0));
        assert_eq!(sequence.lengths(), [Ds::from_s(20), Ds::from_s(15)]);
        let green_at: Vec<i64> =
            (0..100).filter(|s| sequence.show(TimeDs::from_s(*s))[2] == Indication::Protected).collect();
        // 20 s, 5 s between, 15 s, 5 s between: a cycle of 45 s as the program has it.
        assert_eq!(green_at, (25..40).chain(70..85).collect::<Vec<_>>());
    }

    #[test]
    fn a_cycle_begins_once() {
        let stages = Arc::new(Stages::of(Arc::new(crate::field::sample::controller())));
        let mut sequence = Sequence::of_program(stages, TimeDs(0));
        let begins: Vec<i64> = (0..100)
            .filter(|s| {
                let begins = sequence.cycle_begins(TimeDs::from_s(*s));
                sequence.show(TimeDs::from_s(*s));
                begins
            })
            .collect();
        assert_eq!(begins, [0, 45, 90]);
    }

    #[test]
    fn a_list_for_learners_runs_the_stages_it_needs() {
        let stages = Arc::new(Stages::of(Arc::new(sample::eight_stages())));
        assert_eq!(Sequence::of_program(stages, TimeDs(0)).order(), [0, 1, 4, 5]);
    }

    #[test]
    fn time_is_shared_out_whole() {
        let minima = [Ds::from_s(5); 3];
        assert_eq!(share_out(Ds::from_s(36), &[2.0, 0.0, 1.0], &minima), [19, 5, 12].map(Ds::from_s));
        assert_eq!(share_out(Ds::from_s(35), &[0.0; 3], &minima), [12, 12, 11].map(Ds::from_s));
        assert_eq!(share_out(Ds::from_s(9), &[1.0, 1.0, 1.0], &minima), minima);
    }
}
