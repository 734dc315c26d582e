"""Requirements that name a place instead of a version: wheels by URL; and what is refused, with the remedy.

The service resolves names and wheels that it can fetch over HTTP. Paths are the caller's disk, VCS URLs need a
build: both are faults. Userinfo in a URL is refused before anything stores or shows it.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ..requirement import MAX_TEXT, Requirement, RequirementError, parse
from .hashes import STRONG, WEAK, HashError, read_hash

_VCS = ("git", "hg", "svn", "bzr")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar\.(?:gz|bz2|xz)|tgz)\s*(?:\[[^\]]*\]\s*)?(?:;|$)", re.IGNORECASE)
_BARE = re.compile(r"(?P<url>[^\s;]+?)(?P<extras>\[[^\[\]]*\])?(?:\s+;(?P<marker>.*)|\s*)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{[^}]*\}")

NO_VCS = "a version control URL would need a build, which this service never runs; name a released version or a wheel"
NO_PATH = "a local path is on your disk, not here; name a released version, or a wheel by its https URL"
NO_EDITABLE = "an editable install is a path or a checkout, not a release; remove the line and lock what it requires"
NO_OPTION = "options belong in a requirements file, not in a list of requirements"
NO_USERINFO = "credentials do not belong in requirements; configure an index for this host and remove them"
NO_VARIABLE = "environment variables are not expanded here: the service must not read its own; write the value out"


def read_requirement(text: str) -> tuple[Requirement, tuple[tuple[str, str], ...]]:
    """Return the requirement and the hashes of its URL fragment, which the requirement's URL no longer has.

    Raises:
        RequirementError: not a requirement, or one that this service does not take; the message is free of secrets.
    """
    if len(text) > MAX_TEXT:
        raise RequirementError(f"a requirement of {len(text)} characters; at most {MAX_TEXT} are allowed")
    if not text.strip():
        raise RequirementError("the requirement is empty")
    for index, char in enumerate(text):
        if not char.isprintable() and char != "\t":
            raise RequirementError("holds a character that cannot be printed; remove it", offset=index)
    variable = _VARIABLE.search(text)
    if variable:
        raise RequirementError(NO_VARIABLE, offset=variable.start())
    stripped = text.strip()
    if stripped.startswith("-"):
        raise RequirementError(NO_OPTION)
    scheme = _SCHEME.match(stripped)
    if _PATH.match(stripped):
        raise RequirementError(NO_PATH)
    if scheme:
        # Before the general parser: "https" would pass for a project's name and its error would quote the rest.
        _check_scheme(scheme.group(1))
        return _bare_url(stripped)
    if "@" not in stripped and _ARCHIVE.search(stripped):
        raise RequirementError(NO_PATH)
    requirement = parse(text)
    if requirement.url is None:
        return requirement, ()
    return _direct(requirement, requirement.url)


def _check_scheme(scheme: str) -> None:
    lowered = scheme.lower()
    if lowered in {"https", "http"}:
        return
    if lowered.partition("+")[0] in _VCS:
        raise RequirementError(NO_VCS)
    if lowered == "file":
        raise RequirementError(NO_PATH)
    raise RequirementError("the URL of a direct reference must be https (or http)")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise RequirementError("the URL of the direct reference cannot be read") from None
    if "@" in parts.netloc:
        raise RequirementError(NO_USERINFO)
    if not parts.hostname:
        raise RequirementError("the URL of the direct reference names no host")
    return parts


def _wheel_name(parts: SplitResult) -> str:
    filename = unquote(parts.path.rpartition("/")[2])
    if not filename.lower().endswith(".whl"):
        raise RequirementError("a direct reference must name a wheel (….whl); for anything else use an index")
    try:
        return str(parse_wheel_filename(filename)[0])
    except (InvalidWheelFilename, ValueError):
        raise RequirementError("the file name of the direct reference is not a wheel's (PEP 427)") from None


def _bare_url(text: str) -> tuple[Requirement, tuple[tuple[str, str], ...]]:
    match = _BARE.fullmatch(text)
    if match is None:
        raise RequirementError("after a URL only a marker may follow, with a space before its semicolon")
    parts = _split(match["url"])
    name = _wheel_name(parts)
    marker = f" ; {match['marker']}" if match["marker"] else ""
    hashes = _fragment_hashes(parts.fragment)
    return parse(f"{name}{match['extras'] or ''} @ {_without_fragment(parts)}{marker}"), hashes


def _direct(requirement: Requirement, url: str) -> tuple[Requirement, tuple[tuple[str, str], ...]]:
    if _PATH.match(url):
        raise RequirementError(NO_PATH)
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise RequirementError(NO_PATH)
    _check_scheme(scheme.group(1))
    parts = _split(url)
    name = _wheel_name(parts)
    if name != requirement.name:
        raise RequirementError(f"the URL holds a wheel of {name[:100]}, not of {requirement.name}")
    if not parts.fragment:
        return requirement, ()
    hashes = _fragment_hashes(parts.fragment)
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker is not None else ""
    return parse(f"{requirement.name}{extras} @ {_without_fragment(parts)}{marker}"), hashes


def _without_fragment(parts: SplitResult) -> str:
    return parts._replace(fragment="").geturl()


def _fragment_hashes(fragment: str) -> tuple[tuple[str, str], ...]:
    """Read ``#sha256=…``; ``egg=`` and its like say nothing about a wheel."""
    found = []
    for part in fragment.split("&"):
        algorithm, _, digest = part.partition("=")
        if algorithm.lower() in STRONG or algorithm.lower() in WEAK:
            try:
                found.append(read_hash(algorithm, digest))
            except HashError as error:
                raise RequirementError(f"the fragment of the URL: {error}") from None
    return tuple(found)
