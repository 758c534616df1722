//! SUMO's vehicle classes, as far as they decide who may use a lane.

use crate::network::Admits;

/// Who may use a lane with these `allow` and `disallow` lists: `allow` wins, and neither admits everybody
/// (SUMO, "Vehicle Classes").
pub(super) fn admits(allow: Option<&str>, disallow: Option<&str>) -> Admits {
    let may = |class: &str| match (allow.filter(|a| !a.trim().is_empty()), disallow) {
        (Some(list), _) => lists(list, class),
        (None, Some(list)) => !lists(list, class),
        (None, None) => true,
    };
    Admits {
        cars: may("passenger"),
        buses: may("bus") || may("coach"),
        bicycles: may("bicycle"),
        pedestrians: may("pedestrian"),
    }
}

fn lists(list: &str, class: &str) -> bool {
    list.split_whitespace().any(|c| c == class || c == "all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_wins_over_disallow() {
        let open = admits(None, None);
        assert!(open.cars && open.buses && open.bicycles && open.pedestrians);
        let bus_lane = admits(Some("bus taxi"), Some("bus"));
        assert!(bus_lane.buses && bus_lane.motor() && !bus_lane.cars);
        let rail = admits(Some("rail_urban"), None);
        assert!(!rail.motor());
        let road = admits(None, Some("tram rail_urban rail pedestrian"));
        assert!(road.cars && !road.pedestrians);
        assert!(!admits(None, Some("all")).motor());
    }
}
