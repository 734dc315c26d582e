"""The shape of the project, kept by reading its imports.

``service`` → ``resolver`` → ``transport``: imports point down only, are relative inside a package and absolute across.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("transport", "resolver", "service")  # from the bottom up
MAX_LINES = 400  # a file is read in one sitting

# Modules of the transport that are words or pure functions: any layer may use them. All others are layers.
TRANSPORT_WORDS = {
    "absence",
    "clock",
    "credentials",
    "errors",
    "fetch",
    "fields",
    "freshness",
    "hop",
    "message",
    "origin",
    "partial",
    "partition",
    "ranges",
    "redaction",
    "reply",
    "secret",
    "settings",
    "trail",
    "turns",
    "validation",
    "vary",
}
# A layer that takes several files: the layer, and the parts that it alone uses.
TRANSPORT_PARTS = {
    "cache": {"memory", "shelf", "storage"},
    "memory": {"storage"},  # the same record, in memory
    "diagnosis": {"probe", "tls"},
    "pool": {"diagnosis", "guard", "probe", "proxy", "rejection", "tls"},
    "probe": {"tls"},
    "rejection": {"diagnosis", "probe", "tls"},
    "auth": {"keyring"},
    "redirects": {"auth"},
    "road": {"guard", "probe", "proxy", "tls"},  # a fetch without the request: it goes the same way
    "shelf": {"memory", "storage"},
}

# What a server needs of aiohttp beside ``aiohttp.web``: names and body parts, nothing that connects.
AIOHTTP_OF_A_SERVER = {"AbstractStreamWriter", "BodyPartReader", "Handler", "Middleware", "MultipartReader", "hdrs"}

# What of the transport the resolver may know, and which of its modules may know it.
TRANSPORT_BORDER = {"transport.message", "transport.fetch", "transport.errors", "transport.secret", "transport.turns"}
RESOLVER_BORDER = {
    "resolver.algebra",
    "resolver.driver",  # a trial ends where an index does not answer
    "resolver.segments",  # shares the turns
    "resolver.index.absences",  # keyed by index
    "resolver.index.closures",  # a memory belongs to an index as a partition sees it
    "resolver.index.gateway",
    "resolver.index.known",  # keys facts by the responses they were made of
    "resolver.index.page_key",  # likewise
    "resolver.index.standings",  # keyed by index
    "resolver.index.wheel_tail",  # asks for ranges through a function that the gateway passes in
    "resolver.model",  # a Query names its indexes
    "resolver.references",
    "resolver.session",
}
# Where the resolver awaits; everything else in it is pure.
RESOLVER_ASYNC = {
    "resolver.algebra",
    "resolver.driver",
    "resolver.fallbacks",
    "resolver.index.closures",
    "resolver.index.gateway",
    "resolver.index.wheel_tail",
    "resolver.pins",
    "resolver.prefetch",
    "resolver.references",
    "resolver.session",
    "resolver.place_facts",
    "resolver.tables",
    "resolver.segments",
    "resolver.solving",
    "resolver.tasks",
}
# What would make the same question answered differently, or answered elsewhere.
IMPURE = {"asyncio", "time", "datetime", "logging", "os", "random", "secrets", "socket", "threading", "subprocess"}


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a module imports: ``from .message import Index`` gives ``transport.message`` and ``Index``."""

    importer: str
    line: int
    target: str
    name: str | None
    is_relative: bool

    def __str__(self) -> str:
        what = self.target if self.name is None else f"{self.target}.{self.name}"
        return f"{self.importer}:{self.line} imports {what}"

    def reaches(self, module: str) -> bool:
        """Whether the import is of ``module`` or of something below it."""
        full = self.target if self.name is None else f"{self.target}.{self.name}"
        return f"{full}.".startswith(f"{module}.")


