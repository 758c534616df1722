//! Who drives through the demo city, and when: from end to end of the map, more of them at the peaks.

use std::sync::Arc;

use greenkerb_models::demand::{DemandError, DemandParts};
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};

use crate::scenarios::bundled::traffic::{Slice, drive, kinds};
use crate::scenarios::loading::{Flows, Wish, assign, thin};
use crate::scenarios::{Driving, Scenario};

/// After this the demand begins anew.
pub const DAY: Ds = Ds::from_s(86_400);
/// Vehicles that come in at the peak, per lane of a link that leads into the city.
const PEAK_WIDE_VPH: f64 = 330.0;
/// The same for a link of one lane.
const PEAK_NARROW_VPH: f64 = 150.0;
/// Vehicles per hour at the peak that start within the city, and as many that end there.
const LOCAL_VPH: f64 = 700.0;
/// How full the fullest approach is at the peak, under the plans that the city ships.
const FULL: f64 = 0.9;
/// Thinning ends after so many rounds at the latest.
const ROUNDS: usize = 60;
/// Share of the peak at each full hour of the day, linear between: a working day with a morning and an evening peak.
const PROFILE: [f64; 24] = [
    0.10, 0.06, 0.05, 0.05, 0.08, 0.20, 0.50, 0.90, 1.00, 0.75, 0.60, 0.60, 0.65, 0.65, 0.65, 0.75, 0.95, 1.00, 0.85,
    0.60, 0.45, 0.35, 0.25, 0.15,
];
const DAY_DS: i64 = DAY.0 as i64;
const HOUR_DS: i64 = 36_000;
/// Flows keep their level for so long.
const SLICE_DS: i64 = 18_000;

/// Share of the peak demand at an instant, by the time of day in UTC.
#[must_use]
pub fn profile(at: TimeDs) -> f64 {
    let of_day = at.0.rem_euclid(DAY_DS);
    let hour = (of_day / HOUR_DS) as usize;
    let past = (of_day % HOUR_DS) as f64 / HOUR_DS as f64;
    PROFILE[hour % 24] * (1.0 - past) + PROFILE[(hour + 1) % 24] * past
}

/// The city with the demand of the day that `start` is in, from `start` on. Let the street repeat it every [`DAY`] for one
/// that does not end.
///
/// # Errors
/// [`DemandError`] when the demand does not fit the network, as with a network that is not the city's.
pub fn scenario(network: Arc<Network>, start: TimeDs) -> Result<Scenario, DemandError> {
    let midnight = TimeDs(start.0 - start.0.rem_euclid(DAY_DS));
    let slices: Vec<Slice> = (0..DAY_DS / SLICE_DS)
        .map(|k| {
            let (begin, end) = (TimeDs(midnight.0 + k * SLICE_DS), TimeDs(midnight.0 + (k + 1) * SLICE_DS));
            Slice { begin, end, level: (profile(begin) + profile(end)) / 2.0 }
        })
        .collect();
    let mut demand = DemandParts { kinds: kinds(), ..DemandParts::default() };
    drive(&mut demand, &network, routes(&network), &slices);
    Ok(Scenario {
        name: network.name().to_owned(),
        description: "The demo city on a working day.".into(),
        demand: Arc::new(demand.build(&network)?),
        begin: start,
        end: start + DAY,
        warm_up: Ds::ZERO,
        tick: Ds::from_s(1),
        driving: Driving::Street,
        congestion_aware: false,
        sources: Vec::new(),
        network,
    })
}

/// Routes at the peak with their vehicles per hour.
fn routes(network: &Network) -> Vec<(Vec<LinkId>, f64)> {
    let mut routes = assign(network, &wishes(network)).routes;
    let nobody = Flows::none(network);
    for _ in 0..ROUNDS {
        if thin(network, network.controllers(), &nobody, &mut routes, FULL) < FULL + 0.005 {
            break;
        }
    }
    routes
}

