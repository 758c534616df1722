#!/usr/bin/env python3
"""Runs the same scenario in SUMO and on the built-in street, and prints both side by side.

    cargo build --release
    scripts/sumo_parity.py                                      # RESCO's scenarios, seeds 1-5, into target/parity
    scripts/sumo_parity.py --scenarios cologne8 --seeds 1..2    # a part of it
    scripts/sumo_parity.py --files NET ROUTES --end 3600        # any other network with its demand
    scripts/sumo_parity.py --check                              # exits with 1 when a bar is missed

Compared are, seed by seed and controller by controller: mean trip duration (SUMO's `duration`, unfinished trips
included) and total delay; under the shipped plan the vehicles on every link (GEH statistic of hourly counts, means over
seeds, links that anybody used on either side); and the order of controllers by total delay. SUMO runs its own programs
for `shipped` and `actuated`; the rules run in the harness of the shared folder over libsumo or TraCI. The built-in
street switches actuation and rules with yellow alone (`greedyn7+3`), as the harness does.

The bars: duration within 5 % under the shipped plan, GEH below 5 on 90 % of links, the same order. Two controllers
count as in order when SUMO's difference between them is no larger than what seeds alone make (95 %, paired).

Written are `parity.json` and `parity.md`, and every run of SUMO's under `sumo/`, which is not made twice. Exits with 2
when there is nothing to compare. Python's standard library suffices for this file; SUMO 1.28 is found in `.venv`
(`pip install eclipse-sumo==1.28.0`), or where `SUMO_HOME` points.
"""
import argparse
import datetime
import hashlib
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import types
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
DATA = SHARED / "data" / "resco"
HARNESS = SHARED / "bench" / "sumo_anchors.py"
VENV = ROOT / ".venv"

# First and last second (RESCO's map_config).
SCENARIOS = {
    "cologne1": (25_200, 28_800),
    "cologne8": (25_200, 28_800),
    "ingolstadt1": (57_600, 61_200),
    "ingolstadt7": (57_600, 61_200),
    "grid4x4": (0, 3_600),
}
# What runs on the built-in street under the name that runs in SUMO.
CONTROLLERS = {
    "shipped": "shipped",
    "actuated": "actuated+3",
    "mpn10": "mpn10+3",
    "greedyn7": "greedyn7+3",
    "greedyn10": "greedyn10+3",
}
YELLOW_S = 3
DURATION_SHARE = 0.05
GEH_BELOW = 5.0
GEH_SHARE = 0.90

# Two-sided 95 % quantiles of Student's t distribution for 1 to 30 degrees of freedom.
T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
       2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else math.nan


def half_width(values):
    """Half the width of the 95 % interval of a mean; none for a single value."""
    values = list(values)
    n = len(values)
    if n < 2:
        return None
    middle = mean(values)
    deviation = math.sqrt(sum((v - middle) ** 2 for v in values) / (n - 1))
    return T95[min(n - 1, len(T95)) - 1] * deviation / math.sqrt(n)


def shown(path):
    """A path as seen from the project, so that results say nothing about the machine they were made on."""
    return os.path.relpath(path, ROOT)


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def said_by(*command):
    """What a command prints, or none when it cannot be run."""
    try:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


class Scenario:
    """A network with a demand, and the seconds between which it runs."""

    def __init__(self, name, net, routes, begin_s, end_s):
        self.name, self.net, self.routes, self.begin_s, self.end_s = name, net, routes, begin_s, end_s

    def configuration(self, folder):
        """A configuration that both sides read."""
        folder.mkdir(parents=True, exist_ok=True)
        root = ET.Element("configuration")
        files, time = ET.SubElement(root, "input"), ET.SubElement(root, "time")
        ET.SubElement(files, "net-file", value=str(self.net))
        ET.SubElement(files, "route-files", value=str(self.routes))
        ET.SubElement(time, "begin", value=str(self.begin_s))
        ET.SubElement(time, "end", value=str(self.end_s))
        path = folder / f"{self.name}.sumocfg"
        ET.ElementTree(root).write(path)
        return path

    def has_list(self, harness):
        """True where a program is a list of stages to choose from instead of a cycle."""
        def is_list(tl):
            greens = list(dict.fromkeys(state for _, state in tl["phases"] if harness.is_green(state)))
            return len(greens) > 4 and len(greens) >= 2 * len(harness.cover(greens))
        return any(is_list(tl) for tl in harness.read_tls(self.net).values())


# ---------------------------------------------------------------- SUMO's side

def sumo_home():
    """Folder of SUMO; none when it is nowhere."""
    found = [os.environ.get("SUMO_HOME"), *VENV.glob("lib/python*/site-packages/sumo")]
    return next((Path(f) for f in found if f and (Path(f) / "bin" / "sumo").is_file()), None)


