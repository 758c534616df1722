//! Who is on the way to a junction: vehicles of each lane in the order in which they reach the line.

use greenkerb_models::detection::{Picture, Sighting};
use greenkerb_models::ids::MovementId;

use super::model::Model;

/// What drivers pick up speed with, m/s².
pub(super) const ACCELERATION_MPS2: f64 = 2.2;

/// A vehicle on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Vehicle {
    /// When it would reach the line if nothing held it, deciseconds from now.
    pub(super) arrives_ds: i32,
    /// Its way across, a number of the junction.
    pub(super) way: u16,
    /// It stands, or nearly so.
    pub(super) stands: bool,
}

/// Vehicles lane by lane.
#[derive(Debug, Clone, Default)]
pub(super) struct Traffic {
    pub(super) lanes: Vec<Vec<Vehicle>>,
}

impl Traffic {
    /// Nobody.
    pub(super) fn none(lanes: usize) -> Self {
        Self { lanes: vec![Vec::new(); lanes] }
    }
}

/// Shares of a lane's vehicles by way; those of each lane sum to one.
pub(super) type Shares = Vec<f64>;

/// Time to cover a way from a given speed, deciseconds: picking up speed to what the lane allows, then keeping it.
pub(super) fn free_ds(distance_m: f64, speed_mps: f64, limit_mps: f64) -> i32 {
    let limit = limit_mps.max(speed_mps);
    let x = distance_m.max(0.0);
    let rising_m = (limit * limit - speed_mps * speed_mps) / (2.0 * ACCELERATION_MPS2);
    let s = if x <= rising_m {
        (-speed_mps + (speed_mps * speed_mps + 2.0 * ACCELERATION_MPS2 * x).sqrt()) / ACCELERATION_MPS2
    } else {
        (limit - speed_mps) / ACCELERATION_MPS2 + (x - rising_m) / limit
    };
    (s * 10.0).round() as i32
}

/// Sorts what a picture shows into lanes. Who has to change lanes is put on the lane that leads where it goes; who goes
/// nobody knows where goes as others did before.
pub(super) fn sort(model: &Model, picture: &Picture, shares: &Shares, slow: f64) -> Traffic {
    let mut seen: Vec<(f64, usize, Sighting)> = Vec::with_capacity(picture.vehicles.len());
    for v in &picture.vehicles {
        let places = model.lanes.iter().enumerate().filter_map(|(l, lane)| {
            let piece = lane.pieces.iter().find(|p| p.lane == v.lane)?;
            Some((piece.to_line_m + v.to_lane_end.get(), l))
        });
        if let Some((to_line_m, lane)) = places.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))) {
            seen.push((to_line_m, lane, *v));
        }
    }
    seen.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.lane.cmp(&b.2.lane)));
    let mut traffic = Traffic::none(model.lanes.len());
    let mut unknown = vec![0.0; model.ways.len()];
    for (to_line_m, near, v) in seen {
        let Some(way) = way_of(model, &traffic, &v, near, shares, &mut unknown) else { continue };
        let lane = model.ways[way].lane;
        let limit = model.lanes[lane].speed_mps;
        let arrives_ds = free_ds(to_line_m, v.speed.get(), limit * slow) + model.ways[way].brake_ds;
        traffic.lanes[lane].push(Vehicle { arrives_ds, way: way as u16, stands: v.speed.get() < 1.0 });
    }
    traffic
}

fn way_of(
    model: &Model,
    traffic: &Traffic,
    v: &Sighting,
    near: usize,
    shares: &Shares,
    unknown: &mut [f64],
) -> Option<usize> {
    let reaches = |l: usize| model.lanes[l].pieces.iter().any(|p| p.lane == v.lane);
    let fewest = |ways: &mut dyn Iterator<Item = usize>| ways.min_by_key(|w| traffic.lanes[model.ways[*w].lane].len());
    match v.movement {
        Some(m) => {
            let takes = |w: &usize| model.ways[*w].movement == m;
            let all = || 0..model.ways.len();
            let direct = fewest(&mut all().filter(takes).filter(|w| reaches(model.ways[*w].lane)));
            direct.or_else(|| fewest(&mut all().filter(takes)))
        }
        None => {
            let lane = (0..model.lanes.len())
                .filter(|l| reaches(*l))
                .min_by_key(|l| (traffic.lanes[*l].len(), *l))
                .unwrap_or(near);
            next_in_turn(&model.lanes[lane].ways, shares, unknown)
        }
    }
}

/// The way whose share is owed most, so that a run of vehicles goes as the shares say.
pub(super) fn next_in_turn(ways: &[usize], shares: &Shares, owed: &mut [f64]) -> Option<usize> {
    for w in ways {
        owed[*w] += shares[*w];
    }
    let next = ways.iter().copied().max_by(|a, b| owed[*a].total_cmp(&owed[*b]).then(b.cmp(a)))?;
    owed[next] -= 1.0;
    Some(next)
}

/// Lets shares follow what a picture shows of movements.
pub(super) fn learn_shares(model: &Model, picture: &Picture, shares: &mut Shares, pace: f64) {
    let known = |m: MovementId| picture.vehicles.iter().filter(|v| v.movement == Some(m)).count() as f64;
    for lane in &model.lanes {
        let counts: Vec<f64> = lane.ways.iter().map(|w| known(model.ways[*w].movement)).collect();
        let sum: f64 = counts.iter().sum();
        if sum < 1.0 {
            continue;
        }
        let gain = 1.0 - (1.0 - pace).powf(sum);
        for (w, n) in lane.ways.iter().zip(counts) {
            shares[*w] += gain * (n / sum - shares[*w]);
        }
    }
}
