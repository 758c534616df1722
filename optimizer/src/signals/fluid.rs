//! A second-by-second point-queue model of one junction: the delay that stage lengths would cause.
//!
//! Arrivals are given per lane and second; service is what [`Junction::service`] says, with start-up lost at each change
//! to green. What remains at the end is charged the time it still needs. Random arrivals are charged by the overflow
//! term of HCM 7th ed. eq. 19-26, because a deterministic model would run every green at its limit.

use super::junction::{Demand, Junction, START_UP_S, Service};

/// Period of the overflow term, hours: about three cycles, after which the plan has been made anew.
const OVERFLOW_PERIOD_H: f64 = 0.08;

/// What a second of overflow delay costs against a second of the deterministic kind: a plan that is cut too fine is made
/// up for only in the next cycle, by which time the queue may have reached its neighbours.
const OVERFLOW_WEIGHT: f64 = 2.0;

/// What a second of waiting beyond a lane's storage costs more than one within it: it blocks others upstream.
const SPILL_WEIGHT: f64 = 2.0;

/// What arrives while the plan runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arrivals {
    /// `per_s[lane][t]`, vehicles in second `t` after the cycle starts.
    pub(crate) per_s: Vec<Vec<f64>>,
}

impl Arrivals {
    /// The same flow in every second.
    pub(crate) fn uniform(demand: &Demand, horizon_s: usize) -> Self {
        Self { per_s: demand.flow_vps.iter().map(|q| vec![*q; horizon_s]).collect() }
    }
}

/// What becomes of the lanes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    /// Vehicle-seconds of waiting within the horizon and for what is left at its end.
    pub(crate) delay_veh_s: f64,
    /// Vehicles that left, per lane and second, when asked for.
    pub(crate) departures: Vec<Vec<f64>>,
}

/// Service of one lane in each second of the cycle.
fn lane_service(
    junction: &Junction,
    service: &Service,
    lengths_s: &[f64],
    lane: usize,
    cycle_s: usize,
    out: &mut Vec<f64>,
) {
    out.clear();
    out.resize(cycle_s, 0.0);
    let steps = lengths_s.len();
    let mut from_s = 0.0;
    for (s, length_s) in lengths_s.iter().enumerate() {
        let to_s = from_s + length_s;
        let green = junction.is_green(&service.shape, s, lane);
        let starts = green && !junction.is_green(&service.shape, (s + steps - 1) % steps, lane);
        let begin_s = if starts { (from_s + START_UP_S).min(to_s) } else { from_s };
        spread(out, begin_s, to_s, service.rate_vps[s][lane]);
        let extra = service.extra_veh[s][lane];
        if extra > 0.0 && to_s > from_s {
            spread(out, from_s, to_s, extra / (to_s - from_s));
        }
        from_s = to_s;
    }
}

/// What a lane can pass in each second of a cycle of `cycle_s`.
pub(crate) fn lane_profile(
    junction: &Junction,
    service: &Service,
    splits_s: &[f64],
    lane: usize,
    cycle_s: usize,
) -> Vec<f64> {
    let mut can = Vec::new();
    lane_service(junction, service, &service.shape.lengths_s(splits_s), lane, cycle_s, &mut can);
    can
}

/// Mean queue and departures in each second when arrivals and service repeat each cycle. Of more than the lane can pass
/// only as much is let come.
pub(crate) fn cyclic(can: &[f64], arrivals: &[f64]) -> (f64, Vec<f64>) {
    let (most, all) = (can.iter().sum::<f64>(), arrivals.iter().sum::<f64>());
    let part = if all > SATURATED * most { SATURATED * most / all } else { 1.0 };
    let mut queue = 0.0;
    let mut departures = vec![0.0; can.len()];
    let mut sum = 0.0;
    // The first cycle finds the queue that the second starts with.
    for _ in 0..2 {
        sum = 0.0;
        for (t, a) in arrivals.iter().enumerate() {
            queue += a * part;
            departures[t] = queue.min(can[t]);
            queue -= departures[t];
            sum += queue;
        }
    }
    (sum / can.len().max(1) as f64, departures)
}

