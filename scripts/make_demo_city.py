#!/usr/bin/env python3
"""Draws the demo city "harbour" and writes it as SUMO network sources.

    python3 scripts/make_demo_city.py OUT_DIR [--netconvert PROGRAM]

The city is nobody's: a grid of blocks, bent by a random generator of fixed seed, with two arterials (Quay Road from west
to east, Mast Street from south to north), some blocks missing, some junctions without signals, and dead ends at the
border where traffic comes and goes. With netconvert (SUMO 1.28) the sources become OUT_DIR/harbour.net.xml, which
`greenkerb import` turns into the native format. The same seed and the same netconvert give the same bytes.
"""

import argparse
import pathlib
import random
import subprocess

SEED = 20
COLUMNS, ROWS = 7, 6
BLOCK_M = (165.0, 145.0)
JITTER_M = 24.0
QUAY_ROW, MAST_COLUMN = 2, 3
BORDER_M = 230.0
POCKET_M = 55.0

# The harbour basin takes a corner of the grid, the park a block in its middle.
NO_NODE = {(0, 0), (1, 0), (6, 5)}
NO_STREET = {((4, 3), (5, 3)), ((5, 3), (5, 4)), ((1, 4), (2, 4)), ((2, 0), (2, 1)), ((5, 0), (5, 1))}
NO_SIGNAL = {(0, 4), (2, 5), (5, 4), (6, 1), (5, 0), (2, 0)}


def arterial(a, b):
    """True for a street along one of the two arterials."""
    return a[1] == b[1] == QUAY_ROW or a[0] == b[0] == MAST_COLUMN


def place(rng, column, row):
    """Where a junction lies: the grid, leaning with the shore, every junction off its place by some metres."""
    lean = 0.12 * row * BLOCK_M[0] / 2 - 0.05 * column * BLOCK_M[1]
    x = column * BLOCK_M[0] + lean + rng.uniform(-JITTER_M, JITTER_M)
    y = row * BLOCK_M[1] + 0.09 * column * BLOCK_M[1] + rng.uniform(-JITTER_M, JITTER_M)
    return round(x, 1), round(y, 1)


def city(seed):
    """Junctions {name: (x, y, type)} and streets [(from, to, is arterial)]."""
    rng = random.Random(seed)
    at = {(c, r): place(rng, c, r) for r in range(ROWS) for c in range(COLUMNS)}
    at = {k: v for k, v in at.items() if k not in NO_NODE}
    streets = []
    for c, r in at:
        for other in ((c + 1, r), (c, r + 1)):
            if other in at and ((c, r), other) not in NO_STREET:
                streets.append(((c, r), other))
    # Streets that leave the city: the arterials at both ends, and side streets here and there.
    border = []
    for c, r in at:
        for dc, dr in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            beyond = (c + dc, r + dr)
            if 0 <= beyond[0] < COLUMNS and 0 <= beyond[1] < ROWS:
                continue
            if arterial((c, r), beyond) or (c + r) % 2 == 0:
                x, y = at[(c, r)]
                end = (round(x + dc * BORDER_M, 1), round(y + dr * BORDER_M, 1))
                border.append(((c, r), beyond, end))
    ends = {beyond: end for _, beyond, end in border}
    streets += [(inner, beyond) for inner, beyond, _ in border]
    degree = {}
    for a, b in streets:
        for node in (a, b):
            degree[node] = degree.get(node, 0) + 1
    name = {k: f"{'ABCDEFG'[k[0]]}{k[1] + 1}" for k in at}
    name |= {k: f"end{i + 1:02}" for i, k in enumerate(ends)}
    nodes = {}
    for k, (x, y) in (at | ends).items():
        signal = k in at and k not in NO_SIGNAL and degree.get(k, 0) >= 3
        kind = "traffic_light" if signal else "dead_end" if k in ends else "priority"
        if degree.get(k, 0):
            nodes[name[k]] = (x, y, kind)
    return nodes, [(name[a], name[b], arterial(a, b)) for a, b in streets]


def write(folder, nodes, streets):
    """Writes harbour.nod.xml and harbour.edg.xml."""
    lines = ["<nodes>"]
    lines += [f'  <node id="{n}" x="{x}" y="{y}" type="{t}"/>' for n, (x, y, t) in nodes.items()]
    (folder / "harbour.nod.xml").write_text("\n".join(lines + ["</nodes>", ""]))
    lines = ["<edges>"]
    for a, b, wide in streets:
        for start, end in ((a, b), (b, a)):
            lanes, speed, priority = (2, 13.89, 4) if wide else (1, 11.11, 2)
            edge = f'id="{start}-{end}" from="{start}" to="{end}" numLanes="{lanes}" speed="{speed}" priority="{priority}"'
            if wide and nodes[end][2] == "traffic_light":
                pocket = " ".join(str(i) for i in range(lanes + 1))
                lines.append(f'  <edge {edge}><split pos="-{POCKET_M}" lanes="{pocket}"/></edge>')
            else:
                lines.append(f"  <edge {edge}/>")
    (folder / "harbour.edg.xml").write_text("\n".join(lines + ["</edges>", ""]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--netconvert", default="netconvert")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    nodes, streets = city(args.seed)
    write(args.out, nodes, streets)
    signals = sum(t == "traffic_light" for _, _, t in nodes.values())
    print(f"{len(nodes)} nodes, {signals} of them with signals, {len(streets)} streets")
    subprocess.run(
        [
            args.netconvert, "--node-files", "harbour.nod.xml", "--edge-files", "harbour.edg.xml",
            "--output-file", "harbour.net.xml", "--no-turnarounds", "true", "--tls.yellow.time", "3",
            "--tls.allred.time", "1", "--tls.cycle.time", "80", "--tls.left-green.time", "8",
        ],
        cwd=args.out,
        check=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
