"""From a finished lock to the bytes of an answer: JSON, MessagePack, pylock.toml or requirements.txt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgpack
import orjson

from resolver.environment.space import bounded
from resolver.errors import BudgetExhausted, Unsound
from resolver.lock.build import build, unfamiliar
from resolver.lock.check import check
from resolver.lock.document import to_json
from resolver.lock.errors import HashMissing, IndistinguishableTargets
from resolver.lock.pylock import to_pylock
from resolver.lock.requirements_txt import to_requirements
from resolver.model import Notice, Resolution, Stats

from .identity import lock_id
from .problems import Problem, invalid

FILES: Mapping[str, str] = {"pylock": "pylock.toml", "requirements": "requirements.txt"}
MAX_UNFAMILIAR = 50  # entries; writing one for the first time takes some 40 µs
MAX_QUICK = 400  # pins, of all places; to check and put together takes some 15 µs each
LARGE = 150  # pins; rendering so many takes long enough for others to have their turn before
MAX_STEPS = 1_000  # of the environment algebra, for the markers of all entries: some 5 ms
_UNKNOWN = "was not rendered"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A lock in all its forms; what is stored, and what answers are cut from. Equal locks render equally."""

    id: str
    body: bytes
    """The JSON object without ``served_from``, ``outputs`` and ``stats``."""
    texts: Mapping[str, str]
    """Form → text."""
    refusals: Mapping[str, str]
    """Form → why this lock cannot be written in it."""

    @property
    def size(self) -> int:
        """Roughly how many bytes it takes."""
        return len(self.body) + sum(map(len, self.texts.values()))

    @property
    def document(self) -> dict[str, Any]:
        """The same object, read."""
        document: dict[str, Any] = orjson.loads(self.body)
        return document

    def text(self, form: str) -> str:
        """Return the lock as ``form``.

        Raises:
            Problem: ``not-acceptable``, because the format demands what the lock does not have.
        """
        if form not in self.texts:
            raise Problem("not-acceptable", self.refusals.get(form, f"{form} {_UNKNOWN}"))
        return self.texts[form]


def render(resolution: Resolution, digest: str, notices: Sequence[Notice] = ()) -> Rendered:
    """Make every form of the lock at once: each costs a few milliseconds, and any may be asked for later.

    Raises:
        Problem: ``invalid-request``, where one lock cannot hold what the targets need.
        BudgetExhausted: where an entry is needed cannot be said in a marker of any decent length.
        Unsound: the lock does not hold what it should; it must not leave.
    """
    try:
        lock = build(resolution)
    except IndistinguishableTargets as error:
        raise invalid("/targets", str(error)) from None
    faults = check(lock, resolution)
    if faults:
        raise Unsound(faults)
    lock = replace(lock, warnings=(*lock.warnings, *notices))
    texts, refusals = dict[str, str](), dict[str, str]()
    for form, write in (("pylock", to_pylock), ("requirements", to_requirements)):
        try:
            texts[form] = write(lock)
        except HashMissing as error:
            refusals[form] = str(error)
    members = b'"query":%b,%b' % (orjson.dumps(digest), to_json(lock))
    identifier = lock_id(members)
    return Rendered(identifier, b'{"id":%b,%b}' % (orjson.dumps(identifier), members), texts, refusals)


def is_id_of(identifier: str, body: bytes) -> bool:
    """Whether a stored body is the one that the id was made of."""
    head = b'{"id":%b,' % orjson.dumps(identifier)
    return body.startswith(head) and lock_id(body[len(head) : -1]) == identifier


def render_at_once(
    resolution: Resolution, digest: str, notices: Sequence[Notice] = (), *, size: int
) -> Rendered | None:
    """As :func:`render`, where that takes some milliseconds at most; None: it is worth handing to a thread.

    ``size`` is that of :func:`size_of`.
    """
    if size > MAX_QUICK or unfamiliar(resolution) > MAX_UNFAMILIAR:
        return None
    try:
        with bounded(MAX_STEPS):
            return render(resolution, digest, notices)
    except BudgetExhausted:
        return None


def size_of(resolution: Resolution) -> int:
    """How many pins there are; regions share most of theirs."""
    targets, regions = resolution.targets, resolution.regions
    shared = {id(pin) for region in regions for pin in region.pins.values()}
    return sum(len(target.pins) for target in targets) + len(shared)


def stats_to_document(stats: Stats) -> dict[str, object]:
    """Return the ``stats`` member; times in seconds, of the slowest packages in milliseconds."""
    return {
        "seconds": {
            "fetch": round(stats.fetch, 4),
            "solve": round(stats.solve, 4),
            "render": round(stats.render, 4),
        },
        "projects": stats.projects,
        "metadata": stats.metadata,
        "decisions": stats.decisions,
        "conflicts": stats.conflicts,
        "requests": stats.requests,
        "cache_hits": stats.cache_hits,
        "slowest": [{"package": name, "ms": round(ms, 1)} for name, ms in stats.slowest],
    }


def etag(rendered: Rendered, form: str, outputs: Sequence[str] = ()) -> str:
    """Return the entity tag of one representation: of the lock and the form, never of what the solve cost."""
    suffix = "".join(f"+{name}" for name in sorted(set(outputs)))
    return f'"{rendered.id}.{form}{suffix}"'


def to_parts(
    rendered: Rendered,
    form: str,
    *,
    served_from: str,
    outputs: Sequence[str] = (),
    stats: Stats | None = None,
) -> tuple[bytes | memoryview, ...]:
    """Return the body of an answer in ``form``; what is there already is not copied.

    Raises:
        Problem: ``not-acceptable``.
    """
    if form in FILES:
        return (rendered.text(form).encode(),)
    more: dict[str, Any] = {
        "served_from": served_from,
        "outputs": {FILES[name]: rendered.text(name) for name in sorted(set(outputs))},
    }
    if stats is not None:
        more["stats"] = stats_to_document(stats)
    if form == "json":
        return (memoryview(rendered.body)[:-1], b"," + orjson.dumps(more)[1:])
    return (msgpack.packb({**rendered.document, **more}),)
