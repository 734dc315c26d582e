"""Measure peers and us side by side, and write down what was found.

python -m benchmarks --lockwright .venv/bin/lockwright [--quick] [--only SET] [--peers uv] [--measure warm,cold]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from . import plot, report
from .figures import Findings
from .plan import MEASUREMENTS, Plan, measure
from .service import beside

ROOT = Path(__file__).resolve().parents[1]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    own = beside("lockwright") or ROOT / ".venv" / "bin" / "lockwright"
    parser.add_argument(
        "--snapshot", type=Path, default=ROOT.parent / "shared" / "snapshot", help="recorded index data"
    )
    parser.add_argument("--lockwright", type=Path, default=own, help="our command")
    parser.add_argument("--only", action="append", default=[], metavar="SET", help="sets that begin so; repeatable")
    parser.add_argument(
        "--peers", default="all", help="names with commas; uv is always measured [default: all there are]"
    )
    parser.add_argument("--measure", default=",".join(MEASUREMENTS), help="with commas [default: %(default)s]")
    parser.add_argument("--quick", action="store_true", help="small sets and sizes, few runs")
    parser.add_argument("--runs", type=int, help="pairs of runs of each [default: 9; 3 with --quick]")
    parser.add_argument(
        "--seed", type=int, default=os.getpid(), help="of the questions never seen [default: another each time]"
    )
    parser.add_argument(
        "--results", type=Path, default=ROOT / ".bench" / "results.json", help="what was found, as JSON"
    )
    parser.add_argument("--document", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--strict", action="store_true", help="fail where something could not be measured")
    parser.add_argument("--no-document", action="store_true", help="print only")
    parser.add_argument("--render", action="store_true", help="measure nothing: write the document from --results")
    return parser.parse_args()


def main() -> int:
    """Measure, print, write; 1 where an answer was wrong, or could not be had and ``--strict`` asks for it."""
    given = arguments()
    if given.render:
        findings = Findings.from_document(json.loads(given.results.read_text()))
    else:
        wanted = given.measure.split(",")
        unknown = sorted(set(wanted) - set(MEASUREMENTS))
        if unknown:
            raise SystemExit(f"no such measurement: {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
        plan = Plan(
            snapshot=given.snapshot,
            lockwright=given.lockwright.absolute(),
            only=tuple(given.only),
            peers=None if given.peers == "all" else tuple(given.peers.split(",")),
            runs=given.runs or (3 if given.quick else 9),
            seed=given.seed,
            is_quick=given.quick,
        )
        findings = measure(plan, wanted, lambda line: print(line, file=sys.stderr, flush=True))
        given.results.parent.mkdir(parents=True, exist_ok=True)
        given.results.write_text(json.dumps(findings.to_document(), indent=1) + "\n")
    print(report.text(findings))
    if not given.no_document and not given.quick:
        report.write(findings, given.document)
        try:
            plot.write(findings, given.document.with_suffix(""))
        except ImportError:
            print("no plots: matplotlib is not installed beside this Python (make bench)", file=sys.stderr)
    has_failed = any(row.is_wrong for row in findings.rows) or (given.strict and bool(findings.skipped))
    return 1 if has_failed else 0


if __name__ == "__main__":
    sys.exit(main())
