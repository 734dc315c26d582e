"""Problem documents (RFC 9457): the one table from every error to a name, a status and whether a retry makes sense."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resolver import errors as resolving
from resolver.index.gateway import Missing
from transport import errors as transport

if TYPE_CHECKING:
    from resolver.remedies import Suggestion


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the API's table."""

    name: str
    status: int
    title: str
    is_retryable: bool = False


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("invalid-request", 422, "The request cannot be understood"),
        Kind("requirement-invalid", 422, "A requirement cannot be understood"),
        Kind("resolution-impossible", 422, "The requirements contradict each other"),
        Kind("budget-exhausted", 422, "The resolution cost more than its budget"),
        Kind("policy-denied", 403, "The server's policy does not allow it"),
        Kind("unauthorized", 401, "A valid token is needed"),
        Kind("index-unauthorized", 502, "An index refused the credentials"),
        Kind("index-bad-response", 502, "An index sent something that cannot be used", is_retryable=True),
        Kind("hash-mismatch", 502, "A file is not the one that the index promised"),
        Kind("tls-failure", 502, "No trustworthy connection to an index"),
        Kind("index-unavailable", 503, "An index cannot be reached", is_retryable=True),
        Kind("index-timeout", 504, "An index is too slow", is_retryable=True),
        Kind("overloaded", 429, "Too many resolutions are waiting", is_retryable=True),
        Kind("draining", 503, "This server is shutting down", is_retryable=True),
        Kind("payload-too-large", 413, "The body is too large"),
        Kind("unsupported-media-type", 415, "This kind of body is not understood"),
        Kind("not-acceptable", 406, "No acceptable representation"),
        Kind("not-found", 404, "There is nothing here"),
        Kind("gone", 410, "It was here, and is no more"),
        Kind("method-not-allowed", 405, "This path does not know the method"),
        Kind("request-timeout", 408, "The body took too long to arrive", is_retryable=True),
        Kind("bad-request", 400, "Not a proper HTTP request"),
        Kind("internal-error", 500, "A fault of ours", is_retryable=True),
    )
}

# The first class in an error's method resolution order that is listed decides.
TABLE: Mapping[type[Exception], str] = {
    resolving.NoSolution: "resolution-impossible",
    resolving.InvalidQuery: "invalid-request",
    resolving.BudgetExhausted: "budget-exhausted",
    resolving.IndexFailure: "index-unavailable",
    resolving.BadIndexResponse: "index-bad-response",
    resolving.HashMismatch: "hash-mismatch",
    Missing: "index-bad-response",
    resolving.Unsound: "internal-error",
    resolving.ResolverError: "internal-error",
    transport.Refused: "policy-denied",
    transport.AddressDenied: "policy-denied",
    transport.RedirectRefused: "index-bad-response",
    transport.CredentialMissing: "index-unauthorized",
    transport.IdentityInvalid: "tls-failure",
    transport.RemoteError: "index-bad-response",
    transport.Unauthorized: "index-unauthorized",
    transport.BadStatus: "index-unavailable",
    transport.TooLarge: "index-bad-response",
    transport.BadResponse: "index-bad-response",
    transport.TlsFailure: "tls-failure",
    transport.Unreachable: "index-unavailable",
    transport.ConnectFailed: "index-unavailable",
    transport.Timeout: "index-timeout",
    transport.Paused: "index-unavailable",
    transport.TransportError: "internal-error",
}


@dataclass(slots=True)
class Problem(Exception):
    """A problem that the service itself finds; ``members`` extend the document."""

    name: str
    detail: str
    members: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}"


def invalid(pointer: str, detail: str) -> Problem:
    """Return an ``invalid-request`` with a single fault."""
    return Problem("invalid-request", detail, {"errors": [{"pointer": pointer, "detail": detail}]})


def _name(error: BaseException) -> str:
    for kind in type(error).__mro__:
        if kind in TABLE:
            return TABLE[kind]
    return "internal-error"


def fault_to_document(fault: resolving.Fault) -> dict[str, object]:
    """Return one of ``errors``: the place (a pointer, or file, line and column) and what is wrong there."""
    place = fault.place
    parts = {"pointer": place.pointer, "file": place.file, "line": place.line, "column": place.column}
    return {**{key: value for key, value in parts.items() if value is not None}, "detail": fault.detail}


def suggestion_to_document(suggestion: Suggestion) -> dict[str, object]:
    """Return one of ``suggestions``: what to change, where, and which versions that leads to."""
    changes: list[dict[str, object]] = []
    for edit in suggestion.edits:
        place = edit.place
        parts = {"pointer": place.pointer, "file": place.file, "line": place.line, "option": edit.option}
        known = {key: value for key, value in parts.items() if value is not None}
        changes.append({**known, "from": edit.before, "to": edit.after})
    return {
        "detail": suggestion.detail,
        "changes": changes,
        "result": {name: list(versions) for name, versions in suggestion.result.items()},
    }


def _of_transport(error: transport.TransportError) -> Problem:
    name = _name(error)
    if isinstance(error, transport.BadStatus) and error.status is not None and 400 <= error.status < 429:
        name = "index-bad-response"  # the index is up and dislikes the request; waiting does not help
    members: dict[str, object] = {"index": error.index, "url": error.url, "attempts": error.attempts}
    if error.status is not None:
        members["upstream_status"] = error.status
    if error.kind:
        members["reason"] = error.kind
    facts = dict(error.facts)
    if "remedy" in facts:
        members["remedy"] = facts.pop("remedy")  # what to change is for everybody; facts are for programs
    if facts:
        members["facts"] = facts
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return Problem(name, error.text, members, headers)


def from_error(error: BaseException) -> Problem:
    """Return the problem that ``error`` is to the client. An unknown error tells nothing about itself."""
    match error:
        case Problem():
            return error
        case resolving.NoSolution():
            members: dict[str, object] = {
                "derivation": error.derivation,
                "packages": list(error.packages),
                "hints": list(error.hints),
                "suggestions": [suggestion_to_document(one) for one in error.suggestions],
            }
            return Problem(_name(error), error.detail, members)
        case resolving.InvalidQuery():
            name = "requirement-invalid" if error.is_requirement else _name(error)
            return Problem(name, str(error), {"errors": [fault_to_document(fault) for fault in error.faults]})
        case resolving.BudgetExhausted():
            members = {"packages": list(error.packages), "spent": dict(error.facts)}
            return Problem(_name(error), error.detail, members)
        case resolving.IndexFailure():
            cause = error.__cause__
            if isinstance(cause, transport.TransportError) and type(error) is resolving.IndexFailure:
                problem = _of_transport(cause)
                members = dict(problem.members)
            else:
                problem, members = Problem(_name(error), error.detail), {}
            members |= {"index": error.index} | ({"package": error.package} if error.package else {})
            return Problem(problem.name, error.detail, members, problem.headers)
        case transport.TransportError():
            return _of_transport(error)
    return Problem("internal-error", "The request failed inside the service; its log has the request id")


def to_document(problem: Problem, instance: str | None = None) -> dict[str, object]:
    """Return the document; ``instance`` is the request id."""
    kind = KINDS[problem.name]
    document: dict[str, object] = {
        "type": f"/problems/{kind.name}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "retryable": kind.is_retryable,
    }
    if instance is not None:
        document["instance"] = f"urn:lockwright:request:{instance}"
    return {**problem.members, **document}
