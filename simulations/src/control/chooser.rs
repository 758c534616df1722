//! The frame of every rule that, every so many seconds of green, gives each stage a score and shows the best.

use std::sync::Arc;

use greenkerb_models::ids::{ControllerId, GroupId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::{Ds, TimeDs};

use super::sight::{Seen, Sight};
use super::stages::Stages;
use super::switch::Switch;
use super::{Control, ControlError, Heads};
use crate::micro::Micro;
use crate::scenarios::Scenario;

/// How a rule decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rhythm {
    /// Seconds of green between two decisions.
    pub(crate) every: Ds,
    /// A movement that has somebody waiting is served after so long without green, whatever the scores; none: it may
    /// wait for ever.
    pub(crate) red_max: Option<Ds>,
    /// How far upstream and downstream the rule looks beyond lanes that are shorter.
    pub(crate) horizon_m: f64,
    /// Vehicles further from the stop line are not seen.
    pub(crate) within_m: f64,
    /// So much yellow between stages and nothing else; none: what the controller's database asks for.
    pub(crate) yellow_alone: Option<Ds>,
}

/// One junction under a rule.
#[derive(Debug, Clone)]
pub(crate) struct Junction {
    pub(crate) id: ControllerId,
    pub(crate) sight: Sight,
    pub(crate) stages: Arc<Stages>,
    switch: Switch,
    decides_at: TimeDs,
    /// When each group was green last.
    green_at: Vec<TimeDs>,
}

/// What a rule is asked about.
pub(crate) struct Question<'a> {
    pub(crate) street: &'a Micro,
    pub(crate) junction: &'a Junction,
    /// Vehicles of each approach, the next to the line first.
    pub(crate) queues: &'a [Vec<Seen>],
}

/// A rule: a score for each of the junction's distinct stages.
pub(crate) trait Rule {
    /// Scores in the order of [`Stages::distinct`]; the highest is shown, the current one where several are.
    fn scores(&self, asked: &Question<'_>) -> Vec<f64>;
}

/// All junctions of a street under one rule.
pub(crate) struct Chooser<R> {
    rule: R,
    rhythm: Rhythm,
    junctions: Vec<Junction>,
}

impl<R: Rule> Chooser<R> {
    pub(crate) fn new(scenario: &Scenario, rhythm: Rhythm, rule: R) -> Self {
        let network = &scenario.network;
        let junctions = (0..network.controllers().len())
            .map(|i| Junction::new(network, ControllerId::at(i), rhythm, scenario.begin))
            .collect();
        Self { rule, rhythm, junctions }
    }
}

impl Junction {
    fn new(network: &Network, id: ControllerId, rhythm: Rhythm, begin: TimeDs) -> Self {
        let stages = Stages::of(Arc::new(network.controller(id).clone()));
        let stages = Arc::new(stages.with_yellow_alone(rhythm.yellow_alone));
        Self {
            id,
            sight: Sight::of(network, id, rhythm.horizon_m),
            switch: Switch::new(Arc::clone(&stages), stages.distinct()[0], begin),
            decides_at: begin,
            green_at: vec![begin; network.controller(id).groups.len()],
            stages,
        }
    }

    /// Notes who is green, then tells whether it is time to decide.
    fn is_due(&mut self, now: TimeDs) -> bool {
        if self.switch.is_changing() {
            return false;
        }
        for (g, at) in self.green_at.iter_mut().enumerate() {
            if self.stages.shows(self.switch.stage(), GroupId::at(g)).is_green() {
                *at = now;
            }
        }
        now >= self.decides_at && now >= self.switch.since()
    }

    /// Position among the distinct stages of the one that is shown.
    pub(crate) fn current(&self) -> usize {
        self.stages.distinct().iter().position(|s| *s == self.switch.stage()).unwrap_or(0)
    }
}

/// The best score; the current stage where it is among the best, else the first of them.
fn best(scores: &[f64], current: usize) -> usize {
    let rank = |i: usize| (scores[i], i == current);
    (0..scores.len())
        .reduce(|best, i| {
            let (a, b) = (rank(i), rank(best));
            if a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).is_gt() { i } else { best }
        })
        .unwrap_or(current)
}