/// From every end of the map to every other, in proportion to the lanes that lead out there; and from and to side streets
/// within.
fn wishes(network: &Network) -> Vec<Wish> {
    let lanes = |link: LinkId| network.link(link).lanes.iter().filter(|l| network.lane(**l).admits.cars).count();
    let peak_vph = |link: LinkId| lanes(link) as f64 * if lanes(link) > 1 { PEAK_WIDE_VPH } else { PEAK_NARROW_VPH };
    let all = || (0..network.links().len()).map(LinkId::at).filter(|l| lanes(*l) > 0);
    let is_entry = |l: &LinkId| network.movements_into(*l).is_empty();
    let is_exit = |l: &LinkId| network.movements_from(*l).is_empty();
    let (entries, exits): (Vec<_>, Vec<_>) = (all().filter(is_entry).collect(), all().filter(is_exit).collect());
    let within: Vec<LinkId> = all().filter(|l| !is_entry(l) && !is_exit(l) && lanes(*l) == 1).collect();
    let sum_vph = |links: &[LinkId]| links.iter().copied().map(peak_vph).sum::<f64>();
    let mut wishes = Vec::new();
    for from in entries.iter().copied() {
        let back = |to: &LinkId| network.link(*to).to == network.link(from).from;
        let others: Vec<LinkId> = exits.iter().copied().filter(|to| !back(to)).collect();
        let share = |to: LinkId| peak_vph(to) / sum_vph(&others);
        wishes.extend(others.iter().map(|to| Wish { from, to: *to, vph: peak_vph(from) * share(*to) }));
    }
    let each_vph = LOCAL_VPH / within.len().max(1) as f64;
    for side in within {
        let of = |gates: &[LinkId], gate: LinkId| each_vph * peak_vph(gate) / sum_vph(gates);
        wishes.extend(entries.iter().map(|g| Wish { from: *g, to: side, vph: of(&entries, *g) }));
        wishes.extend(exits.iter().map(|g| Wish { from: side, to: *g, vph: of(&exits, *g) }));
    }
    wishes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::city;
    use crate::scenarios::loading::{flows_of, saturations};

    #[test]
    fn the_day_has_two_peaks() {
        let at = |hour: i64| profile(TimeDs::from_s(hour * 3600));
        assert_eq!((at(8), at(17)), (1.0, 1.0));
        assert!(at(3) < 0.1 && (at(7) + at(8)) / 2.0 > 0.9);
        let half = profile(TimeDs::from_s(7 * 3600 + 1800));
        assert!((half - 0.95).abs() < 1e-9, "linear between full hours");
        assert_eq!(profile(TimeDs::from_s(-16 * 3600)), at(8), "days repeat, before 1970 too");
    }

    #[test]
    fn as_many_come_as_the_profile_says_and_the_signals_can_serve_them() {
        let network = Arc::new(city().unwrap());
        let start = TimeDs::from_s(1_000 * 86_400 + 8 * 3_600);
        let s = scenario(Arc::clone(&network), start).unwrap();
        let routes = routes(&network);
        let peak_vph: f64 = routes.iter().map(|r| r.1).sum();
        let flows = &s.demand.parts().flows;
        let between = |from: TimeDs, to: TimeDs| flows.iter().map(|f| f.vehicles_between(from, to)).sum::<f64>();
        // The hour after eight falls from 100 % to 75 %.
        let hour = between(start, start + Ds::from_s(3_600));
        assert!((hour - 0.875 * peak_vph).abs() < 1e-6 * peak_vph, "{hour} of {peak_vph}");
        let whole = between(start - Ds::from_s(8 * 3_600), start + Ds::from_s(16 * 3_600));
        let of_day: f64 = PROFILE.iter().sum::<f64>() * peak_vph;
        assert!((whole - of_day).abs() < 1e-6 * of_day, "{whole} of {of_day}");
        // A block between two streets of one direction each can lead nowhere.
        let unreachable = assign(&network, &wishes(&network)).unreachable;
        assert!(unreachable.iter().map(|w| w.vph).sum::<f64>() < 0.01 * peak_vph, "{unreachable:?}");
        let full = saturations(&network, network.controllers(), &flows_of(&network, &routes));
        let highest = full.iter().copied().fold(0.0, f64::max);
        println!("{peak_vph:.0} vehicles per hour at the peak, saturation up to {highest:.2}");
        assert!((0.85..0.95).contains(&highest), "{full:?}");
        assert!(full.iter().all(|x| *x > 0.02), "every signal has traffic: {full:?}");
    }
}
