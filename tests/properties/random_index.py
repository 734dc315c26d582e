"""Random indexes with everything that decides what a candidate is, and random questions about them.

What lives here: the data of an index, the making of it from a seed, and a fetcher that serves it. That the worlds are
hard often enough is tested in ``test_fuzz.py``.
"""

from __future__ import annotations

import hashlib
import io
import random
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import orjson

from transport.message import Index, Request, Response

BASE = "https://index.example/simple/"
FILES = "https://index.example/files/"
LIMIT = datetime(2024, 6, 1, tzinfo=UTC)
"""``exclude_newer``, where a question has one; files are of the day before, of that day, or of no day."""

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PLATFORMS = ("linux", "windows", "macos")


@dataclass(frozen=True)
class IndexFile:
    """A file of a release; ``tags`` is None for an sdist."""

    tags: str | None = "py3-none-any"
    requires_python: str | None = None
    is_yanked: bool = False
    uploaded: str | None = "2024-05-31T00:00:00Z"
    requires: tuple[str, ...] | None = None
    """Where it differs from what its release requires."""
    is_lost: bool = False
    """It is listed, and not there."""


@dataclass(frozen=True)
class IndexRelease:
    """A release. Wheels may differ in what they require, and may be missing, where there is no sdist beside them."""

    name: str
    version: str
    files: tuple[IndexFile, ...]
    requires: tuple[str, ...]
    extras: tuple[str, ...] = ()
    requires_python: str | None = None

    def required_by(self, file: IndexFile) -> tuple[str, ...]:
        return self.requires if file.requires is None else file.requires

    def metadata(self, file: IndexFile) -> bytes:
        lines = ["Metadata-Version: 2.2", f"Name: {self.name}", f"Version: {self.version}"]
        if self.requires_python:
            lines.append(f"Requires-Python: {self.requires_python}")
        lines += [f"Provides-Extra: {extra}" for extra in self.extras]
        lines += [f"Requires-Dist: {text}" for text in self.required_by(file)]
        return ("\n".join(lines) + "\n\n").encode()

    def filename(self, file: IndexFile) -> str:
        stem = f"{self.name.replace('-', '_')}-{self.version}"
        return f"{stem}.tar.gz" if file.tags is None else f"{stem}-{file.tags}.whl"

    def sdist(self, file: IndexFile) -> bytes:
        said, buffer = self.metadata(file), io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            info = tarfile.TarInfo(f"{self.name.replace('-', '_')}-{self.version}/PKG-INFO")
            info.size = len(said)
            archive.addfile(info, io.BytesIO(said))
        return buffer.getvalue()


@dataclass(frozen=True)
class Question:
    """What is asked of an index. Without ``targets`` a universal lock is asked for."""

    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    targets: tuple[tuple[str, str], ...] = ()
    """(python, platform)."""
    requires_python: str = ">=3.10"
    environments: tuple[str, ...] = ()
    required_environments: tuple[str, ...] = ()
    prerelease: str = "if-necessary"
    resolution: str = "highest"
    fork_strategy: str = "requires-python"
    only_binary: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    is_dated: bool = False
    builds: str = "static"
    packages: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Options by package, in the words of the API: prerelease, exclude_newer, builds."""

    def of_package(self, name: str, option: str) -> object:
        """The package's own option; None: it has none."""
        return self.packages.get(name, {}).get(option)


