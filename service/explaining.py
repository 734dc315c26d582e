"""Why is a package in the lock, and why are wished versions of it not? Both are answered by resolving."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from packaging.specifiers import SpecifierSet

from resolver.environment import markers
from resolver.environment.space import from_marker
from resolver.errors import NoSolution, Place
from resolver.lock.build import build
from resolver.lock.document import changes_to_document
from resolver.lock.errors import IndistinguishableTargets
from resolver.lock.graph import MAX_CHAINS, Chain, Graph, of_pins
from resolver.model import Lock, Preference, Query, Resolution, Stated
from resolver.requirement import parse

from .asking import ExplainRequest
from .locks import Locks
from .problems import invalid


async def explain(locks: Locks, request: ExplainRequest, *, refresh: bool = False) -> dict[str, Any]:
    """Answer a question about one package.

    Raises:
        Problem: the request is invalid or denied, or the service is overloaded or draining.
        ResolverError: as :func:`resolver.driver.resolve`, for the lock itself.
        TransportError: likewise.
    """
    asked = await locks.understand(request, refresh=refresh)
    resolution = await locks.resolve(asked.query)
    lock, chains = await asyncio.to_thread(_of, resolution, request.package)
    shown = chains[:MAX_CHAINS]
    return {
        "package": request.package,
        "locked": [
            {"version": one.version, "marker": one.marker, "targets": list(one.targets)}
            for one in lock.packages
            if one.name == request.package
        ],
        "chains": [_to_document(chain, targets) for chain, targets in shown],
        "truncated": len(chains) > len(shown),
        "why_not": None if request.wished is None else await _why_not(locks, asked.query, lock, request),
    }


def _of(resolution: Resolution, package: str) -> tuple[Lock, list[tuple[Chain, list[str]]]]:
    """Return the lock, and the chains to ``package`` with the targets where they hold."""
    found: dict[Chain, list[str]] = {}
    for name, graph in _graphs(resolution):
        # One more than is shown, to know that there are more.
        for chain in islice(graph.chains(package), MAX_CHAINS + 1):
            found.setdefault(chain, []).extend([name] if name else [])
    try:
        lock = build(resolution)
    except IndistinguishableTargets as error:
        raise invalid("/targets", str(error)) from None
    return lock, sorted(found.items(), key=lambda item: len(item[0].links))


def _graphs(resolution: Resolution) -> Iterator[tuple[str, Graph]]:
    """Yield (target's name, graph) of every place; regions have no names."""
    statements = resolution.query.requirements
    for resolved in resolution.targets:
        target = resolved.target
        here = [
            one
            for one in statements
            if one.requirement.marker is None or markers.evaluate(one.requirement.marker, target)
        ]
        yield target.name, of_pins(resolved.pins, here)
    for region in resolution.regions:
        here = [
            one
            for one in statements
            if not from_marker(one.requirement.marker).without_extras().is_disjoint(region.space)
        ]
        yield "", of_pins(region.pins, here)


def _to_document(chain: Chain, targets: list[str]) -> dict[str, Any]:
    root = chain.root
    steps = [(root.node, root.requirement), *((link.node, link.requirement) for link in chain.links)]
    return {
        "requirement": root.requirement,
        "origin": root.origin,
        "targets": targets,
        "steps": [{"name": node.name, "version": node.version, "requirement": text} for node, text in steps],
    }


async def _why_not(locks: Locks, query: Query, lock: Lock, request: ExplainRequest) -> dict[str, Any]:
    """Resolve once more with the wish, keeping what can be kept of ``lock``."""
    text = f"{request.package}{request.wished}"
    pointer = "/version" if request.version is not None else "/not"
    wish = Stated(parse(text), "the question", Place(pointer=pointer))
    previous: dict[str, list[str]] = {}
    for package in lock.packages:
        previous.setdefault(package.name, []).append(package.version)
    changed = replace(
        query,
        requirements=(*query.requirements, wish),
        preferences=tuple(Preference(name, one) for name, versions in previous.items() for one in versions),
        previous={name: tuple(versions) for name, versions in previous.items()},
        budget=replace(query.budget, suggestions=0.0),  # the answer is about the wish, not about the request
    )
    answer: dict[str, Any] = {"requirement": text, "possible": False, "changes": None}
    try:
        resolution = await locks.resolve(changed)
    except NoSolution as error:
        reasons: dict[str, Any] = {"packages": list(error.packages), "hints": list(error.hints)}
        return {**answer, "detail": error.detail, "derivation": error.derivation, **reasons}
    reasons = {"detail": None, "derivation": None, "packages": [], "hints": []}
    other = (await asyncio.to_thread(_of, resolution, request.package))[0]
    versions = [one.version for one in other.packages if one.name == request.package]
    wished = SpecifierSet(request.wished or "")
    if not versions or not all(wished.contains(one, prereleases=True) for one in versions):
        # Overrides and excludes stand above every requirement, the wish included.
        detail = f"the overrides or excludes of the request decide {request.package}: {', '.join(versions) or 'none'}"
        return {**answer, **reasons, "detail": detail, "packages": [request.package]}
    return {**answer, **reasons, "possible": True, "changes": changes_to_document(other.changes)}
