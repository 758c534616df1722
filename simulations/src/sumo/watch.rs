//! Every vehicle in SUMO, followed from its departure on, for pictures of junctions.

use std::collections::BTreeMap;
use std::sync::Arc;

use greenkerb_models::detection::Picture;
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use super::traci::VehiclePlace;
use crate::sensing::Pictures;

/// Where every vehicle is, and where it goes. Routes are read once: nobody is sent elsewhere on the way.
#[derive(Debug)]
pub(super) struct Watch {
    network: Arc<Network>,
    pictures: Pictures,
    routes: BTreeMap<String, Vec<Option<LinkId>>>,
    places: Vec<VehiclePlace>,
}

impl Watch {
    pub(super) fn over(network: &Arc<Network>) -> Self {
        Self {
            pictures: Pictures::of(network),
            network: Arc::clone(network),
            routes: BTreeMap::new(),
            places: Vec::new(),
        }
    }

    /// Where those are that were followed before this step.
    pub(super) fn see(&mut self, places: Vec<VehiclePlace>) {
        self.places = places;
    }

    /// Those that entered in this step, with the links of their routes.
    pub(super) fn enter(&mut self, entered: Vec<(VehiclePlace, Vec<String>)>) {
        for (place, links) in entered {
            let links = links.iter().map(|l| self.network.link_named(l)).collect();
            self.routes.insert(place.id.clone(), links);
            self.places.push(place);
        }
    }

    /// Pictures of all junctions.
    pub(super) fn take(&mut self, at: TimeDs) -> Vec<Picture> {
        for place in &self.places {
            let Some(route) = self.routes.get(&place.id) else { continue };
            // A link that the network leaves out ends what is known of a route.
            let links = route.iter().skip(place.link).map_while(|l| *l);
            match self.network.lane_named(&place.lane) {
                Some(lane) => {
                    let to_lane_end_m = self.network.lane(lane).length.get() - place.at_m;
                    self.pictures.see(lane, to_lane_end_m, place.speed_mps, links);
                }
                None if place.lane.starts_with(':') => self.pictures.see_inside(None, place.speed_mps, links),
                // Not on the road, or on a lane that the network leaves out.
                None => {}
            }
        }
        self.pictures.take(at)
    }

    /// Forgets those that have arrived. To be called now and then.
    pub(super) fn forget(&mut self) {
        let there: std::collections::BTreeSet<&str> = self.places.iter().map(|p| p.id.as_str()).collect();
        self.routes.retain(|id, _| there.contains(id.as_str()));
    }
}
