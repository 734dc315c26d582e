"""Options as query parameters (or plain form fields), for bodies that are not JSON: ``?python=3.13&platform=linux``."""

from __future__ import annotations

from collections.abc import Iterable

from resolver.errors import Fault, Place

from .schema import pointer, problem

_TARGET = ("python", "platform", "implementation")
_OPTIONS = ("resolution", "prerelease", "fork_strategy", "index_strategy", "exclude_newer", "builds")
_NAME_OPTIONS = ("no_binary", "only_binary")
_NAMES = ("extras", "groups", "excludes", "indexes", "outputs", "roots")
_TEXTS = ("requirements", "constraints", "overrides")  # may hold commas: repeat the parameter
_SINGLE = {*_TARGET, *_OPTIONS, "universal", "requires_python", "no_deps", "seconds", "decisions"}
KNOWN = (
    *_TARGET,
    "universal",
    "requires_python",
    *_OPTIONS,
    "no_deps",
    *_NAME_OPTIONS,
    *_NAMES,
    *_TEXTS,
    "upgrade",
    "seconds",
    "decisions",
)
_BOOLEANS = {"true": True, "1": True, "yes": True, "": True, "false": False, "0": False, "no": False}


def _split(values: Iterable[str]) -> list[str]:
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


class _Parameters:
    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.values: dict[str, list[str]] = {}
        for name, value in pairs:
            self.values.setdefault(name.replace("-", "_"), []).append(value)
        self.faults: list[Fault] = []

    def fault(self, name: str, detail: str) -> None:
        self.faults.append(Fault(Place(pointer=pointer([name])), detail))

    def check_names(self) -> None:
        for name, values in self.values.items():
            if name not in KNOWN:
                self.fault(name[:80], "unknown query parameter; known: format, " + ", ".join(KNOWN))
            elif name in _SINGLE and len(values) > 1:
                self.fault(name, "given more than once")

    def boolean(self, name: str) -> bool:
        text = self.values.get(name, ["false"])[0].strip().lower()
        if text not in _BOOLEANS:
            self.fault(name, "write true or false")
        return _BOOLEANS.get(text, False)

    def number(self, name: str, kind: type[int | float]) -> float | None:
        if name not in self.values:
            return None
        try:
            return kind(self.values[name][0])
        except ValueError:
            self.fault(name, "not a number")
            return None


def to_request(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Return the body of the same request in JSON, without its files; ``service.schema`` checks the values.

    Raises:
        Problem: ``invalid-request`` for unknown parameters and unreadable values, all at once.
    """
    given = _Parameters(pairs)
    given.check_names()
    request: dict[str, object] = {}
    target = {name: given.values[name][0] for name in _TARGET if name in given.values}
    if target:
        request["targets"] = [target]
    if given.boolean("universal") or "requires_python" in given.values:
        requires = given.values.get("requires_python")
        request["universal"] = {} if requires is None else {"requires_python": requires[0]}
    options: dict[str, object] = {name: given.values[name][0] for name in _OPTIONS if name in given.values}
    options |= {name: _split(given.values[name]) for name in _NAME_OPTIONS if name in given.values}
    if given.boolean("no_deps"):
        options["no_deps"] = True
    request["options"] = options
    request |= {name: _split(given.values[name]) for name in _NAMES if name in given.values}
    request |= {name: list(given.values[name]) for name in _TEXTS if name in given.values}
    if "upgrade" in given.values:
        words = _split(given.values["upgrade"])
        request["upgrade"] = _BOOLEANS[words[0].lower()] if len(words) == 1 and words[0] in _BOOLEANS else words
    budget = {"seconds": given.number("seconds", float), "decisions": given.number("decisions", int)}
    request["budget"] = {name: value for name, value in budget.items() if value is not None}
    if given.faults:
        raise problem(given.faults)
    return request
