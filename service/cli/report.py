"""What people read on stderr: a problem in prose, or what the lock changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .exits import CommandError, Declined

MAX_WARNINGS = 20  # the rest is counted; the JSON form has them all


def printable(text: object) -> str:
    """Return ``text`` without what could move a terminal's cursor: an index or a service wrote it."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in str(text))


def to_error(declined: Declined, places: Mapping[str, str]) -> CommandError:
    """Say a problem. Faults come one to a line, with the place first, as compilers write them."""
    document = declined.document
    faults = document.get("errors")
    if isinstance(faults, list) and faults:
        lines = [_fault(fault, places) for fault in faults if isinstance(fault, Mapping)]
        return CommandError("\n".join(map(printable, lines)), declined.code)
    lines = [f"error: {document.get('detail') or document.get('title') or declined.name}"]
    lines += [f"hint: {hint}" for hint in _texts(document.get("hints"))]
    lines += _suggestions(document.get("suggestions"))
    if document.get("retryable") is True:
        lines.append("hint: this may pass; run the command again")
    return CommandError("\n".join(map(printable, lines)), declined.code)


# What says the same on this command line as an option of the API; {} is the value, or the names.
_FLAGS = {
    "prerelease": "--prerelease {}",
    "builds": "--builds {}",
    "exclude_newer": "a later --exclude-newer",
    "only_binary": "another --only-binary",
    "no_binary": "another --no-binary",
    "python": "--python-version {}",
    "requires_python": "--python-version {}",
}


def _suggestions(value: object) -> list[str]:
    """What would help, each with the option that does it; a file and line stand in the text itself."""
    lines: list[str] = []
    for one in value if isinstance(value, list) else []:
        flags: dict[str, None] = {}
        for change in one["changes"]:
            key = change.get("option") or str(change.get("pointer", "")).rpartition("/")[2]
            if key in _FLAGS:
                flags[_FLAGS[key].format(str(change["to"]).lstrip(">="))] = None
        how = f" ({', '.join(flags)})" if flags else ""
        lines.append(f"suggestion: {one['detail']}{how}")
    return lines


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _fault(fault: Mapping[str, Any], places: Mapping[str, str]) -> str:
    detail = str(fault.get("detail", ""))
    if fault.get("file"):
        parts = (fault.get(part) for part in ("file", "line", "column"))
        return f"{':'.join(str(part) for part in parts if part is not None)}: {detail}"
    pointer = str(fault.get("pointer") or "")
    known = pointer
    while known and known not in places:
        known = known.rpartition("/")[0]
    place = places.get(known) or _option(pointer)
    return f"{place}: {detail}" if place else f"error: {detail}"


def _option(pointer: str) -> str:
    """Return the option behind a pointer: ``/options/exclude_newer`` is ``--exclude-newer``."""
    parts = [part for part in pointer.split("/") if part and not part.isdecimal()]
    if parts[:1] == ["options"] and len(parts) == 2:
        return f"--{parts[1].replace('_', '-')}"
    option = {"extras": "--extra", "groups": "--group", "excludes": "--exclude", "constraints": "--upgrade-package"}
    return option.get(parts[0], pointer) if parts else ""


def summary(answer: Mapping[str, Any], seconds: float, *, has_previous: bool) -> Iterator[str]:
    """Yield what happened: warnings, changes against the previous lock, and one line with the totals."""
    warnings = answer.get("warnings") or []
    for warning in warnings[:MAX_WARNINGS]:
        yield printable(f"warning: {warning['detail']}")
    if len(warnings) > MAX_WARNINGS:
        yield f"warning: and {len(warnings) - MAX_WARNINGS} more"
    if has_previous:
        yield from map(printable, changed(answer.get("changes") or {}))
    count = len(answer["packages"])
    stats = answer.get("stats") or {}
    asked = f", {_counted(stats['requests'], 'request')}" if stats.get("requests") else ""
    yield f"Locked {_counted(count, 'package')} in {seconds:.2f} s{asked}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def changed(changes: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each of the ``changes`` of an answer."""
    for one in changes.get("changed", ()):
        yield f"Updated {one['name']} {one['from']} -> {one['to']}"
    for one in changes.get("added", ()):
        yield f"Added {one['name']} {one['version']}"
    for one in changes.get("removed", ()):
        yield f"Removed {one['name']} {one['version']}"