@dataclass
class RandomIndex:
    """An index in memory. Obeys :class:`transport.fetch.Fetcher`."""

    releases: dict[tuple[str, str], IndexRelease]
    _answers: dict[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        pages: dict[str, list[dict[str, object]]] = {}
        for release in self.releases.values():
            for file in release.files:
                filename = release.filename(file)
                body = release.sdist(file) if file.tags is None else b""
                said = release.metadata(file)
                entry: dict[str, object] = {
                    "filename": filename,
                    "url": FILES + filename,
                    "hashes": {"sha256": hashlib.sha256(body or said).hexdigest()},
                    "yanked": file.is_yanked,
                    "size": 1000,
                }
                if file.requires_python is not None:
                    entry["requires-python"] = file.requires_python
                if file.uploaded is not None:
                    entry["upload-time"] = file.uploaded
                if file.tags is not None:
                    entry["core-metadata"] = {"sha256": hashlib.sha256(said).hexdigest()}
                pages.setdefault(release.name, []).append(entry)
                if file.is_lost:
                    continue
                if file.tags is None:
                    self._answers[FILES + filename] = ("application/gzip", body)
                else:
                    self._answers[f"{FILES}{filename}.metadata"] = ("text/plain", said)
        for name, files in pages.items():
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
            self._answers[f"{BASE}{name}/"] = ("application/vnd.pypi.simple.v1+json", orjson.dumps(page))

    @property
    def index(self) -> Index:
        return Index("world", BASE, default=True)

    @property
    def names(self) -> list[str]:
        return sorted({name for name, _ in self.releases})

    async def partition(self, index: Index) -> str:
        del index
        return "public"

    async def fetch(self, request: Request) -> Response:
        kind, body = self._answers.get(request.url, ("text/plain", b""))
        status = 200 if request.url in self._answers else 404
        digest = hashlib.sha256(body).hexdigest()
        return Response(status, request.url, {"content-type": kind}, body, digest, "public")


# ---- making ------------------------------------------------------------------

_VERSIONS = (
    ("1.0", "2.0", "3.0", "4.0", "5.0"),
    ("1.0", "1.1", "2.0", "2.1", "2.2"),
    ("1.0", "2.0rc1", "2.0", "3.0a1"),
    ("1.0a1", "1.0b2", "2.0.dev1", "2.0rc1"),
    ("1.0", "1.0+cpu", "1.0.post1", "1!0.5"),
)
_MARKERS = (
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
    "sys_platform == 'linux'",
    "python_version < '3.12'",
    "python_version >= '3.12'",
    "python_full_version < '3.11.4'",
    "os_name == 'nt' or python_version >= '3.13'",
    "platform_system == 'Darwin' and python_version < '3.13'",
    "implementation_name == 'cpython'",
    "python_version in '3.10 3.12'",
)
_TAGS = (
    "py3-none-any",
    "py2.py3-none-any",
    "py3-none-win_amd64",
    "py3-none-manylinux_2_17_x86_64",
    "cp39-abi3-manylinux_2_17_x86_64",
    "cp312-abi3-macosx_11_0_arm64",
    "cp311-cp311-manylinux_2_17_x86_64",
    "cp312-cp312-win_amd64",
)
_REQUIRES_PYTHON = (">=3.11", ">=3.12", ">=3.13", "<3.12", ">=3.10,<3.12", "==3.11.*", "~=3.11")
_OPERATORS = ("", ">=", "<", "<=", "==", "!=", ">", "~=", "==*", "===")
_WEIGHTS = (8, 6, 4, 4, 4, 3, 1, 2, 2, 1)
_PRERELEASE = ("if-necessary", "if-necessary-or-explicit", "allow", "disallow", "explicit")
_ENVIRONMENTS = (
    ("sys_platform == 'linux'",),
    ("sys_platform == 'win32' and python_version < '3.13'", "sys_platform != 'win32'"),
    ("sys_platform == 'darwin' and python_version >= '3.12'", "sys_platform == 'linux'"),
)
_REQUIRED = ("sys_platform == 'win32'", "sys_platform == 'linux'", "sys_platform == 'darwin'")


@dataclass(frozen=True)
class _Maker:
    rng: random.Random
    versions: dict[str, tuple[str, ...]]
    extras: dict[str, tuple[str, ...]]
    with_markers: float
    """The share of requirements that have one."""
    differ: bool
    """Wheels of one release may differ: no universal lock can be sound then, for it takes one for all."""

    def specifier(self, name: str) -> str:
        rng = self.rng
        operator = rng.choices(_OPERATORS, _WEIGHTS)[0]
        listed = self.versions[name]
        if rng.random() < 0.9:  # what admits nothing is soon told, and soon boring
            listed = {">": listed[:-1], "<": listed[1:], "!=": listed[:-1]}.get(operator, listed)
        if not operator or not listed:
            return ""
        version = rng.choice(listed)
        public = version.partition("+")[0]
        match operator:
            case "==*":
                return f"=={public.rpartition('.')[0]}.*" if public[-2:-1] == "." else ""
            case "==" | "!=" | "===":
                return f"{operator}{version}"
            case _:
                return f"{operator}{public}"

    def requirement(self, name: str, *, marker: str | None = None, extras: bool = True) -> str:
        rng = self.rng
        spelled = name.upper().replace("-", "_") if rng.random() < 0.05 else name
        taken = ""
        if extras and rng.random() < 0.35:
            offered = (*self.extras.get(name, ()), "nonesuch") if rng.random() < 0.1 else self.extras.get(name, ())
            chosen = rng.sample(offered, min(len(offered), rng.randint(1, 2)))
            taken = f"[{','.join(chosen)}]" if chosen else ""
        if marker is None and rng.random() < self.with_markers:
            marker = rng.choice(_MARKERS)
            if rng.random() < 0.15:
                marker = f"({marker}) and ({rng.choice(_MARKERS)})"
        text = f"{spelled}{taken}{self.specifier(name)}"
        return f"{text} ; {marker}" if marker else text

    def files(self, requires: Sequence[str]) -> tuple[IndexFile, ...]:
        rng = self.rng
        if rng.random() < 0.9:
            chosen: list[str | None] = ["py3-none-any"]
        else:
            chosen = list(rng.sample(_TAGS, rng.randint(1, 3)))
            if rng.random() < 0.2:
                chosen = [None] if rng.random() < 0.5 else [*chosen, None]
        python = rng.choice(_REQUIRES_PYTHON) if rng.random() < 0.06 else None
        is_yanked = rng.random() < 0.05
        is_lost = rng.random() < 0.02
        has_sdist = None in chosen
        return tuple(
            IndexFile(
                tags,
                rng.choice(_REQUIRES_PYTHON) if rng.random() < 0.03 else python,
                is_yanked if rng.random() < 0.9 else not is_yanked,
                rng.choices((None, "2024-06-01T00:00:00Z", "2024-05-31T23:59:59Z"), (1, 2, 20))[0],
                None if has_sdist or not self.differ else self.some_of(requires),
                is_lost or (not has_sdist and rng.random() < 0.02),
            )
            for tags in chosen
        )

    def some_of(self, requires: Sequence[str]) -> tuple[str, ...] | None:
        """What one wheel requires: it may lack something, or want something else."""
        rng = self.rng
        if rng.random() < 0.5:
            return None
        return (*(text for text in requires if rng.random() < 0.7), self.requirement(rng.choice(list(self.versions))))

    def release(self, name: str, version: str, density: float) -> IndexRelease:
        rng = self.rng
        requires: list[str] = []
        for other in self.versions:
            if rng.random() < density and (other != name or rng.random() < 0.08):
                requires.append(self.requirement(other))
                if rng.random() < 0.12:  # a sibling, which divides universal locks
                    requires.append(self.requirement(other))
        extras = self.extras.get(name, ())
        for extra in extras:
            for _ in range(rng.randint(0, 2)):
                # It may be the project itself: with another extra, or with the same one.
                text, _, marker = self.requirement(rng.choice((name, *self.versions))).partition(" ; ")
                condition = f"({marker}) and extra == '{extra}'" if marker else f"extra == '{extra}'"
                requires.append(f"{text} ; {condition}")
        if len(extras) > 1 and rng.random() < 0.5:
            requires.append(f"{name}[{','.join(extras[:-1])}] ; extra == '{extras[-1]}'")
        if rng.random() < 0.02:
            requires.append("((what is this")
        rng.shuffle(requires)
        return IndexRelease(
            name,
            version,
            self.files(requires),
            tuple(requires),
            extras,
            rng.choice(_REQUIRES_PYTHON) if rng.random() < 0.03 else None,
        )


def random_index(rng: random.Random, *, is_universal: bool) -> tuple[RandomIndex, _Maker]:
    names = ("a", "b", "c-d", "e", "f", "g")[: rng.randint(3, 6)]
    versions = {name: rng.choices(_VERSIONS, (6, 3, 2, 1, 1))[0][: rng.randint(1, 5)] for name in names}
    extras = {name: ("x", "y", "all")[: rng.randint(1, 3)] for name in names if rng.random() < 0.45}
    maker = _Maker(rng, versions, extras, rng.choice((0.0, 0.2, 0.5)), not is_universal and rng.random() < 0.5)
    density = rng.choice((0.15, 0.25, 0.35))
    releases = {(name, version): maker.release(name, version, density) for name in names for version in versions[name]}
    return RandomIndex(releases), maker


def random_case(seed: int, *, is_universal: bool, questions: int = 2) -> tuple[RandomIndex, list[Question]]:
    """An index and questions about it; the same for the same seed."""
    rng = random.Random(f"{seed} {is_universal}")
    index, maker = random_index(rng, is_universal=is_universal)
    overridden = rng.choice(list(maker.versions)) if rng.random() < 0.12 else None
    if overridden is not None:
        index = _without_markers_on(overridden, index)
    return index, [_question(rng, maker, overridden, is_universal=is_universal) for _ in range(questions)]


def _question(rng: random.Random, maker: _Maker, overridden: str | None, *, is_universal: bool) -> Question:
    names = list(maker.versions)
    some = {name for name in names if rng.random() < 0.15} if rng.random() < 0.2 else set()
    wanted = [maker.requirement(name) for name in rng.sample(names, min(len(names), rng.randint(1, 3)))]
    if rng.random() < 0.15:
        wanted.append(maker.requirement(rng.choice(names)))
    if rng.random() < 0.02:
        wanted.append("absent")
    overrides: list[str] = []
    if overridden is not None:
        overrides = [maker.requirement(overridden) for _ in range(rng.randint(1, 2))]
        wanted = [_without_marker_on(overridden, text) for text in wanted]
    question = Question(
        tuple(wanted),
        tuple(maker.requirement(rng.choice(names), extras=False) for _ in range(rng.choice((0, 0, 0, 1, 2)))),
        tuple(overrides),
        (rng.choice(names),) if rng.random() < 0.06 else (),
        prerelease=rng.choice((*["if-necessary"] * 4, *_PRERELEASE)),
        resolution=rng.choice(("highest", "highest", "lowest", "lowest-direct")),
        fork_strategy=rng.choice(("requires-python", "fewest")),
        only_binary=tuple(sorted(some)) if rng.random() < 0.5 else (),
        no_binary=tuple(sorted(some)) if rng.random() < 0.15 else (),
        is_dated=rng.random() < 0.15,
        builds="never" if rng.random() < 0.05 else "static",
        packages={name: _own_options(rng) for name in names if rng.random() < 0.1},
    )
    if not is_universal:
        count = 2 if rng.random() < 0.1 else 1
        return replace(question, targets=tuple((rng.choice(PYTHONS), rng.choice(PLATFORMS)) for _ in range(count)))
    return replace(
        question,
        requires_python=rng.choice((*[">=3.10"] * 4, ">=3.12", ">=3.10,<3.13", ">=3.11.2")),
        environments=rng.choice(_ENVIRONMENTS) if rng.random() < 0.15 else (),
        required_environments=(rng.choice(_REQUIRED),) if rng.random() < 0.1 else (),
    )


def _own_options(rng: random.Random) -> dict[str, object]:
    """One option or two of a package of its own."""
    found: dict[str, object] = {}
    if rng.random() < 0.6:
        found["prerelease"] = rng.choice(_PRERELEASE)
    if rng.random() < 0.4:
        found["exclude_newer"] = rng.choice((False, LIMIT))
    if rng.random() < 0.2:
        found["builds"] = rng.choice(("never", "static"))
    return found


def _without_markers_on(name: str, index: RandomIndex) -> RandomIndex:
    """Whether an override replaces a requirement whose marker does not hold is a question of its own."""
    return RandomIndex(
        {
            key: replace(
                release,
                requires=_without_each(name, release.requires),
                files=tuple(
                    file if file.requires is None else replace(file, requires=_without_each(name, file.requires))
                    for file in release.files
                ),
            )
            for key, release in index.releases.items()
        }
    )


def _without_each(name: str, texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(_without_marker_on(name, text) for text in texts)


def _without_marker_on(name: str, text: str) -> str:
    head, _, marker = text.partition(" ; ")
    named = re.match("[A-Za-z_-]+", head)
    if named is None or named[0].lower().replace("_", "-") != name:
        return text
    extra = marker.rpartition("extra == ")[2] if "extra == " in marker else ""
    return f"{head} ; extra == {extra}" if extra else head
