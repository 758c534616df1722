#!/usr/bin/env python3
"""Measures the README's table: delay under the shipped plans and under ours, same seeds, same SUMO.

    cargo build --release
    scripts/figures.py                                    # everything, seeds 1-5, into target/figures
    scripts/figures.py --scenarios cologne8 --seeds 1..2  # a part of it

Every figure comes from `greenkerb simulate sumo`, which for `ours` starts the service as a process of its own and talks
to it over HTTP only. Written are one report per run (`runs/`), the figures (`figures.json`), the table (`figures.md`)
and what it takes to repeat them (`manifest.json`). Python's standard library suffices; SUMO 1.28 is found as
`greenkerb simulate sumo` finds it (`pip install eclipse-sumo==1.28.0` into `.venv`).

Exits with 1 when a run fails or shows what no run may (a collision, a teleport, a tripped conflict monitor, a plan that
a controller rejects, a request that fails, a wait over 300 s), with 2 when there is nothing to measure. What was
measured is written all the same. Goals that are missed are marked in the table and change no exit code.
"""
import argparse
import datetime
import hashlib
import json
import math
import os
import platform
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "resco"

# First and last second (RESCO's map_config).
SCENARIOS = {
    "cologne8": (25_200, 28_800),
    "ingolstadt7": (57_600, 61_200),
    "ingolstadt1": (57_600, 61_200),
    "cologne1": (25_200, 28_800),
    "grid4x4": (0, 3_600),
}
# Delay to reach by mode and sensing, s per vehicle.
GOALS = {
    ("cycle", "loops"): {"cologne8": 36.0, "ingolstadt7": 50.0, "ingolstadt1": 22.0, "cologne1": 36.0},
    ("schedule", "full"): {
        "cologne1": 13.0, "cologne8": 12.5, "ingolstadt1": 10.9, "ingolstadt7": 17.0, "grid4x4": 19.0},
    ("schedule", "loops"): {
        "cologne1": 15.5, "cologne8": 15.0, "ingolstadt1": 12.0, "ingolstadt7": 20.5, "grid4x4": 23.0},
}
CONTROLS = ("shipped", "ours")
# What ours may see, as the table says it.
SENSED = {"loops": "loops only", "full": "every vehicle near a signal seen"}
# Longest any vehicle may wait under our plans.
MAX_WAIT_S = 300.0

# Two-sided 95 % quantiles of Student's t distribution for 1 to 30 degrees of freedom.
T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
       2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)


def mean_and_half_width(values):
    """Mean, and half the width of its 95 % interval (None for a single value)."""
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, None
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    return mean, T95[min(n - 1, len(T95)) - 1] * deviation / math.sqrt(n)


def shown(path):
    """A path as seen from the project, so that a manifest says nothing about the machine it was made on."""
    return os.path.relpath(path, ROOT)


def said_by(*command):
    """What a command prints, or None when it cannot be run."""
    try:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def scenario_files(options, name):
    net, routes = (options.data / name / f"{name}.{kind}.xml" for kind in ("net", "rou"))
    return (with_yellow(net, options) if options.yellow and net.is_file() else net), routes


def with_yellow(net, options):
    """A copy of a network whose plans show so much yellow; what is left of the cycle goes to the green before."""
    tree = ET.parse(net)
    for program in tree.getroot().iter("tlLogic"):
        phases = list(program.iter("phase"))
        for before, phase in zip(phases[-1:] + phases[:-1], phases):
            over_s = float(phase.get("duration")) - options.yellow
            if "y" in phase.get("state").lower() and over_s:
                phase.set("duration", f"{options.yellow}")
                before.set("duration", f"{float(before.get('duration')) + over_s:g}")
    copy = options.out / "networks" / net.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    tree.write(copy)
    return copy


