"""Is this lock still good? Answered from the lock alone: no index is asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

from resolver.environment.space import DiagramLimitError
from resolver.inputs import LockContent, read_lock
from resolver.lock.satisfies import Fault, satisfies
from resolver.model import Query, Universal

from .asking import CheckRequest
from .locks import Locks
from .problems import invalid
from .schema import LockRequest


async def check(locks: Locks, request: CheckRequest) -> dict[str, Any]:
    """Answer a check.

    Raises:
        Problem: the request is invalid or denied, or the service is draining.
        InvalidQuery: the lock or an input cannot be read.
    """
    # The lock is what is judged, and no preference of a resolve.
    asked = await locks.understand(replace(cast("LockRequest", request), lock=None))
    faults = await asyncio.to_thread(_faults, request, asked.query)
    answer = {"ok": not faults, "faults": [_to_document(fault, asked.query) for fault in faults]}
    return {"ok": not faults, "modes": {"satisfies": answer}}


def _faults(request: CheckRequest, query: Query) -> tuple[Fault, ...]:
    lock = read_lock(request.lock.content)
    if request.targets is None and request.universal is None:
        query = _of_the_lock(query, lock)
    try:
        return satisfies(lock, query)
    except (ValueError, DiagramLimitError) as error:
        # Markers and specifiers of the request were read before, so it is one of the lock's.
        raise invalid("/lock/content", f"the lock cannot be judged: {error}") from None


def _of_the_lock(query: Query, lock: LockContent) -> Query:
    """Judge the lock where it is for, as long as nothing else was said; the project says its Pythons itself."""
    assert query.universal is not None
    python = query.requires_python or lock.requires_python or query.universal.requires_python
    return replace(query, universal=Universal(python, lock.environments))


def _to_document(fault: Fault, query: Query) -> dict[str, object]:
    where: dict[str, object] = (
        {"environment": fault.environment} if query.universal is not None else {"target": fault.target}
    )
    return {**where, "requirement": fault.requirement, "detail": fault.detail}
