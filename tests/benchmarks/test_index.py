from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.index import Fetch, parse, rounds

LOG = (
    "1763000000.123\tGET\t200\t5321\t/simple/six/\t-\t1\tgzip\n"
    '1763000000.456\tGET\t304\t0\t/simple/attrs/\t"abc"\t1\t-\n'
    "1763000000.789\tGET\t404\t0\t/files/ab/six-1-py3-none-any.whl.metadata\t-\t2\t-\n"
    "1763000000.9"  # a line that is being written
)


def fetches(*times: float) -> list[Fetch]:
    return [Fetch(at, 200, "/simple/six/") for at in times]


def test_every_whole_line_of_the_log_is_a_fetch() -> None:
    assert parse(LOG) == [
        Fetch(1763000000.123, 200, "/simple/six/"),
        Fetch(1763000000.456, 304, "/simple/attrs/"),
        Fetch(1763000000.789, 404, "/files/ab/six-1-py3-none-any.whl.metadata"),
    ]


def test_fetches_at_the_same_time_are_one_round() -> None:
    assert rounds(fetches(10.0, 10.01, 10.05, 10.09), 0.1) == 1


def test_fetches_that_wait_for_each_other_are_rounds() -> None:
    assert rounds(fetches(10.1, 10.11, 10.22, 10.23, 10.34), 0.1) == 3


def test_without_fetches_there_is_no_round() -> None:
    assert rounds([], 0.1) == 0


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=9))
def test_rounds_are_the_longest_chain_of_fetches_that_do_not_overlap(starts: list[int]) -> None:
    latency = 100  # milliseconds; the slow oracle tries every chain
    chain: dict[int, int] = {}
    for start in sorted(starts):
        before = [length for other, length in chain.items() if other + latency <= start + 2]
        chain[start] = max(before, default=0) + 1
    ends = [(start + latency) / 1000 for start in starts]
    # Times that are a tick away from touching are the log's to round: either answer would do.
    close = any(latency < other - start + 4 < latency + 8 for start in starts for other in starts)
    assert close or rounds(fetches(*ends), latency / 1000) == max(chain.values())