def harness_module(path, home):
    """The harness, with libsumo where there is one, else with TraCI over a socket: the same rules on the same street."""
    os.environ["SUMO_HOME"] = str(home)
    # The harness asks the wheel where SUMO is; here that is known already, wherever it came from.
    sys.modules["sumo"] = types.ModuleType("sumo")
    sys.modules["sumo"].SUMO_HOME = str(home)
    sys.path[:0] = [str(home.parent), str(home / "tools")]
    if importlib.util.find_spec("libsumo") is None:
        import traci
        sys.modules["libsumo"] = traci
    spec = importlib.util.spec_from_file_location("harness", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sumo_run(home, harness, scenario, controller, seed):
    """One run in SUMO: total delay, mean duration and vehicles by link."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        trips, statistics, edges, wanted, plan = (folder / f"{n}.xml" for n in ("trip", "stat", "edge", "want", "plan"))
        wanted.write_text(f'<additional><edgeData id="all" file="{edges}"/></additional>')
        additional = [str(wanted)]
        if controller == "actuated":
            programs = harness.read_tls(scenario.net)
            if scenario.has_list(harness):
                programs = {i: dict(t, phases=harness.cover_plan(t["phases"], YELLOW_S), offset="0")
                            for i, t in programs.items()}
            harness.write_plan(plan, harness.with_yellow(programs, YELLOW_S), "actuated", "parity")
            additional.append(str(plan))
        options = harness.sumo_args(str(scenario.net), str(scenario.routes), additional, scenario.begin_s,
                                    scenario.end_s, seed, str(trips), str(statistics))
        if controller in ("shipped", "actuated"):
            subprocess.run([home / "bin" / "sumo", *options], check=True, stdout=subprocess.DEVNULL)
        else:
            import libsumo as street
            street.start([str(home / "bin" / "sumo"), *options])
            rule = harness.MaxPressure(street, str(scenario.net), **harness.MP[controller])
            for _ in range(scenario.end_s - scenario.begin_s):
                rule.step()
                street.simulationStep()
            street.close()
        found = harness.score(str(trips), str(statistics))
        counts = {e.get("id"): int(float(e.get("entered"))) + int(float(e.get("departed")))
                  for e in ET.parse(edges).getroot().iter("edge")}
    return {
        "seed": seed, "loaded": found["n"], "inserted": found["inserted"], "arrived": found["arrived"],
        "duration_s": found["duration"], "total_delay_s": found["total_delay"],
        "depart_delay_s": found["depart_delay"], "collisions": found["collisions"],
        "links": {name: n for name, n in counts.items() if n},
    }


def sumo_runs(options, home, harness, scenario, controller):
    """Runs of all seeds; what was run before with the same files and program is kept."""
    version = said_by(home / "bin" / "sumo", "--version").splitlines()[0]
    key = hashlib.sha256("\n".join([version, sha256(options.harness), sha256(scenario.net), sha256(scenario.routes),
                                    str(scenario.begin_s), str(scenario.end_s)]).encode()).hexdigest()
    path = options.out / "sumo" / f"{scenario.name}.{controller}.json"
    kept = json.loads(path.read_text()) if path.is_file() else {}
    runs = kept.get("runs", {}) if kept.get("key") == key else {}
    for seed in options.seeds:
        if str(seed) not in runs:
            print(f"SUMO: {scenario.name}, {controller}, seed {seed} ...", file=sys.stderr, flush=True)
            runs[str(seed)] = sumo_run(home, harness, scenario, controller, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"key": key, "version": version, "runs": runs}, indent=1) + "\n")
    return [runs[str(seed)] for seed in options.seeds]


# ---------------------------------------------------------------- our side

def our_runs(options, scenario):
    """Runs of all controllers and seeds by the name they have in SUMO."""
    folder = options.out / "ours" / scenario.name
    names = [CONTROLLERS[c] for c in options.controllers]
    command = [options.binary, "simulate", scenario.configuration(options.out / "configurations"),
               "--controller", ",".join(names), "--seeds", ",".join(map(str, options.seeds)), "--out", folder]
    print(f"built-in: {scenario.name} ...", file=sys.stderr, flush=True)
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    runs = {}
    for line in (folder / "runs.jsonl").read_text().splitlines():
        run = json.loads(line)
        measures = run["measures"]
        runs[run["controller"], run["seed"]] = {
            "seed": run["seed"], "loaded": measures["throughput"]["loaded"],
            "inserted": measures["throughput"]["inserted"], "arrived": measures["throughput"]["arrived"],
            "duration_s": measures["travel_time"]["trip_s"], "links": measures["link_counts_veh"],
            "total_delay_s": measures["delay"]["total_delay_s_per_veh"],
            "depart_delay_s": measures["delay"]["depart_delay_s_per_veh"], "event_hash": run["event_hash"],
        }
    return {c: [runs[CONTROLLERS[c], s] for s in options.seeds] for c in options.controllers}


# ---------------------------------------------------------------- side by side

def geh(ours, theirs, hours):
    """GEH statistic of two counts, made hourly."""
    a, b = ours / hours, theirs / hours
    return math.sqrt(2.0 * (a - b) ** 2 / (a + b)) if a + b else 0.0


def geh_of(ours, theirs, hours):
    """Share of links below the bar, and those above it."""
    links = sorted(set().union(*(r["links"] for r in ours), *(r["links"] for r in theirs)))
    count = {name: [mean(r["links"].get(name, 0) for r in side) for side in (ours, theirs)] for name in links}
    value = {name: geh(*count[name], hours) for name in links}
    above = {name: {"ours_veh": count[name][0], "sumo_veh": count[name][1], "geh": value[name]}
             for name in links if value[name] >= GEH_BELOW}
    return {"links": len(links), "share_below_5": 1.0 - len(above) / max(len(links), 1), "above": above}


def order(runs):
    """Controllers by mean total delay, the best first."""
    return sorted(runs, key=lambda c: mean(r["total_delay_s"] for r in runs[c]))


def reversed_pairs(ours, theirs):
    """Pairs that the built-in street ranks the other way round, though SUMO tells them apart."""
    wrong = []
    names = list(ours)
    for i, a in enumerate(names):
        for b in names[i + 1:]:
            paired = [x["total_delay_s"] - y["total_delay_s"] for x, y in zip(theirs[a], theirs[b])]
            width, difference = half_width(paired), mean(paired)
            told_apart = width is None or abs(difference) > width
            mine = mean(r["total_delay_s"] for r in ours[a]) - mean(r["total_delay_s"] for r in ours[b])
            if told_apart and mine * difference < 0.0:
                wrong.append({"pair": [a, b], "sumo_s": difference, "sumo_half_width_s": width, "ours_s": mine})
    return wrong


def compare(scenario, ours, theirs):
    """Everything about one scenario, and the bars it misses."""
    hours = (scenario.end_s - scenario.begin_s) / 3600.0
    rows = {}
    for c in ours:
        side = {}
        for name, runs in (("ours", ours[c]), ("sumo", theirs[c])):
            side[name] = {k: mean(r[k] for r in runs) for k in
                          ("duration_s", "total_delay_s", "depart_delay_s", "loaded", "inserted", "arrived")}
            side[name]["half_width_95_s"] = half_width(r["total_delay_s"] for r in runs)
        side["duration_share"] = side["ours"]["duration_s"] / side["sumo"]["duration_s"] - 1.0
        side["geh"] = geh_of(ours[c], theirs[c], hours)
        rows[c] = side
    found = {"scenario": scenario.name, "controllers": rows, "missed": []}
    if "shipped" in rows:
        shipped = rows["shipped"]
        if abs(shipped["duration_share"]) > DURATION_SHARE:
            found["missed"].append(f"mean trip duration differs by {100 * shipped['duration_share']:+.1f} %")
        if shipped["geh"]["share_below_5"] < GEH_SHARE:
            found["missed"].append(f"GEH below 5 on {100 * shipped['geh']['share_below_5']:.0f} % of links only")
    if len(rows) > 1:
        found["order"] = {"ours": order(ours), "sumo": order(theirs)}
        found["same_order"] = found["order"]["ours"] == found["order"]["sumo"]
        found["reversed"] = reversed_pairs(ours, theirs)
        found["missed"] += [f"{' and '.join(r['pair'])} are in the other order ({r['ours_s']:+.1f} s, SUMO "
                            f"{r['sumo_s']:+.1f} s)" for r in found["reversed"]]
    return found


def tables(found, seeds, versions):
    """Everything as Markdown."""
    lines = [f"Built-in street against {versions['sumo']}, seeds {', '.join(map(str, seeds))}; "
             f"{versions['greenkerb']}.", "",
             "| scenario | controller | duration, s | SUMO's | difference | total delay, s/veh | SUMO's "
             "| links with GEH < 5 |", "| --- | --- | --- | --- | --- | --- | --- | --- |"]

    def delay(side):
        width = side["half_width_95_s"]
        return f"{side['total_delay_s']:.1f}" + (f" ± {width:.1f}" if width is not None else "")

    for one in found:
        for name, row in one["controllers"].items():
            ours, theirs, links = row["ours"], row["sumo"], row["geh"]
            lines.append(f"| {one['scenario']} | {name} | {ours['duration_s']:.1f} | {theirs['duration_s']:.1f} "
                         f"| {100 * row['duration_share']:+.1f} % | {delay(ours)} | {delay(theirs)} "
                         f"| {100 * links['share_below_5']:.0f} % of {links['links']} |")
    lines += ["", "| scenario | order here | SUMO's order | reversed though SUMO tells them apart |",
              "| --- | --- | --- | --- |"]
    for one in found:
        if "order" in one:
            wrong = ", ".join(" and ".join(r["pair"]) for r in one["reversed"]) or "none"
            lines.append(f"| {one['scenario']} | {' < '.join(one['order']['ours'])} "
                         f"| {' < '.join(one['order']['sumo'])} | {wrong} |")
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- command line

def seeds(text):
    """`1..5` or `1,2,7`."""
    if ".." in text:
        first, last = map(int, text.split("..", 1))
        return list(range(first, last + 1))
    return [int(part) for part in text.split(",")]


def chosen(parser, text, known):
    parts = [p.strip() for p in text.split(",") if p.strip()]
    unknown = [p for p in parts if p not in known]
    if unknown or not parts:
        parser.error(f"{', '.join(unknown) or 'nothing'} is none of {', '.join(known)}")
    return list(dict.fromkeys(parts))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="names, separated by commas (default: all)")
    parser.add_argument("--files", nargs=2, type=Path, metavar=("NET", "ROUTES"), help="this instead of named scenarios")
    parser.add_argument("--begin", type=int, default=0, help="first second of --files")
    parser.add_argument("--end", type=int, default=3_600, help="last second of --files")
    parser.add_argument("--controllers", default=",".join(CONTROLLERS), help="separated by commas (default: all)")
    parser.add_argument("--seeds", type=seeds, default=seeds("1..5"), help="1..5 (default) or 1,2,7")
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "greenkerb")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the scenarios")
    parser.add_argument("--harness", type=Path, default=HARNESS, help="the reference harness")
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "parity", help="folder to write to")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bar is missed")
    options = parser.parse_args()
    options.controllers = chosen(parser, options.controllers, CONTROLLERS)
    for field in ("binary", "data", "harness", "out"):
        setattr(options, field, getattr(options, field).resolve())
    if options.files:
        net, routes = (f.resolve() for f in options.files)
        name = net.name.removesuffix(".xml").removesuffix(".net")
        options.scenarios = [Scenario(name, net, routes, options.begin, options.end)]
    else:
        options.scenarios = [Scenario(n, options.data / n / f"{n}.net.xml", options.data / n / f"{n}.rou.xml",
                                      *SCENARIOS[n]) for n in chosen(parser, options.scenarios, SCENARIOS)]
    return options


def nothing_to_compare(options, home):
    """Why there is nothing to compare, or none."""
    if home is None:
        return "nothing compared: no SUMO found; `pip install eclipse-sumo==1.28.0` into .venv, or set SUMO_HOME"
    if not options.harness.is_file():
        return f"nothing compared: there is no {shown(options.harness)}, the harness that runs SUMO's side"
    missing = [p for s in options.scenarios for p in (s.net, s.routes) if not p.is_file()]
    if missing:
        return (f"nothing compared: there is no {', '.join(map(shown, missing))}. The scenarios are not part of this "
                "project; most of them come with `pip install sumo-rl` (nets/RESCO): --data FOLDER")
    if not os.access(options.binary, os.X_OK):
        return f"nothing compared: there is no program {shown(options.binary)}; build it with `cargo build --release`"
    return None


def main():
    options, home = arguments(), sumo_home()
    if reason := nothing_to_compare(options, home):
        print(reason, file=sys.stderr)
        return 2
    harness = harness_module(options.harness, home)
    started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    found = []
    for scenario in options.scenarios:
        theirs = {c: sumo_runs(options, home, harness, scenario, c) for c in options.controllers}
        found.append(compare(scenario, our_runs(options, scenario), theirs))
    versions = {"sumo": said_by(home / "bin" / "sumo", "--version").splitlines()[0],
                "greenkerb": said_by(options.binary, "--version")}
    text = tables(found, options.seeds, versions)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "parity.json").write_text(json.dumps({
        "started": started, "versions": versions, "seeds": options.seeds,
        "commit": said_by("git", "rev-parse", "HEAD"), "binary_sha256": sha256(options.binary),
        "files": {p.name: sha256(p) for s in options.scenarios for p in (s.net, s.routes)},
        "python": platform.python_version(), "scenarios": found}, indent=2) + "\n")
    (options.out / "parity.md").write_text(text)
    print(text)
    missed = [f"{one['scenario']}: {m}" for one in found for m in one["missed"]]
    for m in missed:
        print(f"missed: {m}", file=sys.stderr)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
