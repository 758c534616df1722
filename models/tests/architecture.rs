//! The direction of dependencies and what each crate must not have, read from `cargo metadata`.

use std::process::Command;

use serde_json::Value;

/// Crates from the bottom up: each may depend on those before it only.
const ORDER: [&str; 5] =
    ["greenkerb-models", "greenkerb-optimizer", "greenkerb-simulations", "greenkerb-api", "greenkerb-benches"];

/// What the pure crates must not have in their normal dependencies.
const IMPURE: [&str; 8] = ["tokio", "axum", "reqwest", "ureq", "redb", "redis", "rand", "tracing"];

fn packages() -> Vec<Value> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("a list of packages").clone()
}

fn dependencies(package: &Value, with_dev: bool) -> Vec<String> {
    package["dependencies"]
        .as_array()
        .expect("a list of dependencies")
        .iter()
        .filter(|d| with_dev || d["kind"] != "dev")
        .map(|d| d["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    assert_eq!(packages.len(), ORDER.len(), "a crate was added or removed: say so in ARCHITECTURE.md and here");
    for p in &packages {
        let name = p["name"].as_str().expect("a name");
        let rank = ORDER.iter().position(|o| *o == name).unwrap_or_else(|| panic!("{name} is not in the order"));
        for d in dependencies(p, true) {
            if let Some(other) = ORDER.iter().position(|o| *o == d) {
                assert!(other < rank, "{name} depends on {d}, which comes after it");
            }
        }
    }
}

#[test]
fn the_pure_core_has_no_runtime_socket_or_clock() {
    for p in packages().iter().filter(|p| ORDER[..2].iter().any(|o| p["name"] == *o)) {
        for d in dependencies(p, false) {
            assert!(!IMPURE.contains(&d.as_str()), "{} depends on {d}", p["name"]);
        }
    }
}

#[test]
fn the_pure_core_never_asks_for_the_time() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen = 0;
    for folder in ["models/src", "optimizer/src"] {
        let mut open = vec![root.join(folder)];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(&dir).expect("a folder of ours").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("source text");
                seen += 1;
                for clock in ["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now"] {
                    assert!(!text.contains(clock), "{} calls {clock}", path.display());
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} files seen");
}

#[test]
fn solver_libraries_are_seen_in_one_place_only() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../optimizer/src");
    let mut open = vec![root.clone()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).expect("a folder of ours").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if !path.starts_with(root.join("solver")) {
                let text = std::fs::read_to_string(&path).expect("source text");
                assert!(
                    ["good_lp::", "microlp::", "clarabel::"].iter().all(|solver| !text.contains(solver)),
                    "{}",
                    path.display()
                );
            }
        }
    }
}
