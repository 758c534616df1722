//! What junctions tell each other: who will come over from the one before, and when.

use std::collections::BTreeMap;

use greenkerb_models::detection::Picture;
use greenkerb_models::ids::LaneId;
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use super::model::{Model, SPACE_M};
use super::traffic::{Traffic, Vehicle, next_in_turn};

/// The room that somebody leaves in front travels back through a queue so slowly, deciseconds per vehicle.
const WAVE_DS: i32 = 10;

/// A way across one junction that leads to another.
#[derive(Debug, Clone)]
pub(super) struct Feed {
    /// The junction that is left.
    pub(super) from: usize,
    /// The way across it.
    pub(super) way: usize,
    /// From its stop line to the next one, deciseconds at the speed allowed.
    pub(super) travel_ds: i32,
    /// Ways of the next junction that may be taken then.
    pub(super) onto: Vec<usize>,
}

/// Road behind a way that leads to another junction.
#[derive(Debug, Clone)]
pub(super) struct Exit {
    /// The junction it leads to.
    pub(super) to: usize,
    /// Its lanes up to the stop line there.
    pub(super) lanes: Vec<LaneId>,
    /// Lanes at that line that it feeds.
    pub(super) feeds: Vec<usize>,
    /// Vehicles that have room on it.
    pub(super) storage_veh: f64,
}

/// Room behind a way as it will be.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    /// Vehicles that may enter now.
    pub(super) free_veh: i32,
    /// When there is room for one more, each time, deciseconds from now.
    pub(super) freed_ds: Vec<i32>,
}

impl Room {
    /// Whether one may enter at an instant after so many others.
    pub(super) fn admits(&self, entered: u16, at_ds: i32) -> bool {
        let free = self.free_veh - i32::from(entered);
        free > 0 || self.freed_ds.partition_point(|t| *t <= at_ds) as i32 + free > 0
    }
}

/// Somebody who is to cross a junction's line.
pub(super) type Outflow = Vec<(u16, TimeDs)>;

/// A lane as one junction looks at it: the junction, the lane at its line, and metres from the lane's start to that line.
type Sight = (usize, usize, f64);

/// From where the lanes of a network are looked at.
#[derive(Debug)]
pub(super) struct Sights(BTreeMap<LaneId, Vec<Sight>>);

impl Sights {
    pub(super) fn of(network: &Network, models: &[Model]) -> Self {
        let mut sights: BTreeMap<LaneId, Vec<Sight>> = BTreeMap::new();
        for (k, model) in models.iter().enumerate() {
            for (l, lane) in model.lanes.iter().enumerate() {
                for piece in &lane.pieces {
                    let from_start_m = piece.to_line_m + network.lane(piece.lane).length.get();
                    sights.entry(piece.lane).or_default().push((k, l, from_start_m));
                }
            }
        }
        Self(sights)
    }

    /// The first junction that looks at a lane, and what it sees of it.
    fn next(&self, lane: LaneId) -> Option<(usize, &[Sight])> {
        let all = self.0.get(&lane)?;
        let junction = all.first()?.0;
        let end = all.iter().position(|s| s.0 != junction).unwrap_or(all.len());
        Some((junction, &all[..end]))
    }
}

/// The feeds of every junction.
pub(super) fn feeds(models: &[Model], sights: &Sights) -> Vec<Vec<Feed>> {
    let mut feeds = vec![Vec::new(); models.len()];
    for (from, model) in models.iter().enumerate() {
        for (w, way) in model.ways.iter().enumerate() {
            let Some((to, reached)) = sights.next(way.onto) else { continue };
            let (_, first, length_m) = reached[0];
            let lane = &models[to].lanes[first];
            let onto = (0..models[to].ways.len()).filter(|o| {
                let other = models[to].ways[*o].lane;
                models[to].lanes[other].link == lane.link || reached.iter().any(|r| r.1 == other)
            });
            let travel_ds = way.across_ds + (length_m / lane.speed_mps * 10.0) as i32;
            feeds[to].push(Feed { from, way: w, travel_ds, onto: onto.collect() });
        }
    }
    feeds
}

/// The roads behind a junction's ways; none where they lead to no other signal within sight.
pub(super) fn exits(model: &Model, models: &[Model], sights: &Sights) -> Vec<Option<Exit>> {
    let exit = |onto: LaneId| {
        let (to, reached) = sights.next(onto)?;
        let (_, first, from_start_m) = reached[0];
        let pieces = &models[to].lanes[first].pieces;
        let to_line_m = pieces.iter().find(|p| p.lane == onto)?.to_line_m;
        Some(Exit {
            to,
            lanes: pieces.iter().filter(|p| p.to_line_m <= to_line_m).map(|p| p.lane).collect(),
            feeds: reached.iter().map(|r| r.1).collect(),
            storage_veh: from_start_m / SPACE_M,
        })
    };
    model.ways.iter().map(|w| exit(w.onto)).collect()
}

/// Room behind every way of a junction, by what is seen on the road there and who is to leave it.
pub(super) fn rooms<'a>(
    exits: &[Option<Exit>],
    models: &[Model],
    pictures: &[Option<Picture>],
    outflow: impl Fn(usize) -> &'a Outflow,
    now: TimeDs,
) -> Vec<Option<Room>> {
    exits
        .iter()
        .map(|exit| {
            let exit = exit.as_ref()?;
            let picture = pictures[exit.to].as_ref()?;
            let there = picture.vehicles.iter().filter(|v| exit.lanes.contains(&v.lane)).count() as f64;
            let leaves = |(way, at): &(u16, TimeDs)| {
                let lane = models[exit.to].ways[*way as usize].lane;
                (*at >= now && exit.feeds.contains(&lane)).then(|| at.since(now) as i32 + there as i32 * WAVE_DS)
            };
            let mut freed_ds: Vec<i32> = outflow(exit.to).iter().filter_map(leaves).collect();
            freed_ds.sort_unstable();
            Some(Room { free_veh: (exit.storage_veh - there).floor() as i32, freed_ds })
        })
        .collect()
}

/// Adds those that neighbours let over to those that are seen. `outflow` tells who is to cross at another junction, or was
/// of late. Where vehicles are presumed from loops, those that are to reach the line later than `unseen_from_ds` are on
/// their way without anybody seeing them; else who has crossed is seen.
pub(super) fn add_fed<'a>(
    model: &Model,
    traffic: &mut Traffic,
    feeds: &[Feed],
    outflow: impl Fn(usize) -> &'a Outflow,
    weights: &[f64],
    (now, unseen_from_ds): (TimeDs, Option<i32>),
) {
    let mut fed: Vec<(i32, u16)> = Vec::new();
    for feed in feeds {
        let mut owed = vec![0.0; model.ways.len()];
        let sum: f64 = feed.onto.iter().map(|w| weights[*w]).sum();
        let shares: Vec<f64> = weights.iter().map(|w| w / sum.max(1e-9)).collect();
        for (_, at) in outflow(feed.from).iter().filter(|(way, _)| *way as usize == feed.way) {
            let ds = at.since(now).clamp(-10_000, 10_000) as i32;
            let known = match unseen_from_ds {
                Some(from) => ds + feed.travel_ds <= from,
                None => ds < 0,
            };
            if known {
                continue;
            }
            if let Some(onto) = next_in_turn(&feed.onto, &shares, &mut owed) {
                fed.push((ds + feed.travel_ds, onto as u16));
            }
        }
    }
    fed.sort_unstable();
    for (arrives_ds, way) in fed {
        traffic.lanes[model.ways[way as usize].lane].push(Vehicle { arrives_ds, way, stands: false });
    }
}
