//! A small signalised grid with traffic from every edge of it, made by SUMO's own netgenerate.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use greenkerb_models::formats;
use greenkerb_simulations::sumo::Installation;
use tempfile::TempDir;

/// Set to 1 to run the other tests on a machine where SUMO cannot be installed.
const WITHOUT_SUMO: &str = "GREENKERB_WITHOUT_SUMO";

/// Seconds simulated.
pub(crate) const END_S: u32 = 600;

/// The installed SUMO. Its absence fails the test, unless it was said aloud that there is none.
pub(crate) fn installation() -> Option<Installation> {
    match Installation::find(None) {
        Ok(found) => Some(found),
        Err(error) if std::env::var(WITHOUT_SUMO).is_ok_and(|v| v == "1") => {
            println!("nothing checked, because {WITHOUT_SUMO}=1: {error}");
            None
        }
        Err(error) => panic!("{error} (or set {WITHOUT_SUMO}=1 to do without)"),
    }
}

/// A network and its traffic in a folder of their own.
pub(crate) struct Small {
    /// Removed with the network.
    _folder: TempDir,
    pub(crate) net: PathBuf,
    pub(crate) routes: PathBuf,
}

impl Small {
    /// A grid of 2 × 2 signals, with a vehicle from every entry to every exit every 70 to 100 s.
    pub(crate) fn make(installation: &Installation) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let net = folder.path().join("small.net.xml");
        let made = Command::new(installation.program("netgenerate"))
            .args(["--grid", "--grid.number", "2", "--grid.length", "150", "--grid.attach-length", "200"])
            .args([
                "--default.lanenumber",
                "2",
                "--default-junction-type",
                "traffic_light",
                "--tls.default-type",
                "static",
            ])
            .args(["--seed", "1", "-o"])
            .arg(&net)
            .env("SUMO_HOME", installation.home().unwrap_or(Path::new("")))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let routes = folder.path().join("small.rou.xml");
        std::fs::write(&routes, flows(&net)).unwrap();
        Self { _folder: folder, net, routes }
    }
}

/// Flows between the links that come from outside and those that lead there.
fn flows(net: &Path) -> String {
    let network = formats::read(net).unwrap().network;
    let outside = |node| network.links_into(node).count() <= 1;
    let entries: Vec<_> = network.links().iter().filter(|l| outside(l.from)).collect();
    let exits: Vec<_> = network.links().iter().filter(|l| outside(l.to)).collect();
    assert!(entries.len() >= 4 && exits.len() >= 4, "netgenerate's grid has edges that lead outside");
    let mut xml = String::from("<routes>\n");
    for (i, entry) in entries.iter().enumerate() {
        for (j, exit) in exits.iter().enumerate().filter(|(_, exit)| exit.to != entry.from) {
            let period = 70 + (7 * i + 5 * j) % 30;
            writeln!(
                xml,
                r#"  <flow id="f{i}_{j}" begin="0" end="{END_S}" period="{period}" from="{}" to="{}" departLane="best"/>"#,
                entry.name, exit.name
            )
            .unwrap();
        }
    }
    xml.push_str("</routes>\n");
    xml
}
