"""`run.py conformance` prints the report; `run.py conformance import FOLDER FACTS EXCERPTS` takes in recordings."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from conformance.described import DESCRIBED, describe
from conformance.judge import DEVIATING, report, verdicts
from conformance.recordings import collect
from conformance.samples import RULES, SAMPLES, load, rules, write
from conformance.scenario import work


def main(words: list[str]) -> int:
    """Run what the words ask for; 1 when something deviates without a reason."""
    if words[:1] == ["import"]:
        lines = collect(Path(words[1]), Path(words[2]), *map(Path, words[3:]))
        SAMPLES.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines), encoding="utf-8")
        RULES.write_text(write(rules(load())), encoding="utf-8")
        DESCRIBED.write_text(describe(Path(words[2]) / "rest/field.csv"), encoding="utf-8")
        return 0
    if words[:1] == ["rules"]:
        RULES.write_text(write(rules(load())), encoding="utf-8")
        return 0
    given = _parser().parse_args(words)
    deviating = 0
    for server in (given.server,) if given.server else ("mock", "real"):
        found = list(verdicts(work(server, {each.lower() for each in given.tr} or None, day=not given.tr), server))
        if given.tr:
            found = [each for each in found if each.field.kind == "tr" and each.field.name in given.tr]
        print(report(found, server, short=given.short), flush=True)
        deviating += sum(each.outcome == DEVIATING for each in found)
    return 1 if deviating else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py conformance",
        description="Compares each field that the simulation tells with how the real OpenAPI+ was seen to write it.",
        epilog="import FOLDER FACTS EXCERPTS takes in recordings, rules derives the rules anew from what was taken in.",
    )
    parser.add_argument("tr", nargs="*", help="only these TRs")
    parser.add_argument("--server", choices=("mock", "real"), help="one server; both unless given")
    parser.add_argument("--short", action="store_true", help="print only what deviates, and the sums")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
