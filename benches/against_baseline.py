#!/usr/bin/env python3
"""Compare the speed of formread with that of an earlier build, on the same pages, in turn, in one run.

    make baseline                              keeps the present build in target/baseline
    benches/against_baseline.py [SCANS]        default: fixtures/scans

For each build it prints the median of five runs: pages decoded a second, pages read a second, their ratio, and the time
of each stage, with the ratio of both builds. Only ratios mean something: other processes slow both.
"""

import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILDS = {"before": ROOT / "target" / "baseline" / "formread", "now": ROOT / "target" / "release" / "formread"}
RUNS = 5
WORKERS = 2


def measure(build, scans):
    """Read the scans once. Return each figure by its name."""
    call = [build, "bench", scans, "--jobs", str(WORKERS), "--json"]
    read = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
    figures = {
        "pages/s decoded": read["decode_pages_per_s"],
        "pages/s read": read["read_pages_per_s"],
        "read / decoded": read["ratio"],
    }
    return figures | {f"{stage['stage']}, ms a page": stage["ms_per_page"] for stage in read["stages"]}


def main():
    scans = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "fixtures" / "scans")
    if not BUILDS["before"].exists():
        sys.exit(f"{BUILDS['before']} is missing: hint: make baseline, before a change")
    runs = {name: [] for name in BUILDS}
    for _ in range(RUNS):
        for name, build in BUILDS.items():
            runs[name].append(measure(build, scans))
    print(f"{'':24}{'before':>10}{'now':>10}{'ratio':>8}")
    for figure in runs["now"][0]:
        before, now = (statistics.median(run[figure] for run in runs[name]) for name in BUILDS)
        print(f"{figure:24}{before:10.3f}{now:10.3f}{now / before:8.2f}")


if __name__ == "__main__":
    main()
