//! Drawings beside the scenarios: what stands there is what the code draws today.
//!
//! With `UPDATE_DRAWINGS` set they are written anew.

use std::path::Path;

use greenkerb_models::network::NetworkParts;
use greenkerb_simulations::scenarios::bundled::{NAMES, backdrop, bundled};
use greenkerb_simulations::sketch::{Backdrop, Label, Sketch, draw};

#[test]
fn every_scenario_is_drawn_and_described() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for (name, _) in NAMES {
        let s = bundled(name).unwrap();
        let (backdrop, title) = (backdrop(name), format!("Streets of the scenario {name}"));
        let drawn =
            draw(&Sketch { title: &title, network: &s.network, demand: Some(&s.demand), backdrop: backdrop.as_ref() });
        let file = root.join(name).join("network.svg");
        if std::env::var_os("UPDATE_DRAWINGS").is_some() {
            std::fs::create_dir_all(root.join(name)).unwrap();
            std::fs::write(&file, &drawn).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(kept == drawn, "{} is not what the code draws; run with UPDATE_DRAWINGS=1", file.display());
        let described = std::fs::read_to_string(root.join(name).join("README.md")).unwrap_or_default();
        assert!(described.contains("network.svg"), "{name} is described beside its drawing");
    }
}

#[test]
fn names_cannot_break_out_of_a_drawing() {
    let network = NetworkParts::default().build().unwrap();
    let labels = vec![Label { at: greenkerb_models::network::Point::default(), text: "<script> & \"x\"".into() }];
    let backdrop = Backdrop { areas: Vec::new(), labels };
    let drawn = draw(&Sketch { title: "a<b", network: &network, demand: None, backdrop: Some(&backdrop) });
    assert!(drawn.contains("&lt;script&gt; &amp; &quot;x&quot;") && drawn.contains("<title>a&lt;b</title>"));
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
}