def run_to_its_end(command):
    """Runs a command. Interrupted, it is asked to end and waited for: it has SUMO and the service to end itself."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise


def interrupt(*_):
    raise KeyboardInterrupt


def measure(options, name, control):
    """Runs one scenario under one control. Returns its report (None when there is none), command and complaint."""
    net, routes = scenario_files(options, name)
    begin_s, end_s = SCENARIOS[name]
    report = options.out / "runs" / f"{name}.{control}.json"
    # A report of an earlier run must not pass for this one's.
    report.unlink(missing_ok=True)
    command = [shown(options.binary), "simulate", "sumo", "--net", shown(net), "--routes", shown(routes),
               "--begin", str(begin_s), "--end", str(end_s), "--seeds", options.seeds,
               "--sensing", options.sensing, "--mode", options.mode, "--clearances", options.clearances,
               "--control", control, "--json", shown(report)]
    print(f"{name}, {control} ...", file=sys.stderr, flush=True)
    code = run_to_its_end([str(options.binary), *command[1:]])
    complaint = f"{name}, {control}: ended with exit code {code}" if code else None
    # A run whose conflict monitor tripped fails, but its report is there and tells how often.
    read = json.loads(report.read_text()) if report.is_file() else None
    if read is None and complaint is None:
        complaint = f"{name}, {control}: wrote no report"
    return read, command, complaint


def faults_of(name, control, report):
    """What no run may show. Waits and plans are judged under our control only."""
    where = f"{name}, {control}"
    faults = [f"{where}: {report[field]} {field.replace('_', ' ')}"
              for field in ("collisions", "teleports", "monitor_violations") if report[field]]
    if control == "ours":
        if report["max_wait_s"] > MAX_WAIT_S:
            faults.append(f"{where}: a vehicle waits {report['max_wait_s']:.0f} s, more than {MAX_WAIT_S:.0f} s")
        for seed in report["seeds"]:
            for field in ("plans_rejected", "reports_refused", "failures", "fallbacks"):
                if seed[field]:
                    faults.append(f"{where}, seed {seed['seed']}: {seed[field]} {field.replace('_', ' ')}")
            if not seed["plans_activated"]:
                faults.append(f"{where}, seed {seed['seed']}: no plan of ours ever took over")
    return faults


def totals(report):
    return {seed["seed"]: seed["total_delay_s_per_veh"] for seed in report["seeds"]}


def figures_of(name, reports, goal_s):
    """One row: both controls, and the change between them seed by seed."""
    row = {"scenario": name, "goal_s_per_veh": goal_s}
    for control, report in reports.items():
        mean, half_width = mean_and_half_width(list(totals(report).values()))
        row[control] = {
            "total_delay_s_per_veh": mean,
            "half_width_95_s": half_width,
            **{field: report[field] for field in (
                "time_loss_s_per_veh", "depart_delay_s_per_veh", "inserted", "arrived", "undeparted", "max_wait_s",
                "collisions", "teleports", "monitor_violations", "wall_s")},
            "per_seed": totals(report),
        }
    if all(control in reports for control in CONTROLS):
        shipped, ours = (totals(reports[control]) for control in CONTROLS)
        pairs = [ours[seed] - shipped[seed] for seed in shipped if seed in ours]
        mean, half_width = mean_and_half_width(pairs)
        row["change"] = {"paired_s_per_veh": mean, "half_width_95_s": half_width,
                         "share": mean / row["shipped"]["total_delay_s_per_veh"]}
    if goal_s is not None and "ours" in row:
        row["goal_reached"] = row["ours"]["total_delay_s_per_veh"] <= goal_s
    return row


def with_interval(mean, half_width, sign=""):
    text = f"{mean:{sign}.1f}"
    return text if half_width is None else f"{text} ± {half_width:.1f}"


def table(rows, options, versions):
    """The README's table, as Markdown."""
    lines = [
        f"Total delay, seconds per loaded vehicle: mean ± 95 % interval over seeds {options.seeds}; "
        f"{versions}; ours by {options.mode}s with {SENSED[options.sensing]}.",
        "",
        "| scenario | shipped plan | ours | change, paired | goal "
        "| ours: never inserted | ours: longest wait | ours: collisions |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        cells = [row["scenario"]]
        for control in CONTROLS:
            figures = row.get(control)
            measured = figures and with_interval(figures["total_delay_s_per_veh"], figures["half_width_95_s"])
            cells.append(measured or "–")
        change = row.get("change")
        cells.append(f"{with_interval(change['paired_s_per_veh'], change['half_width_95_s'], '+')} "
                     f"({100 * change['share']:+.0f} %)" if change else "–")
        goal = "–" if row["goal_s_per_veh"] is None else f"≤ {row['goal_s_per_veh']:g}"
        cells.append(goal + (" (missed)" if row.get("goal_reached") is False else ""))
        ours = row.get("ours")
        beside = (f"{ours['undeparted']}", f"{ours['max_wait_s']:.0f} s", f"{ours['collisions']}") if ours else "–" * 3
        cells += beside
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="names, separated by commas (default: all)")
    parser.add_argument("--controls", default=",".join(CONTROLS), help="shipped, ours or both (default)")
    parser.add_argument("--seeds", default="1..5", help="as `greenkerb simulate sumo` reads them (default: 1..5)")
    parser.add_argument("--sensing", default="loops", choices=SENSED, help="what ours may see (default: loops)")
    parser.add_argument("--mode", default="cycle", choices=("cycle", "schedule"), help="how ours times (default: cycle)")
    parser.add_argument("--clearances", default="derived", choices=("derived", "shown"),
                        help="between stages that do not follow each other in the file (default: derived)")
    parser.add_argument("--yellow", type=int, metavar="S", help="yellow of all plans, instead of what the files say")
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "greenkerb")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the scenarios")
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "figures", help="folder to write to")
    options = parser.parse_args()
    for field, known in (("scenarios", SCENARIOS), ("controls", CONTROLS)):
        chosen = [part.strip() for part in getattr(options, field).split(",") if part.strip()]
        unknown = [part for part in chosen if part not in known]
        if unknown or not chosen:
            parser.error(f"--{field}: {', '.join(unknown) or 'nothing'} is none of {', '.join(known)}")
        setattr(options, field, list(dict.fromkeys(chosen)))
    for field in ("binary", "data", "out"):
        setattr(options, field, getattr(options, field).resolve())
    return options


