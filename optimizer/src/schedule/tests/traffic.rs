use greenkerb_models::detection::{Picture, Sighting};
use greenkerb_models::ids::{ControllerId, MovementId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Metres, MetresPerSecond, TimeDs};

use super::super::traffic::{Shares, free_ds, learn_shares, sort};
use super::{crossroads, model, way};

fn seen(network: &Network, lane: &str, to_lane_end_m: f64, movement: Option<MovementId>) -> Sighting {
    let lane = network.lanes().iter().position(|l| l.name == lane).unwrap();
    Sighting {
        lane: greenkerb_models::ids::LaneId::at(lane),
        to_lane_end: Metres::new(to_lane_end_m).unwrap(),
        speed: MetresPerSecond::new(10.0).unwrap(),
        movement,
    }
}

fn picture(vehicles: Vec<Sighting>) -> Picture {
    Picture { controller: ControllerId(0), at: TimeDs(0), vehicles }
}

#[test]
fn a_free_vehicle_picks_up_speed_and_keeps_it() {
    // At speed already: 100 m at 10 m/s.
    assert_eq!(free_ds(100.0, 10.0, 10.0), 100);
    // From rest, still picking up speed: 11 m = 1.1 t², t = 3.16 s.
    assert_eq!(free_ds(11.0, 0.0, 14.0), 32);
    // From rest to 11 m/s: 5 s and 27.5 m, then 33 m in 3 s.
    assert_eq!(free_ds(60.5, 0.0, 11.0), 80);
    // From 5.5 m/s to 11: 2.5 s and 20.625 m, then 22 m in 2 s.
    assert_eq!(free_ds(42.625, 5.5, 11.0), 45);
    // Who is faster than allowed stays so; who is past the line is there.
    assert_eq!(free_ds(100.0, 20.0, 10.0), 50);
    assert_eq!(free_ds(-3.0, 0.0, 10.0), 0);
}

#[test]
fn who_is_seen_is_put_on_a_lane_that_leads_where_it_goes_in_order_of_arrival() {
    let network = crossroads();
    let model = model(&network, 0);
    let straight = way(&network, &model, "from_north_1", "to_south");
    let left = way(&network, &model, "from_north_2", "to_east");
    let movement = |w: u16| Some(model.ways[w as usize].movement);
    let shares = vec![0.5; model.ways.len()];
    // Far first, as pictures come in any order; the second is on the wrong lane for a left turn.
    let vehicles = vec![
        seen(&network, "from_north_1", 60.0, movement(straight)),
        seen(&network, "from_north_1", 40.0, movement(left)),
        seen(&network, "from_north_1", 20.0, movement(straight)),
        seen(&network, "from_north_2", 30.0, movement(left)),
    ];
    let sorted = sort(&model, &picture(vehicles), &shares, 1.0);
    let lane = |w: u16| &sorted.lanes[model.ways[w as usize].lane];
    assert_eq!(lane(straight).iter().map(|v| v.way).collect::<Vec<_>>(), [straight, straight]);
    assert_eq!(lane(left).iter().map(|v| v.way).collect::<Vec<_>>(), [left, left]);
    for lane in &sorted.lanes {
        assert!(lane.iter().map(|v| v.arrives_ds).is_sorted(), "{lane:?}");
    }
    let brake_ds = model.ways[straight as usize].brake_ds;
    let limit_mps = model.lanes[model.ways[straight as usize].lane].speed_mps;
    assert_eq!(lane(straight)[0].arrives_ds, free_ds(20.0, 10.0, limit_mps) + brake_ds);
    assert_eq!(sorted.lanes.iter().map(Vec::len).sum::<usize>(), 4);
}

#[test]
fn who_goes_nobody_knows_where_goes_in_shares() {
    let network = crossroads();
    let model = model(&network, 0);
    let straight = way(&network, &model, "from_north_1", "to_south");
    let right = way(&network, &model, "from_north_1", "to_west");
    let mut shares: Shares = vec![0.0; model.ways.len()];
    (shares[straight as usize], shares[right as usize]) = (0.75, 0.25);
    let vehicles = (0..12).map(|i| seen(&network, "from_north_1", 5.0 + 8.0 * f64::from(i), None)).collect();
    let sorted = sort(&model, &picture(vehicles), &shares, 1.0);
    let count = |w: u16| sorted.lanes.iter().flatten().filter(|v| v.way == w).count();
    assert_eq!((count(straight), count(right)), (9, 3));
    // Every run of four is as the shares are.
    let queue = &sorted.lanes[model.ways[straight as usize].lane];
    assert!(queue.chunks(4).all(|four| four.iter().filter(|v| v.way == right).count() == 1), "{queue:?}");
}

#[test]
fn shares_follow_what_is_seen_and_sum_to_one() {
    let network = crossroads();
    let model = model(&network, 0);
    let straight = way(&network, &model, "from_north_1", "to_south");
    let right = way(&network, &model, "from_north_1", "to_west");
    let mut shares: Shares = vec![0.5; model.ways.len()];
    let movement = Some(model.ways[right as usize].movement);
    let turns = picture(vec![seen(&network, "from_north_1", 20.0, movement)]);
    for _ in 0..1_000 {
        learn_shares(&model, &turns, &mut shares, 0.01);
    }
    assert!(shares[right as usize] > 0.99 && shares[straight as usize] < 0.01, "{shares:?}");
    assert!((shares[right as usize] + shares[straight as usize] - 1.0).abs() < 1e-9);
}