/// The stage that must be shown because somebody has waited too long: of those that serve the movement that waits
/// longest (with right of way, where one does), the one with the best score.
fn starved(
    stages: &Stages,
    green_at: &[TimeDs],
    queues: &[Vec<Seen>],
    scores: &[f64],
    red_max: Ds,
    now: TimeDs,
) -> Option<usize> {
    let waits = queues.iter().flatten().map(|s| s.group);
    let late = waits.filter(|g| now.since(green_at[g.index()]) > i64::from(red_max.0));
    let longest = late.max_by_key(|g| (now.since(green_at[g.index()]), *g))?;
    let shows = |i: usize| stages.shows(stages.distinct()[i], longest);
    let all = 0..stages.distinct().len();
    let mut serving: Vec<usize> = all.clone().filter(|&i| shows(i) == Indication::Protected).collect();
    if serving.is_empty() {
        serving = all.filter(|&i| shows(i).is_green()).collect();
    }
    serving.into_iter().reduce(|a, b| if scores[b] > scores[a] { b } else { a })
}

impl<R: Rule> Control for Chooser<R> {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        let now = street.now();
        for j in &mut self.junctions {
            if j.is_due(now) {
                let queues = j.sight.queues(street, self.rhythm.within_m);
                let scores = self.rule.scores(&Question { street, junction: j, queues: &queues });
                let current = j.current();
                let forced = self
                    .rhythm
                    .red_max
                    .and_then(|red_max| starved(&j.stages, &j.green_at, &queues, &scores, red_max, now));
                let to = forced.unwrap_or_else(|| best(&scores, current));
                if to == current {
                    j.decides_at = now + self.rhythm.every;
                } else if j.switch.go(j.stages.distinct()[to], now) {
                    j.decides_at = j.switch.since() + self.rhythm.every;
                }
                // Where somebody's shortest green is not over yet it is decided anew in the next step.
            }
            let shows = j.switch.show(now);
            if heads.of(j.id) != shows {
                heads.set_all(j.id, shows);
            }
        }
        Ok(())
    }
}

/// The junction of a hand-made view, for the tests of rules.
#[cfg(test)]
pub(crate) fn seen(group: usize, to_line_m: f64) -> Seen {
    Seen {
        id: crate::micro::VehicleId(0),
        connection: greenkerb_models::ids::ConnectionId::at(group),
        group: GroupId::at(group),
        to_line_m,
        speed_mps: 0.0,
        stands_since: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::sample;

    #[test]
    fn the_best_is_shown_and_the_current_one_keeps_a_tie() {
        assert_eq!(best(&[1.0, 3.0, 2.0], 0), 1);
        assert_eq!(best(&[3.0, 3.0, 2.0], 1), 1);
        assert_eq!(best(&[3.0, 3.0, 2.0], 0), 0);
        assert_eq!(best(&[0.0, 3.0, 3.0], 0), 1);
    }

    #[test]
    fn who_waits_too_long_is_served_with_right_of_way() {
        let stages = Stages::of(Arc::new(sample::permissive_cross()));
        let mut green_at = vec![TimeDs::from_s(300); 4];
        green_at[1] = TimeDs::from_s(100);
        let ask = |queues: &[Vec<Seen>], now_s| {
            starved(&stages, &green_at, queues, &[9.0, 1.0, 5.0, 0.0], Ds::from_s(120), TimeDs::from_s(now_s))
        };
        assert_eq!(ask(&[vec![seen(1, 10.0)]], 220), None);
        assert_eq!(ask(&[vec![seen(1, 10.0)]], 221), Some(1), "stage 0 serves the turn too, but without right of way");
        assert_eq!(ask(&[vec![seen(0, 10.0)]], 221), None, "nobody who waits");
    }
}
