//! Whoever reads what a command prints may stop when they have enough, as `head` does.

use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let net = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/crossroads.net.xml");
    for command in ["import", "check"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_greenkerb"))
            .arg(command)
            .arg(&net)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
    }
}
