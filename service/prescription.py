"""What to change, from what a doctor found: one sentence and the setting that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from transport.message import Index
from transport.road import Step

SLOW = 1000.0  # milliseconds for one page over a kept connection: a lock asks for a hundred of them
SOON = timedelta(days=21)  # time enough to have a certificate renewed

_LACKS = {
    "json": "pages come as HTML only (no PEP 691): they are larger, and say less",
    "gzip": "pages come uncompressed; compression at the index or its proxy makes them some ten times smaller",
    "hashes": "files are listed without sha256: they cannot be locked",
    "upload_times": "files have no upload time (PEP 700): release ages count from when this server first saw a file",
    "core_metadata": "there are no .metadata files (PEP 658): each candidate costs a look into its wheel",
    "ranges": "byte ranges do not work for files: without .metadata files whole wheels are fetched to be read",
}


def advise(
    index: Index,
    supports: Mapping[str, bool | None],
    *,
    steps: Sequence[Step],
    anonymous: str | None,
    missing_status: int | None,
    median_ms: float | None,
    has_project: bool,
) -> list[dict[str, str]]:
    """Return ``{"about", "detail"}`` objects, what matters most first; ``about`` is a setting or a capability."""
    found = [
        *_access(index, anonymous),
        *_certificates(steps),
        *_semantics(index, missing_status),
        *_capabilities(supports),
    ]
    if median_ms is not None and median_ms > SLOW:
        detail = f'a page takes {median_ms:.0f} ms over a kept connection; {{api = "max-age=600"}} asks less often'
        found.append(("cache_control", detail))
    if not has_project:
        found.append(("project", "name a project that the index has, to learn more: ?project=NAME or --project NAME"))
    return [{"about": about, "detail": detail} for about, detail in found]


def _access(index: Index, anonymous: str | None) -> Iterator[tuple[str, str]]:
    if anonymous == "other":
        detail = "strangers see another page than we do; with always a lost credential is an error, not another lock"
        yield "authenticate", detail
    elif anonymous == "same" and index.credential is not None:
        yield "authenticate", "the index shows strangers the same page: the credential is not needed for reading"
    if not index.verify:
        yield "verify", "the server's certificate is not checked; name its CA as ca instead"
    if index.url.startswith("http://") and index.credential is not None:
        yield "url", "the credential travels unencrypted; use https"


def _certificates(steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    for step in steps:
        chain = step.facts.get("chain")
        certificates = [*(chain if isinstance(chain, list) else ())]
        for whose, certificate in (("the server's", one) for one in certificates[:1]):
            yield from _expiring(whose, certificate)
        yield from _expiring("our client", step.facts.get("client_certificate"))


def _expiring(whose: str, certificate: object) -> Iterator[tuple[str, str]]:
    if not isinstance(certificate, Mapping):
        return
    try:
        end = datetime.fromisoformat(str(certificate.get("not_after")))
    except ValueError:
        return
    end = end if end.tzinfo is not None else end.replace(tzinfo=UTC)
    if end - datetime.now(UTC) < SOON:
        yield ("client_cert" if whose == "our client" else "tls"), f"{whose} certificate ends on {end:%Y-%m-%d}"


def _semantics(index: Index, missing: int | None) -> Iterator[tuple[str, str]]:
    if missing in {401, 403} and missing not in index.ignore_error_codes:
        detail = f"a name that does not exist answers {missing}, which ends a lock; where it means 'not here', set"
        yield "ignore_error_codes", f"{detail} ignore_error_codes = [{missing}]"
    elif missing == 200:
        yield "explicit", "names that do not exist have a page, too: as first index it hides every one behind it"
    elif missing is not None and missing not in {404, 410} and missing not in index.ignore_error_codes:
        yield "ignore_error_codes", f"a name that does not exist answers {missing}, where 404 is expected"


def _capabilities(supports: Mapping[str, bool | None]) -> Iterator[tuple[str, str]]:
    for name, detail in _LACKS.items():
        if supports.get(name) is False and not (name == "ranges" and supports.get("core_metadata")):
            yield name, detail
    if supports.get("not_modified") is False:
        lacks = "does not answer 304 to its own validator" if supports.get("validators") else "sends no ETag"
        yield "cache_control", f'the index {lacks}: each look costs a page; {{api = "max-age=600"}} spares most'
