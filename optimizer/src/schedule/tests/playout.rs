use super::super::exchange::Room;
use super::super::model::Model;
use super::super::playout::{Crossing, Manner};
use super::{crossroads, model, scene, state, street, traffic, way};

/// Who crosses by which way, and when, in a stage that is green from now on.
fn played(model: &Model, vehicles: &[(u16, i32)], stage: usize, rooms: &[Option<Room>]) -> Vec<Crossing> {
    let (traffic, manner) = (traffic(model, vehicles), Manner::default());
    let scene = scene(model, &traffic, &manner, rooms);
    let mut state = state(&scene, stage, 0);
    let mut out = Vec::new();
    scene.run(&mut state, &model.stages[stage].row, (0, 600), &mut Some(&mut out));
    out
}

fn times(crossings: &[Crossing], way: u16) -> Vec<i32> {
    crossings.iter().filter(|c| c.way == way).map(|c| c.at_ds).collect()
}

#[test]
fn a_queue_starts_with_a_loss_and_comes_to_its_pace() {
    let network = street();
    let model = model(&network, 0);
    let ahead = way(&network, &model, "n0>n1.0", "n1>n2");
    let none = vec![None; model.ways.len()];
    let queue = [(ahead, 0); 7];
    // 0.5 s to the first; then 3.0, 2.3, 2.2, 1.9, 1.7 and 1.7 s from one to the next.
    assert_eq!(times(&played(&model, &queue, 0, &none), ahead), [5, 35, 58, 80, 99, 116, 133]);
    // Who comes later than the light has not braked, and those behind it follow at its pace.
    assert_eq!(times(&played(&model, &[(ahead, 40)], 0, &none), ahead), [40]);
    // Nobody crosses in another stage.
    assert_eq!(times(&played(&model, &queue, 1, &none), ahead), [0; 0]);
}

#[test]
fn a_vehicle_that_may_not_go_holds_those_behind_it() {
    let network = street();
    let model = model(&network, 0);
    let straight = way(&network, &model, "n4>n1.0", "n1>n5");
    let right = way(&network, &model, "n4>n1.0", "n1>n2");
    let none = vec![None; model.ways.len()];
    // Stage 2 is green for the right turn only.
    let crossed = played(&model, &[(right, 0), (straight, 0), (right, 0)], 2, &none);
    assert_eq!((times(&crossed, right), times(&crossed, straight)), (vec![5], vec![]));
    let crossed = played(&model, &[(right, 0), (straight, 0), (right, 0)], 1, &none);
    assert_eq!((times(&crossed, right).len(), times(&crossed, straight).len()), (2, 1));
}

#[test]
fn a_permissive_turn_waits_for_a_gap() {
    let network = crossroads();
    let model = model(&network, 0);
    let left = way(&network, &model, "from_north_2", "to_east");
    let oncoming = way(&network, &model, "from_south_1", "to_north");
    let none = vec![None; model.ways.len()];
    let stage = (0..model.stages.len()).find(|s| model.stages[*s].row.lanes.contains(&model.ways[left as usize].lane));
    let stage = stage.unwrap();
    assert_eq!(times(&played(&model, &[(left, 0)], stage, &none), left), [5]);
    let crossed = played(&model, &[(left, 0), (oncoming, 0), (oncoming, 0), (oncoming, 0)], stage, &none);
    let (turned, last) = (times(&crossed, left)[0], *times(&crossed, oncoming).last().unwrap());
    assert!((last..=last + 20).contains(&turned), "{crossed:?}");
    // A gap of 3.5 s is enough, one that is shorter is not.
    let gap_ds = Manner::default().gap_ds;
    let with = |arrives_ds| times(&played(&model, &[(left, 0), (oncoming, arrives_ds)], stage, &none), left)[0];
    assert_eq!(with(6 + gap_ds), 5);
    assert!(with(4 + gap_ds) > 4 + gap_ds);
}

#[test]
fn nobody_enters_a_road_that_is_full() {
    let network = street();
    let model = model(&network, 0);
    let ahead = way(&network, &model, "n0>n1.0", "n1>n2");
    let mut rooms = vec![None; model.ways.len()];
    rooms[ahead as usize] = Some(Room { free_veh: 1, freed_ds: vec![200] });
    assert_eq!(times(&played(&model, &[(ahead, 0); 3], 0, &rooms), ahead), [5, 200]);
    rooms[ahead as usize] = Some(Room { free_veh: 0, freed_ds: Vec::new() });
    assert_eq!(times(&played(&model, &[(ahead, 0); 3], 0, &rooms), ahead), [0; 0]);
}

#[test]
fn what_stays_green_goes_on_over_a_change_of_stage() {
    let network = street();
    let model = model(&network, 0);
    let straight = way(&network, &model, "n4>n1.0", "n1>n5");
    let right = way(&network, &model, "n4>n1.0", "n1>n2");
    let manner = Manner::default();
    let none = vec![None; model.ways.len()];
    let through = |way: u16| {
        let traffic = traffic(&model, &[(way, 0); 12]);
        let scene = scene(&model, &traffic, &manner, &none);
        let mut state = state(&scene, 1, 0);
        let mut out = Vec::new();
        scene.run(&mut state, &model.stages[1].row, (0, 100), &mut Some(&mut out));
        let green = scene.switch(&mut state, (1, 2), 100, &mut Some(&mut out));
        scene.run(&mut state, &model.stages[2].row, (green, 300), &mut Some(&mut out));
        (green, times(&out, way))
    };
    let (green, turned) = through(right);
    assert_eq!((green, turned.len()), (140, 12), "four seconds of clearance");
    // No headway is longer than at the start of the queue.
    assert!(turned.windows(2).skip(4).all(|p| p[1] - p[0] == 19), "{turned:?}");
    let (_, crossed) = through(straight);
    assert!(crossed.iter().all(|at| *at < 100 + manner.yellow_used_ds), "{crossed:?}");
}