def sources() -> Iterator[tuple[str, Path]]:
    """Yield (dotted name, path) of every module of the project."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(sources())


def package_of(module: str) -> str:
    """Return the innermost package that ``module`` is in (a package is in itself)."""
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def imports_of(module: str, path: Path) -> Iterator[Import]:
    """Yield every import of one file, those inside functions included."""
    package = package_of(module).split(".")
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, node.lineno, alias.name, None, is_relative=False)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *(node.module.split(".") if node.module else [])])
            for alias in node.names:
                if f"{target}.{alias.name}" in MODULES:
                    yield Import(module, node.lineno, f"{target}.{alias.name}", None, is_relative=node.level > 0)
                else:
                    yield Import(module, node.lineno, target, alias.name, is_relative=node.level > 0)


IMPORTS = [one for module, path in MODULES.items() for one in imports_of(module, path)]


def within(package: str) -> Iterator[Import]:
    """Yield the imports of the modules in ``package``."""
    return (one for one in IMPORTS if f"{one.importer}.".startswith(f"{package}."))


def texts(found: Iterator[Import]) -> list[str]:
    """Return what a failed assertion should show."""
    return sorted({str(one) for one in found})


def test_the_project_has_modules_and_imports_to_look_at() -> None:
    assert len(MODULES) > 20
    assert any(one.target == "transport.message" and one.importer == "resolver.model" for one in IMPORTS)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_down_only(package: str) -> None:
    above = PACKAGES[PACKAGES.index(package) + 1 :]
    assert texts(one for one in within(package) if any(one.reaches(higher) for higher in above)) == []


def test_nothing_imports_the_tests() -> None:
    assert texts(one for one in IMPORTS if one.reaches("tests") or one.reaches("benchmarks")) == []


def test_imports_are_relative_inside_a_package_and_absolute_across() -> None:
    found = (one for one in IMPORTS if one.reaches(package_of(one.importer)) and not one.is_relative)
    assert texts(found) == []
    # That ``from ..errors import`` is written ``from resolver.errors import`` is a rule of the linter (TID252).


def test_the_solver_imports_the_standard_library_and_itself_only() -> None:
    foreign = (
        one
        for one in within("resolver.solver")
        if not one.reaches("resolver.solver") and one.target.split(".")[0] not in sys.stdlib_module_names
    )
    assert texts(foreign) == []


def test_the_solver_has_no_clock_no_event_loop_and_no_log() -> None:
    assert texts(one for one in within("resolver.solver") if any(one.reaches(name) for name in IMPURE)) == []


def test_only_the_named_modules_of_the_resolver_await() -> None:
    awaiting = (one for one in within("resolver") if one.reaches("asyncio") and one.importer not in RESOLVER_ASYNC)
    assert texts(awaiting) == []


def test_only_the_gateway_and_the_named_words_touch_the_transport() -> None:
    found = (one for one in within("resolver") if one.reaches("transport") and one.importer not in RESOLVER_BORDER)
    assert texts(found) == []


def test_the_resolver_knows_the_transports_protocol_messages_and_errors_only() -> None:
    found = (
        one
        for one in within("resolver")
        if one.reaches("transport") and not any(one.reaches(word) for word in TRANSPORT_BORDER)
    )
    assert texts(found) == []


def test_transport_layers_do_not_import_each_other() -> None:
    def is_between_layers(one: Import) -> bool:
        importer, target = one.importer.split(".")[1:2], one.target.split(".")[1:2]
        if not importer or not target or importer in (target, ["stack"]):
            return False  # the package itself, one layer's own files, and who composes them
        return target[0] not in TRANSPORT_WORDS and target[0] not in TRANSPORT_PARTS.get(importer[0], ())

    found = (one for one in within("transport") if one.reaches("transport") and is_between_layers(one))
    assert texts(found) == []


def test_the_words_of_the_transport_know_no_layer() -> None:
    found = (
        one
        for word in TRANSPORT_WORDS
        for one in within(f"transport.{word}")
        if one.reaches("transport") and not any(one.reaches(f"transport.{other}") for other in TRANSPORT_WORDS)
    )
    assert texts(found) == []


def test_pydantic_lives_in_the_service_only() -> None:
    found = (one for one in IMPORTS if one.reaches("pydantic") and not one.importer.startswith("service"))
    assert texts(found) == []


def test_the_http_client_lives_in_the_transport_only() -> None:
    assert texts(one for one in within("resolver") if one.reaches("aiohttp")) == []
    # ``aiohttp.web`` is the server; ``import aiohttp`` would bring the client along unseen.
    found = (
        one
        for one in within("service")
        if one.reaches("aiohttp") and not one.reaches("aiohttp.web") and one.name not in AIOHTTP_OF_A_SERVER
    )
    assert texts(one for one in found if not one.target.startswith("aiohttp.web_")) == []
    other = ("requests", "httpx", "urllib3")
    assert texts(one for one in IMPORTS if any(one.reaches(client) for client in other)) == []


def test_only_the_command_line_uses_the_standard_librarys_client() -> None:
    client = ("urllib.request", "http.client")
    found = (one for one in IMPORTS if any(one.reaches(module) for module in client))
    assert texts(one for one in found if one.importer != "service.cli.remote") == []


def test_nothing_unpickles() -> None:
    assert texts(one for one in IMPORTS if any(one.reaches(name) for name in ("pickle", "marshal", "shelve"))) == []


def test_no_file_is_a_drawer_of_helpers() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [module for module in MODULES if drawers.intersection(module.split("."))] == []


def test_every_module_can_be_read_in_one_sitting() -> None:
    lengths = {module: path.read_text("utf-8").count("\n") for module, path in MODULES.items()}
    assert {module: length for module, length in lengths.items() if length > MAX_LINES} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        module
        for module, path in MODULES.items()
        if path.stat().st_size and ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert silent == []
