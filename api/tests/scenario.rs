//! `greenkerb scenario`: what it tells, writes and refuses.

use std::path::Path;
use std::process::{Command, Output};

fn greenkerb(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_greenkerb")).args(args).output().unwrap()
}

fn out(args: &[&str]) -> String {
    let output = greenkerb(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refusal(args: &[&str]) -> String {
    let output = greenkerb(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_bundled_scenario_has_a_line_and_can_be_shown() {
    let list = out(&["scenario", "list"]);
    let lines: Vec<&str> = list.lines().collect();
    for word in ["nodes", "signals", "vehicles", "window", "for"] {
        assert!(lines[0].contains(word), "{}", lines[0]);
    }
    let names: Vec<&str> =
        lines[1..].iter().filter(|l| !l.starts_with("grid-")).map(|l| l.split_whitespace().next().unwrap()).collect();
    assert!(["crossing", "arterial", "riverside", "grid"].iter().all(|n| names.contains(n)), "{list}");
    for name in names {
        let shown = out(&["scenario", "show", name]);
        for word in ["window ", "network ", "signals ", "demand "] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
        assert_eq!(shown.contains("parking "), name == "riverside", "{shown}");
        // The list and the page count alike.
        let line: Vec<&str> = lines.iter().find(|l| l.starts_with(name)).unwrap().split_whitespace().collect();
        let digits = shown.replace(',', "");
        assert!(digits.contains(&format!("demand       {} vehicles", line[3])), "{line:?}: {shown}");
        assert!(digits.contains(&format!("network      {} nodes", line[1])), "{line:?}: {shown}");
    }
}

#[test]
fn a_drawing_is_the_one_beside_the_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("streets.svg");
    out(&["scenario", "show", "crossing", "--svg", text(&svg)]);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../simulations/scenarios/crossing/network.svg");
    assert_eq!(std::fs::read_to_string(&svg).unwrap(), std::fs::read_to_string(kept).unwrap());
}

#[test]
fn what_was_derived_is_told_of_foreign_files() {
    let folder = tempfile::tempdir().unwrap();
    let net = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/crossroads.net.xml");
    std::fs::copy(net, folder.path().join("n.net.xml")).unwrap();
    let trips = "<routes><trip id='a' depart='30' from='from_west' to='to_east'/></routes>";
    std::fs::write(folder.path().join("d.rou.xml"), trips).unwrap();
    let config = folder.path().join("town.sumocfg");
    let files =
        "<configuration><input><net-file value='n.net.xml'/><route-files value='d.rou.xml'/></input></configuration>";
    std::fs::write(&config, files).unwrap();
    let shown = out(&["scenario", "show", text(&config)]);
    assert!(shown.contains("derived or changed") && shown.contains("saturation flow"), "{shown}");
    assert!(shown.contains("demand       1 vehicles expected"), "{shown}");
    // And it can be had in our own formats.
    let own = folder.path().join("own");
    out(&["scenario", "new", text(&own), "--from", text(&config)]);
    let again = out(&["scenario", "show", text(&own)]);
    assert!(!again.contains("derived") && again.contains("demand       1 vehicles expected"), "{again}");
}

/// SUMO's files of one trip and somebody on foot, who is left out.
fn sumo_town(folder: &Path) -> std::path::PathBuf {
    let net = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/crossroads.net.xml");
    std::fs::copy(net, folder.join("n.net.xml")).unwrap();
    let trips = "<routes><trip id='a' depart='3' from='from_west' to='to_east'/>
        <person id='p' depart='3'><walk edges='from_west to_east'/></person></routes>";
    std::fs::write(folder.join("d.rou.xml"), trips).unwrap();
    let config = folder.join("town.sumocfg");
    let files =
        "<configuration><input><net-file value='n.net.xml'/><route-files value='d.rou.xml'/></input></configuration>";
    std::fs::write(&config, files).unwrap();
    config
}

#[test]
fn what_a_benchmark_leaves_out_is_told_and_what_it_cannot_use_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = sumo_town(folder.path());
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let line = |results: &Path| {
        ["simulate", text(&config), "--end", "20", "--seeds", "1", "--controller", "shipped", "--out", text(results)]
            .map(str::to_owned)
    };
    let ours = |results: &Path, more: &[&str]| {
        let line = line(results);
        greenkerb(&line.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>())
    };
    let refused = |more: &[&str]| {
        let output = ours(&a, more);
        assert_eq!(output.status.code(), Some(1), "{more:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let first = ours(&a, &[]);
    let told = String::from_utf8(first.stderr).unwrap();
    assert!(first.status.success(), "{told}");
    let note = told.lines().find(|l| l.starts_with("note: 1 x ") && l.contains("people and goods")).expect(&told);
    let report = std::fs::read_to_string(a.join("report.html")).unwrap();
    let listed = format!("<dt>Note</dt><dd>{}</dd>", note["note: ".len()..].replacen(" x ", " × ", 1));
    assert!(report.contains(&listed), "{listed}");
    assert!(ours(&b, &[]).status.success());
    assert!(report == std::fs::read_to_string(b.join("report.html")).unwrap());
    // A step that scenario.toml may not have.
    for tick in ["0.25", "0", "11"] {
        let error = refused(&["--tick", tick]);
        assert!(error.contains(&format!("{tick} is not a number of tenths of a second from 0.1 to 10 s")), "{error}");
    }
    // A baseline of another window; one of the same is compared with.
    let kept = b.join("runs.jsonl");
    let against = ["--baseline", text(&kept), "--fail-if-worse", "3%"];
    assert!(ours(&a, &against).status.success());
    let error = refused(&[&against[..], &["--begin", "2"]].concat());
    assert!(error.contains("its window is 0 to 20 s") && error.contains("this one's is 2 to 20 s"), "{error}");
    assert!(refused(&["--baseline", text(&kept), "--fail-if-worse", "3"]).contains("write 3% or 0.03"));
    // A controller that cannot run here leaves the folder as it is.
    let output =
        greenkerb(&["simulate", text(&config), "--seeds", "1", "--controller", "amp8-15+5", "--out", text(&a)]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && error.contains("rules need four"), "{error}");
    assert!(!a.join("runs.stale.jsonl").exists());
    assert!(std::fs::read(a.join("runs.jsonl")).unwrap() == std::fs::read(&kept).unwrap());
}

#[test]
fn a_new_scenario_runs_and_is_written_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let (town, again) = (folder.path().join("my-town"), folder.path().join("again/my-town"));
    let said = out(&["scenario", "new", text(&town)]);
    assert!(said.contains("scenario.toml") && said.contains("greenkerb simulate "), "{said}");
    let toml = std::fs::read_to_string(town.join("scenario.toml")).unwrap();
    assert!(toml.contains("name = \"my-town\""), "{toml}");
    out(&["scenario", "new", text(&again), "--from", text(&town)]);
    for file in ["scenario.toml", "network.gkn", "demand.gkd"] {
        assert_eq!(std::fs::read(town.join(file)).unwrap(), std::fs::read(again.join(file)).unwrap(), "{file}");
    }
    let results = folder.path().join("results");
    let end = ["--end", "120", "--warm-up", "0", "--seeds", "1", "--controller", "shipped"];
    let run = |scenario: &str, folder: &Path| {
        out(&[&["simulate", scenario, "--out", text(folder)], &end[..]].concat());
        let runs = std::fs::read_to_string(folder.join("runs.jsonl")).unwrap();
        let run: serde_json::Value = serde_json::from_str(runs.lines().next().unwrap()).unwrap();
        run
    };
    let (own, bundled) = (run(text(&town), &results), run("crossing", &folder.path().join("bundled")));
    assert!(own["event_hash"].as_str().is_some_and(|h| !h.is_empty()), "{own}");
    assert_eq!(own["event_hash"], bundled["event_hash"], "the same street from files and from the program");
}

#[test]
fn a_grid_is_made_from_its_seed() {
    let folder = tempfile::tempdir().unwrap();
    let grid = |name: &str, seed: &str| {
        let dir = folder.path().join(name);
        out(&[
            "scenario",
            "grid",
            "2x3",
            "--seed",
            seed,
            "--vehicles-per-h",
            "900",
            "--duration",
            "1200",
            "--out",
            text(&dir),
        ]);
        std::fs::read(dir.join("network.gkn")).unwrap()
    };
    let (a, b, c) = (grid("a", "7"), grid("b", "7"), grid("c", "8"));
    assert_eq!(a, b);
    assert_ne!(a, c);
    let shown = out(&["scenario", "show", text(&folder.path().join("a"))]);
    assert!(shown.contains("signals      6,") && shown.contains("demand       300 vehicles"), "{shown}");
    assert!(shown.contains("00:00:00 to 00:20:00"), "{shown}");
}

#[test]
fn nothing_is_written_over_and_what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("notes.txt");
    std::fs::write(&kept, "mine").unwrap();
    let dir = text(folder.path());
    assert!(refusal(&["scenario", "new", dir]).contains("holds something already; nothing was written"));
    assert!(refusal(&["scenario", "grid", "2x2", "--out", dir]).contains("holds something already"));
    assert!(refusal(&["scenario", "new", text(&kept)]).contains("exists and is no folder"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "mine");
    for (args, words) in [
        (&["scenario", "show", "atlantis"][..], &["no scenario 'atlantis'", "arterial"][..]),
        (&["scenario", "show", "no/such.toml"], &["no/such.toml", "No such file"]),
        (&["scenario", "new", "never", "--from", "atlantis"], &["no scenario 'atlantis'"]),
        (&["scenario", "grid", "1x4", "--out", "never"], &["a grid of 1x4: sides from 2 to 100"]),
        (&["scenario", "grid", "101x4", "--out", "never"], &["a grid of 101x4: sides from 2 to 100"]),
        (&["scenario", "grid", "4x4", "--duration", "5", "--out", "never"], &["duration of 5 s", "from a minute"]),
        (&["scenario", "grid", "4x4", "--vehicles-per-h", "0", "--out", "never"], &["vehicles of 0: at least one"]),
    ] {
        let said = refusal(args);
        for word in words {
            assert!(said.contains(word), "{args:?}: {said}");
        }
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    }
    assert!(!Path::new("never").exists());
    for args in [&["scenario", "grid", "4by4", "--out", "never"][..], &["scenario", "grid", "4x4"], &["scenario"]] {
        assert_eq!(greenkerb(args).status.code(), Some(2), "{args:?}");
    }
}
