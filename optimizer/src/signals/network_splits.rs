//! Splits of a whole network at one cycle length, from given demand: the program of `splits` without a feed.

use greenkerb_models::ids::{ControllerId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::units::Ds;

use super::budget::Budget;
use super::feeds::feeds;
use super::junction::{Demand, Junction};
use super::max_pressure::fill;
use super::splits::{Feed, GroupJunction, split_plan};
use crate::estimation::prior_shares;
use crate::solver::SolveError;

/// What is asked of one lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneDemand {
    /// The lane; one that ends at no signal is left out.
    pub lane: LaneId,
    /// Arrivals, vehicles per hour.
    pub flow_vph: f64,
    /// Vehicles that wait at the start.
    pub queue_veh: f64,
}

/// Green of each stage of each controller in the first of `horizon_cycles` cycles, seconds, in controller order. All
/// controllers are one coordination group; lanes that are not listed are empty.
///
/// # Errors
/// [`SolveError`] when the budget ends first, or when a controller cannot keep its least greens within the cycle.
pub fn network_splits(
    network: &Network,
    lanes: &[LaneDemand],
    cycle: Ds,
    horizon_cycles: usize,
    budget: &dyn Budget,
) -> Result<Vec<Vec<f64>>, SolveError> {
    let cycle_s = cycle.seconds();
    let junctions: Vec<Junction> =
        (0..network.controllers().len()).map(|c| Junction::new(network, ControllerId::at(c))).collect();
    let mut lane_of = vec![None; network.lanes().len()];
    let mut demands: Vec<Demand> = Vec::with_capacity(junctions.len());
    for (c, junction) in junctions.iter().enumerate() {
        let n = junction.lanes.len();
        demands.push(Demand { flow_vps: vec![0.0; n], queue_veh: vec![0.0; n], weight: vec![1.0; n] });
        for (l, lane) in junction.lanes.iter().enumerate() {
            lane_of[lane.lane.index()] = Some((c, l));
        }
    }
    for asked in lanes {
        if let Some((c, l)) = lane_of[asked.lane.index()] {
            demands[c].flow_vps[l] = asked.flow_vph / 3600.0;
            demands[c].queue_veh[l] = asked.queue_veh;
        }
    }
    let parts: Vec<_> = junctions
        .iter()
        .zip(&demands)
        .map(|(junction, demand)| {
            let minima = network.controller(junction.controller).program.min_splits();
            let bounds_s: Vec<(f64, f64)> = minima.iter().map(|min| (min.seconds(), cycle_s)).collect();
            let least_s: Vec<f64> = bounds_s.iter().map(|b| b.0).collect();
            (junction, demand, junction.service(demand, &least_s), bounds_s)
        })
        .collect();
    let group: Vec<GroupJunction<'_>> = parts
        .iter()
        .map(|(junction, demand, service, bounds_s)| GroupJunction {
            junction,
            service,
            demand,
            reference_s: fill(
                &bounds_s.iter().map(|b| b.0).collect::<Vec<_>>(),
                bounds_s,
                cycle_s - service.shape.clearance_s,
            ),
            bounds_s: bounds_s.clone(),
        })
        .collect();
    let members: Vec<usize> = (0..group.len()).collect();
    let feeds = Feed::within(&feeds(network, &lane_of, &prior_shares(network)), &members, cycle_s);
    Ok(split_plan(&group, &feeds, cycle_s, horizon_cycles, budget)?.splits_s)
}
