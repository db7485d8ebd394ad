"""How fast the gateway is, beside a bare gRPC server that does nothing else.

    python3 run.py bench                      everything, in about 20 minutes
    python3 run.py bench --quick              everything once, small, in under a minute: whether it works, not how fast
    python3 run.py bench call order           these cases
    python3 run.py bench market               no gateway: ticks of the embedded exchange at a busy opening
    python3 run.py bench ocx                  no gateway: the way to OpenAPI+, under Wine
    python3 run.py bench --json FILE          and write the figures down
    python3 run.py bench --plot FILE          no measurement: draw those of FILE for docs/performance.md

Every measurement has server processes of its own. The servers take turns, round by round, and what counts is the median
of the rounds, so that what else the machine does meets all of them alike. Linux only: it looks into /proc.
"""

from __future__ import annotations

import argparse
import compileall
import gc
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import market, ocx, plots, targets
from benchmarks.cases import CASES, Wish
from benchmarks.processes import ROOT, SUBJECTS
from benchmarks.requests import record

LONG = {"listen", "realcall", "rate", "control", "codes", "growth"}
"""Cases that are made of many measurements: half of the rounds."""

Rounds = dict[str, dict[str, list[dict[str, float]]]]
"""Of each case, each server, each round."""


def main() -> int:
    """Measure, or draw."""
    if sys.argv[1:2] == ["market"]:
        return market.main(sys.argv[2:])
    if sys.argv[1:2] == ["ocx"]:
        return ocx.main()
    options = _options()
    if options.plot:
        plots.draw(json.loads(options.plot.read_text(encoding="utf-8")), ROOT / "docs" / "performance")
        return 0
    if not Path("/proc/self/stat").exists():
        print("bench: this system has no /proc; run it on Linux", file=sys.stderr)
        return 1
    gc.disable()  # pauses of the client's are not the server's
    for package in ("src", "benchmarks"):  # as an installation has it: no module is compiled while a server starts
        compileall.compile_dir(ROOT / package, quiet=2)
    chosen = [each for each in SUBJECTS if each.name in options.subjects]
    rounds: Rounds = {}
    before = os.getloadavg()[0]
    began = time.monotonic()
    (ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shapes = Path(folder) / "shapes.json"
        record(shapes)
        wish = Wish(options.seconds or (0.25 if options.quick else 1.5), options.quick, shapes)
        for case in options.cases or CASES:
            rounds[case] = {each.name: [] for each in chosen}
            times = options.rounds or (1 if options.quick else 3)
            for number in range(-(-times // 2) if case in LONG else times):
                for subject in chosen:
                    if sys.stderr.isatty():
                        print(f"\r{case}: round {number + 1}, {subject.name:<20}", end="", file=sys.stderr, flush=True)
                    rounds[case][subject.name].append(CASES[case](subject, wish))
                    gc.collect()
            if options.json:  # as it goes: a run is long, and may be interrupted
                about = {"machine": _machine(), "seconds": round(time.monotonic() - began)}
                about["load"] = [before, os.getloadavg()[0]]
                stored = {"about": about, "medians": _medians(rounds), "rounds": rounds}
                options.json.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    medians = _medians(rounds)
    for subject in chosen:
        if subject.is_gateway:
            print(f"{subject.name}:\n\n{targets.table(targets.results(medians, subject.name))}\n")
    took = time.monotonic() - began
    print(f"{took:.0f} s; load of the machine before {before:.1f}, after {os.getloadavg()[0]:.1f}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    listed = "\n".join(f"  {name:<15}{(case.__doc__ or '').strip()}" for name, case in CASES.items())
    parser.epilog = f"cases:\n{listed}"
    parser.add_argument("cases", nargs="*", metavar="CASE", help="all unless named")
    parser.add_argument("--quick", action="store_true", help="small, short and once")
    parser.add_argument("--rounds", type=int, help="how often each server is measured; 3, or 1 when quick")
    parser.add_argument("--seconds", type=float, help="how long one measurement takes; 1.5, or 0.25 when quick")
    names = ", ".join(each.name for each in SUBJECTS)
    parser.add_argument("--subjects", help=f"of {names}; by default all, when quick not bare")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures are written")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw figures that were written")
    options = parser.parse_args()
    subjects = options.subjects or ("koapy,bare-uvloop" if options.quick else ",".join(each.name for each in SUBJECTS))
    options.subjects = subjects.split(",")
    for case in options.cases:
        if case not in CASES:
            parser.error(f"no case {case!r}; there are {', '.join(CASES)}")
    return options


def _medians(rounds: Rounds) -> dict[str, dict[str, dict[str, float]]]:
    return {
        case: {
            name: {figure: statistics.median(each[figure] for each in row) for figure in row[0]}
            for name, row in servers.items()
        }
        for case, servers in rounds.items()
    }


def _machine() -> dict[str, object]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "grpcio": version("grpcio"),
        "protobuf": version("protobuf"),
        "uvloop": version("uvloop"),
        "date": datetime.now(UTC).date().isoformat(),
    }


if __name__ == "__main__":
    sys.exit(main())
