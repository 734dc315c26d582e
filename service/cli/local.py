"""Answer a request in this process: the service's own code, without a socket."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from resolver.errors import ResolverError
from service import logs, plain, rendering
from service.configuration import Configuration, load
from service.counts import NoCounts
from service.engine import SWITCH, open_locks, transport_settings
from service.indexes import Indexes
from service.locks import Locks
from service.problems import Problem, from_error, to_document
from service.schema import parse, parse_as
from service.settings import IndexSettings, SettingsError
from service.shape import checked, reasons
from transport.errors import TransportError

from .exits import USAGE, CommandError, Declined


def configure(
    config: str | None, cache_dir: str | None, *, is_verbose: bool, names_default: bool = False
) -> Configuration:
    """Find the settings and set up logging, of which a command line shows warnings only.

    Where the command line ``names_default``, the settings' default index is not looked up: see :func:`with_indexes`.

    Raises:
        CommandError: a setting cannot be used.
    """
    flags: dict[str, Any] = {} if cache_dir is None else {"cache": {"dir": str(Path(cache_dir).absolute())}}
    if names_default:
        flags["default_index"] = "explicit"
    try:
        found = load(
            environ=os.environ, directory=Path.cwd(), flags=flags, config=None if config is None else Path(config)
        )
    except SettingsError as error:
        raise CommandError(f"error: {error}", USAGE) from None
    logs.configure("debug" if is_verbose else "warning", "console", is_late=True)
    return found


def with_indexes(configuration: Configuration, indexes: list[tuple[str, str]], default: str | None) -> Configuration:
    """Put the indexes of the command line, as (name, URL), before those of the settings; ``default`` replaces that one.

    Raises:
        CommandError: a URL is none, or a name is taken.
    """
    if not indexes and default is None:
        return configuration
    settings = configuration.settings
    kept = [index for index in settings.index if default is None or not index.default]
    try:
        added = [_index({"name": name, "url": url}) for name, url in indexes]
        if default is not None:
            kept.append(_index({"name": "default", "url": default, "default": True}))
        changed = replace(settings, index=(*added, *kept))
    except ValueError as error:
        raise CommandError(f"error: --index: {reasons(error)}", USAGE) from None
    origin = configuration.default_index_origin if default is None else "--default-index on the command line"
    return replace(configuration, settings=changed, default_index_origin=origin)


def _index(table: dict[str, Any]) -> IndexSettings:
    return plain.index(table) or checked(IndexSettings, table)


def with_any_strategy(configuration: Configuration) -> Configuration:
    """Allow every index strategy: who asks for one on a command line is who runs it."""
    settings = configuration.settings
    policy = replace(settings.policy, unsafe_index_strategies=True)
    return replace(configuration, settings=replace(settings, policy=policy))


def ask(configuration: Configuration, question: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer ``body`` and return the same JSON object that the service would send from ``/v1/{question}``.

    Raises:
        Declined: with the problem that the service would send.
        CommandError: the settings cannot be used.
    """
    try:
        return asyncio.run(_ask(configuration, question, body))
    except (Problem, ResolverError, TransportError) as error:
        raise Declined(to_document(from_error(error))) from error
    except SettingsError as error:
        raise CommandError(f"error: {error}", USAGE) from None


def doctor(configuration: Configuration, names: Sequence[str], project: str | None) -> list[dict[str, Any]]:
    """Examine the indexes ``names``, or all, and return the reports that the service would give.

    Raises:
        CommandError: there is no such index, or the settings cannot be used.
    """
    try:
        indexes = {index.name: index.to_index() for index in configuration.settings.index}
    except SettingsError as error:
        raise CommandError(f"error: {error}", USAGE) from None
    unknown = [name for name in names if name not in indexes]
    if unknown or not indexes:
        known = ", ".join(indexes) or "none is configured"
        raise CommandError(f"error: there is no index {', '.join(unknown)}; known: {known}", USAGE)
    chosen = [indexes[name] for name in names or indexes]
    normal = None if project is None else re.sub(r"[-_.]+", "-", project).lower()

    from service.doctor import Doctor  # noqa: PLC0415 - it brings the HTTP client along, which a warm lock needs not

    async def examine() -> list[dict[str, Any]]:
        examiner = Doctor(transport_settings(configuration.settings))
        return [(await examiner.examine(index, normal)).to_json() for index in chosen]

    try:
        return asyncio.run(examine())
    except ValueError as error:  # a netrc file that was named and cannot be read
        raise CommandError(f"error: {error}", USAGE) from None


async def _ask(configuration: Configuration, question: str, body: Mapping[str, Any]) -> dict[str, Any]:
    settings = configuration.settings
    # Nobody else calls this process, so it needs no tokens, whose file may be another user's.
    own = replace(settings, service=replace(settings.service, tokens_file=None))
    gc.disable()  # facts live as long as the process, and it ends with the answer
    sys.setswitchinterval(SWITCH)
    async with open_locks(own, Indexes(own.index), NoCounts()) as locks:
        if question == "check":
            return await _check(locks, body)
        if question == "explain":
            return await _explain(locks, body)
        request = plain.lock_request(body) or parse(body)
        answer = await locks.answer(request)
        parts = rendering.to_parts(
            answer.rendered, "json", served_from=answer.served_from, outputs=request.outputs, stats=answer.stats
        )
    document = orjson.loads(b"".join(parts))
    assert isinstance(document, dict)
    return document


async def _check(locks: Locks, body: Mapping[str, Any]) -> dict[str, Any]:
    from service.asking import CheckRequest  # noqa: PLC0415 - a lock needs none of it
    from service.checking import check  # noqa: PLC0415 - likewise

    return await check(locks, parse_as(CheckRequest, body))


async def _explain(locks: Locks, body: Mapping[str, Any]) -> dict[str, Any]:
    from service.asking import ExplainRequest  # noqa: PLC0415 - a lock needs none of it
    from service.explaining import explain  # noqa: PLC0415 - likewise

    return await explain(locks, parse_as(ExplainRequest, body))
