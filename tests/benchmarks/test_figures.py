from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Figure, Findings, Point, Row, Spread, ratios, slope

times = st.floats(0.0001, 1000)


def test_a_ratio_is_of_each_pair_and_not_of_the_medians() -> None:
    found = ratios([1.0, 10.0, 3.0], [2.0, 10.0, 1.0])
    assert found == Spread(median=1.0, low=0.5, high=3.0, runs=3)


def test_ratios_need_as_many_of_one_as_of_the_other() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@given(st.lists(times, min_size=1), st.floats(0.1, 10))
def test_whoever_always_takes_so_many_times_as_long_has_that_ratio(theirs: list[float], factor: float) -> None:
    found = ratios([one * factor for one in theirs], theirs)
    assert found.median == pytest.approx(factor)
    assert found.low == pytest.approx(found.high)


@given(st.floats(-2, 3), times)
def test_the_slope_of_a_power_law_is_its_exponent(exponent: float, scale: float) -> None:
    points = [(size, scale * size**exponent) for size in (10.0, 100.0, 1000.0)]
    assert slope(points) == pytest.approx(exponent, abs=1e-6)


def test_one_size_has_no_slope() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        slope([(10, 1.0), (10, 2.0)])


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("load", "rate", 200, "", 200, more_is_better=True), True),
        (Figure("load", "rate", 199, "", 200, more_is_better=True), False),
        (Figure("load", "hold", 10, "ms", 10), True),
        (Figure("load", "hold", 11, "ms", 10), False),
        (Figure("load", "median", 11, "ms"), None),
    ],
)
def test_a_figure_knows_whether_its_limit_holds(figure: Figure, met: object) -> None:
    assert figure.is_met is met


def test_findings_are_the_same_after_a_way_through_json() -> None:
    spread = Spread(1.0, 0.5, 2.0, 3)
    findings = Findings(
        {"uv": "1.0"},
        [Row("warm", "jupyter", "uv", spread, None, None, "equal", {"ours": 3}, {"solve": 0.5})],
        [Figure("load", "rate", 1.0, "", 2.0, more_is_better=True)],
        [Point("packages", "uv, cold", 10, 0.5)],
        ["pdm boto3: took too long"],
    )
    assert Findings.from_document(json.loads(json.dumps(findings.to_document()))) == findings