/// Mean queue of all lanes in the long run, random arrivals included, vehicles.
pub(crate) fn steady_queue_veh(junction: &Junction, demand: &Demand, splits_s: &[f64]) -> f64 {
    let service = junction.service(demand, splits_s);
    let exact_s: f64 = service.shape.lengths_s(splits_s).iter().sum();
    let cycle_s = (exact_s.round() as usize).max(1);
    let capacity_veh = junction.capacity_veh(&service, splits_s);
    (0..junction.lanes.len())
        .map(|l| {
            let flow_vps = demand.flow_vps[l];
            let can = lane_profile(junction, &service, splits_s, l, cycle_s);
            let random_s = overflow_s(flow_vps, (capacity_veh[l] / exact_s).max(1e-3));
            cyclic(&can, &vec![flow_vps; cycle_s]).0 + flow_vps * random_s
        })
        .sum()
}

/// Degree of saturation up to which a repeating queue is meaningful.
const SATURATED: f64 = 0.97;

/// Adds `rate` per second over `[from_s, to_s)` to the seconds it touches.
fn spread(out: &mut [f64], from_s: f64, to_s: f64, rate: f64) {
    if rate <= 0.0 || to_s <= from_s {
        return;
    }
    let last = out.len().saturating_sub(1);
    let (first, end) = (from_s as usize, (to_s.ceil() as usize).min(out.len()));
    for t in first..end {
        let part = (to_s.min(t as f64 + 1.0) - from_s.max(t as f64)).max(0.0);
        out[t.min(last)] += rate * part;
    }
}

/// Runs the model over the horizon the arrivals span, the plan repeated cycle after cycle.
pub(crate) fn run(
    junction: &Junction,
    service: &Service,
    splits_s: &[f64],
    demand: &Demand,
    arrivals: &Arrivals,
    keep_departures: bool,
) -> Outcome {
    let lengths_s = service.shape.lengths_s(splits_s);
    let cycle_exact_s: f64 = lengths_s.iter().sum();
    let cycle_s = (cycle_exact_s.round() as usize).max(1);
    let capacity_veh = junction.capacity_veh(service, splits_s);
    let mut can = Vec::new();
    let mut delay_veh_s = 0.0;
    let mut departures = Vec::new();
    for (l, lane) in junction.lanes.iter().enumerate() {
        let incoming = &arrivals.per_s[l];
        let horizon_s = incoming.len();
        lane_service(junction, service, &lengths_s, l, cycle_s, &mut can);
        let mut queue = demand.queue_veh[l];
        let mut lane_veh_s = 0.0;
        let mut left = if keep_departures { Vec::with_capacity(horizon_s) } else { Vec::new() };
        let (mut position, mut total) = (0, 0.0);
        for a in incoming {
            total += a;
            let here = queue + a;
            let goes = here.min(can[position]);
            queue = here - goes;
            lane_veh_s += queue + (SPILL_WEIGHT - 1.0) * (queue - lane.storage_veh).max(0.0);
            if keep_departures {
                left.push(goes);
            }
            position += 1;
            if position == cycle_s {
                position = 0;
            }
        }
        // What is left waits for its turn behind one another, half a red at least.
        let per_s = (capacity_veh[l] / cycle_exact_s).max(0.01);
        lane_veh_s += queue * (queue / per_s) / 2.0;
        if horizon_s > 0 {
            lane_veh_s += OVERFLOW_WEIGHT * total * overflow_s(total / horizon_s as f64, per_s);
        }
        delay_veh_s += demand.weight[l] * lane_veh_s;
        if keep_departures {
            departures.push(left);
        }
    }
    Outcome { delay_veh_s, departures }
}

/// Mean overflow delay per vehicle, seconds: HCM 7th ed. eq. 19-26 with k = 0.5, I = 1.
pub(crate) fn overflow_s(flow_vps: f64, capacity_vps: f64) -> f64 {
    let capacity_vph = (capacity_vps * 3600.0).max(1.0);
    let x = flow_vps / capacity_vps.max(1e-6);
    let t = OVERFLOW_PERIOD_H;
    900.0 * t * ((x - 1.0) + ((x - 1.0) * (x - 1.0) + 4.0 * x / (capacity_vph * t)).sqrt())
}
