//! `greenkerb scenario list`.

use std::io::Write as _;

use greenkerb_simulations::scenarios::{ScenarioSummary, bundled};

/// A line for every bundled scenario.
pub(super) fn run() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<10} {:>6} {:>8} {:>9}  {:<20}  for", "name", "nodes", "signals", "vehicles", "window")?;
    for (name, about) in bundled::NAMES {
        let s = ScenarioSummary::of(&bundled::bundled(name)?, &[]);
        writeln!(out, "{name:<10} {:>6} {:>8} {:>9.0}  {:<20}  {about}", s.nodes, s.signals, s.vehicles(), s.window())?;
    }
    writeln!(out, "grid-COLSxROWS, or grid-COLSxROWS-SEED, is a grid of another size, from 2x2 to 100x100")?;
    Ok(())
}