def nothing_to_measure(options):
    """Why there is nothing to measure, or None."""
    if not options.data.is_dir():
        return (f"nothing measured: there is no {shown(options.data)}. The scenarios are not part of this project "
                "(their licences do not go with ours); most of them come with `pip install sumo-rl` (nets/RESCO): "
                "--data FOLDER")
    missing = [path for name in options.scenarios for path in scenario_files(options, name) if not path.is_file()]
    if missing:
        return f"nothing measured: there is no {', '.join(shown(path) for path in missing)}"
    if not os.access(options.binary, os.X_OK):
        return f"nothing measured: there is no program {shown(options.binary)}; build it with `cargo build --release`"
    return None


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def main():
    options = arguments()
    if reason := nothing_to_measure(options):
        print(reason, file=sys.stderr)
        return 2
    (options.out / "runs").mkdir(parents=True, exist_ok=True)
    started = now()
    rows, commands, faults, versions = [], [], [], {}
    for name in options.scenarios:
        reports = {}
        for control in options.controls:
            report, command, complaint = measure(options, name, control)
            commands.append(command)
            if complaint:
                faults.append(complaint)
            if report:
                reports[control] = report
                faults += faults_of(name, control, report)
                versions |= {"sumo": report["sumo_version"], "greenkerb": report["greenkerb_version"]}
        rows.append(figures_of(name, reports, GOALS.get((options.mode, options.sensing), {}).get(name)))
    changes = said_by("git", "status", "--porcelain", "--untracked-files=no")
    manifest = {
        "started": started, "finished": now(), "versions": versions,
        "commit": said_by("git", "rev-parse", "HEAD"),
        "uncommitted_changes": None if changes is None else bool(changes),
        "binary_sha256": sha256(options.binary),
        "seeds": options.seeds, "commands": commands,
        "scenarios": {shown(path): sha256(path) for name in options.scenarios
                      for path in scenario_files(options, name)},
        "machine": {"system": platform.system(), "architecture": platform.machine(), "processors": os.cpu_count(),
                    "python": platform.python_version()},
        "faults": faults,
    }
    named = f"Greenkerb {versions.get('greenkerb', '(unknown)')}, {versions.get('sumo', 'SUMO (unknown)')}"
    text = table(rows, options, named)
    for file, value in (("figures.json", {"seeds": options.seeds, "rows": rows}), ("manifest.json", manifest)):
        (options.out / file).write_text(json.dumps(value, indent=2) + "\n")
    (options.out / "figures.md").write_text(text)
    print(text)
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted: the table was not written")
