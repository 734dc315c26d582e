"""What is aimed at, as ratios in one run: at most ``least`` everywhere, ``goal`` where it can be had."""

from __future__ import annotations

from dataclasses import dataclass

from .figures import Row


@dataclass(frozen=True, slots=True)
class Target:
    """A limit on what a measurement finds."""

    measurement: str
    title: str
    """Of the measurement, for a heading."""
    method: str
    """What exactly is measured, in a sentence or two."""
    least: float | None = None
    """The ratio to the peer that must not be exceeded."""
    goal: float | None = None
    beyond: float | None = None
    """Seconds that ours may take longer than the peer."""
    seconds: float | None = None
    """The absolute time that must not be exceeded."""
    counts: tuple[tuple[str, float | str], ...] = ()
    """Counts that must not exceed a number, or another count of the row."""
    peer: str = "uv"


_OFFLINE = "uv runs offline with a full cache."
_REQUESTS: tuple[tuple[str, float | str], ...] = (("ours", "uv"), ("ours", "paths"))
TARGETS = (
    Target(
        "warm",
        "Warm: a question that nobody asked before",
        "The facts are in the worker's memory; every question is another one (some requirements left out, or packages "
        "bounded below or at the version that they had), so that no stored answer helps. From the first byte of the "
        f"POST to the last of the JSON answer, on a kept-alive connection. {_OFFLINE}",
        least=0.25,
        goal=0.1,
        counts=(("requests", 0),),
    ),
    Target("again", "The same question again", f"As above, but asked before. {_OFFLINE}", seconds=0.001),
    Target(
        "known",
        "A stored lock that the client has",
        f"`GET /v1/locks/{{id}}` with `If-None-Match`, answered by 304. {_OFFLINE}",
        seconds=0.001,
    ),
    Target(
        "restarted",
        "Warm after a restart",
        "A new process for each question, its start not counted; the facts are on disk only, and the question is one "
        f"that nobody asked before. {_OFFLINE}",
        least=2.0,
        counts=(("requests", 0),),
    ),
    Target(
        "cold-0ms",
        "Cold, no latency",
        "A new service with an empty cache, its start not counted; uv without a cache. Requests are counted: ours (and "
        "how many paths they asked for, and how many the recording does not have), uv's, and the least, which is what "
        "the bare client below asks for.",
        least=2.0,
        goal=1.0,
        counts=_REQUESTS,
    ),
    Target(
        "cold-20ms",
        "Cold, 20 ms latency",
        "As above, with 20 ms before each answer of the index.",
        least=1.0,
        counts=_REQUESTS,
    ),
    Target(
        "cold-0ms",
        "Cold, beside a bare client",
        "The client fetches exactly the pages of the solution's projects and one metadata file of each version, all at "
        "once, and does nothing with them.",
        least=2.0,
        peer="bare",
    ),
    Target(
        "cold-20ms",
        "Cold with 20 ms latency, beside a bare client",
        "As above, with 20 ms before each answer.",
        least=2.0,
        peer="bare",
    ),
    Target(
        "stale",
        "Stale pages, closure remembered",
        "Pages have no lifetime, so each is asked for again; the index takes 100 ms. The process knows earlier "
        "closures; uv has a full cache. *Rounds* are requests that came strictly one after the other.",
        counts=(("rounds", 3), ("ours", "uv")),
    ),
    Target(
        "stale-restarted",
        "Stale pages after a restart",
        "As above, in a new process on the same cache directory.",
        counts=(("rounds", 3), ("ours", "uv")),
    ),
    Target(
        "command",
        "The command line",
        f"`lockwright lock` with a full cache, from starting the process to its end. {_OFFLINE}",
        beyond=0.15,
    ),
    Target(
        "universal-warm",
        "Universal, warm",
        "A lock for every environment, asked as the warm ones. uv compiles `--universal --offline` with a full cache.",
        least=0.25,
        goal=0.1,
        counts=(("requests", 0),),
    ),
    Target("universal-cold-0ms", "Universal, cold, no latency", "As cold, for every environment.", least=2.0, goal=1.0),
    Target("universal-cold-20ms", "Universal, cold, 20 ms latency", "As cold, for every environment.", least=1.0),
)


def shortfalls(target: Target, row: Row) -> list[str]:
    """Where ``row`` misses ``target``; empty where it holds."""
    missed = [f"answers: {row.answer}"] if row.is_wrong else []
    if target.least is not None and row.ratio is not None and row.ratio.median > target.least:
        missed.append(f"{row.ratio.median:.2f} of {row.peer}, at most {target.least:g}")
    if target.beyond is not None and row.ours is not None and row.theirs is not None:
        longer = row.ours.median - row.theirs.median
        if longer > target.beyond:
            missed.append(f"{longer * 1000:.0f} ms longer, at most {target.beyond * 1000:g}")
    if target.seconds is not None and row.ours is not None and row.ours.median > target.seconds:
        missed.append(f"{row.ours.median * 1000:.2f} ms, at most {target.seconds * 1000:g}")
    for name, limit in target.counts:
        most = row.counts.get(limit) if isinstance(limit, str) else limit
        found = row.counts.get(name)
        if found is not None and most is not None and found > most:
            missed.append(f"{name}: {found:g}, at most {most:g}")
    return missed
