"""A past changes no answer: whole services, random worlds that change, and requests that are alike.

``histories.py`` judges; ``python -m tests.properties.histories`` goes through hundreds more.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .histories import judge

SEQUENCES = 10  # of each kind, with 14 requests each: some seconds


@pytest.mark.parametrize("is_universal", [False, True], ids=["target", "universal"])
async def test_a_service_with_a_past_answers_as_one_without(tmp_path: Path, *, is_universal: bool) -> None:
    traits = Counter[str]()
    for seed in range(SEQUENCES):
        history = await judge(seed, tmp_path, is_universal=is_universal)
        assert history.faults == [], f"seed {seed}: python -m tests.properties.histories --seed {seed} --sequences 1"
        traits += history.traits
    assert traits["solved"] > 4 * SEQUENCES
    assert traits["stored"] >= SEQUENCES
    assert traits["begun anew"]
