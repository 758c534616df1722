//! What traffic does to travel times: the mean speed of every link over the last three minutes.
//!
//! Measured as SUMO 1.28 does for the ways of its trips (`device.rerouting`, 180 looks one second apart): the mean of the
//! vehicles on a link at each look, where an empty lane counts as one vehicle at its limit, and the mean of the looks.

use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

/// Looks that are kept.
const LOOKS: usize = 180;

/// Mean speeds of all links.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Speeds of all links look by look, the oldest overwritten first, in metres per second.
    looks: Vec<f32>,
    /// Mean of each link's looks.
    mean_mps: Vec<f64>,
    /// The look that is overwritten next.
    next: usize,
}

impl Measured {
    /// Every link as if it had been empty all the time.
    #[must_use]
    pub fn free_flow(network: &Network) -> Self {
        let empty = |l: &greenkerb_models::network::Link| {
            let sum_mps: f64 = l.lanes.iter().map(|lane| network.lane(*lane).speed.get()).sum();
            (sum_mps / l.lanes.len().max(1) as f64) as f32
        };
        let one: Vec<f32> = network.links().iter().map(empty).collect();
        let mean_mps = one.iter().copied().map(f64::from).collect();
        Self { looks: one.repeat(LOOKS), mean_mps, next: 0 }
    }

    /// Takes in a look: the mean speed on every link, asked link by link in order.
    pub fn look(&mut self, mut speed_mps: impl FnMut(LinkId) -> f64) {
        let n = self.mean_mps.len();
        let kept = &mut self.looks[self.next * n..(self.next + 1) * n];
        for (i, (mean, old)) in self.mean_mps.iter_mut().zip(kept).enumerate() {
            let new = speed_mps(LinkId::at(i)) as f32;
            *mean += (f64::from(new) - f64::from(*old)) / LOOKS as f64;
            *old = new;
        }
        self.next = (self.next + 1) % LOOKS;
    }

    /// Mean speed of a link, in metres per second; never so low that nobody would ever get through.
    #[must_use]
    pub fn mean_mps(&self, link: LinkId) -> f64 {
        self.mean_mps[link.index()].max(0.001)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn the_mean_follows_the_last_three_minutes_and_forgets_what_was_before() {
        let network = grid(1, 1, 200.0).unwrap();
        let mut measured = Measured::free_flow(&network);
        let free = measured.mean_mps(LinkId(0));
        assert!((free - 13.9).abs() < 1e-5);
        let slow = |mps: f64| move |l: LinkId| if l == LinkId(0) { mps } else { 13.9 };
        for _ in 0..90 {
            measured.look(slow(0.0));
        }
        assert!((measured.mean_mps(LinkId(0)) - free / 2.0).abs() < 1e-6);
        for _ in 0..90 {
            measured.look(slow(0.0));
        }
        assert!(
            measured.mean_mps(LinkId(0)) > 0.0 && measured.mean_mps(LinkId(0)) < 0.01,
            "a jam is no end of the world"
        );
        assert!((measured.mean_mps(LinkId(1)) - 13.9).abs() < 1e-5);
        for _ in 0..180 {
            measured.look(slow(10.0));
        }
        assert!((measured.mean_mps(LinkId(0)) - 10.0).abs() < 1e-6);
    }
}
