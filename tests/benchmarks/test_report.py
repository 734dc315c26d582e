from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report, table
from benchmarks.figures import Figure, Findings, Point, Row, Spread
from benchmarks.targets import Target, shortfalls

TARGET = Target("warm", "Warm", "How.", least=0.25, goal=0.1)


def spread(median: float) -> Spread:
    return Spread(median, median / 2, median * 2, 3)


def row(measurement: str, ratio: float, **counts: float) -> Row:
    return Row(measurement, "jupyter", "uv", spread(ratio / 10), spread(0.1), spread(ratio), "equal", counts)


@pytest.mark.parametrize(("ratio", "verdict"), [(0.05, "goal"), (0.2, "met"), (0.3, "**0.30 of uv, at most 0.25**")])
def test_a_row_says_how_far_it_gets(ratio: float, verdict: str) -> None:
    assert table.verdict(TARGET, row("warm", ratio)) == verdict


def test_a_wrong_answer_meets_no_target_however_fast_it_was() -> None:
    wrong = Row("warm", "jupyter", "uv", spread(0.001), spread(1), spread(0.001), "WRONG: a is absent")
    assert shortfalls(TARGET, wrong) == ["answers: WRONG: a is absent"]


def test_a_count_is_held_against_a_number_or_against_another_count() -> None:
    target = Target("stale", "Stale", "How.", counts=(("rounds", 3), ("ours", "least")))
    assert shortfalls(target, row("stale", 1, rounds=3, ours=97, least=97)) == []
    assert shortfalls(target, row("stale", 1, rounds=4, ours=98, least=97)) == [
        "rounds: 4, at most 3",
        "ours: 98, at most 97",
    ]


def test_a_command_may_take_so_much_longer_and_no_more() -> None:
    target = Target("command", "Command", "How.", beyond=0.15)
    assert shortfalls(target, row("command", 2.4)) == []
    assert shortfalls(target, row("command", 2.6)) == ["160 ms longer, at most 150"]


def test_a_table_has_a_line_for_each_row_and_a_column_for_each_count() -> None:
    lines = table.comparison(TARGET, [row("warm", 0.05, ours=3), row("warm", 0.3)]).splitlines()
    assert lines[0] == "| set | Lockwright, ms | uv, ms | ratio | ours | pins | target |"
    assert lines[2] == "| jupyter | 5.00 (2.50-10.0) | 100 (50.0-200) | 0.05 (0.03-0.10) | 3 | equal | goal |"
    assert lines[3].split(" | ")[4] == "-"


def test_the_summary_counts_the_sets_that_meet_the_target_and_names_the_others() -> None:
    text = report.text(Findings(rows=[row("warm", 0.3)]))
    assert "| 0.30-0.30 | 0 of 1 sets; not jupyter |" in text


def test_what_stands_around_the_marks_stays_when_the_document_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    report.write(Findings(rows=[row("warm", 0.3)]), path)
    path.write_text(f"By hand, before.\n{path.read_text()}By hand, after.\n")
    report.write(Findings(rows=[row("warm", 0.05)], skipped=["pdm boto3: took too long"]), path)
    text = path.read_text()
    assert text.startswith("By hand, before.\n# Performance\n")
    assert text.endswith("By hand, after.\n")
    assert "0.05-0.05" in text
    assert "0.30-0.30" not in text
    assert "- pdm boto3: took too long\n" in text


def test_every_kind_of_finding_has_its_part_of_the_document() -> None:
    findings = Findings(
        {"uv": "1.0"},
        [row("warm", 0.3), Row("peers-warm", "jupyter", "pip", spread(0.1), spread(2), spread(0.05), "2 differ")],
        [Figure("load", "locks a second", 150, "", 200, more_is_better=True)],
        [Point("versions", "uv, cold", size, size / 1000) for size in (10, 100)],
    )
    text = report.text(findings)
    assert "| jupyter | - / 2.00 (20x) |" in text
    assert "| locks a second | 150 | at least 200 | **missed** |" in text
    assert "| versions, uv, cold | 10.0 ms at 10 | 100.0 ms at 100 | 1.00 | 1.00 |" in text
