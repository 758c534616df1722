use greenkerb_models::detection::{Picture, Sighting};
use greenkerb_models::ids::{ControllerId, StageId};
use greenkerb_models::signal::ScheduledStage;
use greenkerb_models::units::{Metres, MetresPerSecond, TimeDs};

use super::super::exchange::{Outflow, Sights, add_fed, exits, feeds, rooms};
use super::super::traffic::Traffic;
use super::super::{Planner, Running};
use super::{BLOCK_M, SPEED_MPS, model, street, way};
use crate::safety::Policy;
use crate::signals::Unlimited;

const NOW: TimeDs = TimeDs::from_s(25_200);

fn running(controller: usize) -> Running {
    let stage = ScheduledStage { stage: StageId(0), start: NOW + greenkerb_models::units::Ds(0), end: NOW };
    let frozen_until = TimeDs(NOW.0 + 20);
    let stage = ScheduledStage { start: TimeDs(NOW.0 - 100), end: frozen_until, ..stage };
    Running { controller: ControllerId::at(controller), stages: vec![stage], frozen_until }
}

#[test]
fn a_neighbour_is_fed_over_the_road_between() {
    let network = street();
    let models = [model(&network, 0), model(&network, 1)];
    let sights = Sights::of(&network, &models);
    let feeds = feeds(&models, &sights);
    assert_eq!(feeds[0].len(), 0, "nobody comes to the first junction from a signal");
    let mut from: Vec<u16> = feeds[1].iter().map(|f| f.way as u16).collect();
    from.sort_unstable();
    let mut wanted = [way(&network, &models[0], "n0>n1.0", "n1>n2"), way(&network, &models[0], "n4>n1.0", "n1>n2")];
    wanted.sort_unstable();
    assert_eq!(from, wanted);
    let next = way(&network, &models[1], "n1>n2.0", "n2>n3");
    let exits: Vec<_> = exits(&models[0], &models, &sights);
    for feed in &feeds[1] {
        assert_eq!((feed.from, &feed.onto[..]), (0, &[next as usize][..]));
        let across_ds = models[0].ways[feed.way].across_ds;
        assert_eq!(feed.travel_ds, across_ds + (BLOCK_M / SPEED_MPS * 10.0) as i32);
        let exit = exits[feed.way].as_ref().unwrap();
        assert_eq!((exit.to, exit.storage_veh), (1, BLOCK_M / 7.5));
    }
    assert_eq!(exits.iter().flatten().count(), 2);

    // Who crosses arrives so much later; who has crossed already is in the picture.
    let feed = &feeds[1][0];
    let out: Outflow = vec![(feed.way as u16, TimeDs(NOW.0 - 10)), (feed.way as u16, TimeDs(NOW.0 + 50))];
    let mut traffic = Traffic::none(models[1].lanes.len());
    let weights = vec![1.0; models[1].ways.len()];
    add_fed(&models[1], &mut traffic, &feeds[1], |_| &out, &weights, (NOW, None));
    let fed: Vec<_> = traffic.lanes.iter().flatten().collect();
    assert_eq!(fed.len(), 1);
    assert_eq!((fed[0].way, fed[0].arrives_ds), (next, 50 + feed.travel_ds));
}

#[test]
fn room_on_the_road_between_is_what_is_not_taken_and_what_will_be_left() {
    let network = street();
    let models = [model(&network, 0), model(&network, 1)];
    let exits = exits(&models[0], &models, &Sights::of(&network, &models));
    let ahead = way(&network, &models[0], "n0>n1.0", "n1>n2");
    let next = way(&network, &models[1], "n1>n2.0", "n2>n3");
    let lane = models[1].lanes[models[1].ways[next as usize].lane].pieces[0].lane;
    let sighting = |i: u32| Sighting {
        lane,
        to_lane_end: Metres::new(7.5 * f64::from(i)).unwrap(),
        speed: MetresPerSecond::new(0.0).unwrap(),
        movement: None,
    };
    let picture = Picture { controller: ControllerId(1), at: NOW, vehicles: (0..40).map(sighting).collect() };
    let out: Outflow = vec![(next, TimeDs(NOW.0 + 100))];
    let rooms = rooms(&exits, &models, &[None, Some(picture)], |_| &out, NOW);
    let room = rooms[ahead as usize].as_ref().unwrap();
    // Forty have room. The gap that the first one leaves comes back through all of them, a second each.
    assert_eq!((room.free_veh, &room.freed_ds[..]), (0, &[500][..]));
    assert!(!room.admits(0, 499) && room.admits(0, 500) && !room.admits(1, 500));
}

#[test]
fn what_one_junction_lets_go_is_planned_for_at_the_next() {
    let network = street();
    let mut planner = Planner::new(&network, &Policy::default());
    let first = model(&network, 0);
    let ahead = way(&network, &first, "n0>n1.0", "n1>n2") as usize;
    let sighting = Sighting {
        lane: first.lanes[first.ways[ahead].lane].pieces[0].lane,
        to_lane_end: Metres::new(60.0).unwrap(),
        speed: MetresPerSecond::new(SPEED_MPS).unwrap(),
        movement: None,
    };
    planner.see(Picture { controller: ControllerId(0), at: NOW, vehicles: vec![sighting] });
    planner.see(Picture { controller: ControllerId(1), at: NOW, vehicles: Vec::new() });
    let both = [running(0), running(1)];
    planner.plan(NOW, &both, &Unlimited);
    let planned = planner.plan(NOW, &both, &Unlimited);
    let (here, there) = (&planned[0].crossings, &planned[1].crossings);
    assert_eq!((here.len(), there.len()), (1, 1), "{here:?} {there:?}");
    let travel_ds = first.ways[ahead].across_ds + (BLOCK_M / SPEED_MPS * 10.0) as i32;
    assert_eq!(there[0].1.since(here[0].1), i64::from(travel_ds));
}
