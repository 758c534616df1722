//! The summary of a network, as people see it and as programs read it.

use greenkerb_models::formats::{NetworkSummary, sumo_net};

fn summary(name: &str, text: &str) -> NetworkSummary {
    NetworkSummary::of(&sumo_net::read_bytes(name, text.as_bytes()).unwrap())
}

#[test]
fn a_crossroads_in_a_table() {
    let s = summary("crossroads.net.xml", include_str!("data/crossroads.net.xml"));
    insta::assert_snapshot!("crossroads", s);
    let json = serde_json::to_string(&s).unwrap();
    assert_eq!(serde_json::from_str::<NetworkSummary>(&json).unwrap(), s);
}

#[test]
fn rings_in_a_table() {
    insta::assert_snapshot!("rings", summary("rings.net.xml", include_str!("data/rings.net.xml")));
}
