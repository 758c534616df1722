//! docs/api.md says what is so.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use greenkerb_api::settings::RawSettings;
use serde_json::Value;
use support::{Running, crossroads};

const PAGE: &str = include_str!("../../docs/api.md");

#[test]
fn every_path_and_every_setting_is_there() {
    let described: Value = serde_json::from_str(include_str!("../openapi.json")).unwrap();
    for path in described["paths"].as_object().unwrap().keys() {
        let shown = path.replace("{name}", "centre");
        assert!(PAGE.contains(&shown) || PAGE.contains(path), "docs/api.md does not show {path}");
    }
    let settings = toml::Value::try_from(RawSettings::default()).unwrap();
    for name in settings.as_table().unwrap().keys() {
        assert!(PAGE.contains(&format!("`{name}`")) || PAGE.contains(&format!("`[{name}]`")), "no setting {name}");
    }
    for name in settings["optimizer"].as_table().unwrap().keys() {
        assert!(PAGE.contains(&format!("`{name}`")) || PAGE.contains(&format!("`[optimizer.{name}]`")), "{name}");
    }
}

#[test]
fn the_examples_work() {
    let service = Running::start(&crossroads(), None, "");
    let bodies: Vec<&str> = PAGE.split("-d '").skip(1).map(|rest| rest.split('\'').next().unwrap()).collect();
    let receipt = service.post("/v1/observations", "application/json", bodies[0].as_bytes()).json();
    assert_eq!((receipt["accepted"].as_u64(), receipt["refused_total"].as_u64()), (Some(2), Some(0)), "{receipt}");
    let timing = service.get("/v1/controllers/centre/timing", &[]);
    assert!(PAGE.contains(&timing.etag), "the tag is now {}", timing.etag);
    let hash = timing.json()["hash"].as_str().unwrap().to_owned();
    let pictures = PAGE.split("--data '").nth(1).unwrap().split('\'').next().unwrap();
    let receipt = service.post("/v1/observations", "application/json", pictures.as_bytes()).json();
    assert_eq!((receipt["pictures"].as_u64(), receipt["refused_total"].as_u64()), (Some(1), Some(0)), "{receipt}");
    let ack = bodies[1].replace("<hash of the timing>", &hash);
    assert_eq!(service.post("/v1/controllers/centre/ack", "application/json", ack.as_bytes()).status, 204);
}
