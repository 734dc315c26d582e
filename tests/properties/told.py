"""Reported reasons, read back as a reader would read them: are they true, and do they suffice?

The derivation of an answer "no" is data for programs. What is read here is that data, not what the solver knew: a
reason that was left out, or told wrongly, is found.
"""

from __future__ import annotations

import contextlib
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from .meaning import Meaning, Package, admits
from .peers import required, wishes

ROOT: Package = ("you", "")
_LABEL = re.compile(r"^([a-z0-9-]+)(?:\[([a-z0-9-]+)\])?")


def facts(derivation: Mapping[str, object]) -> Iterator[Mapping[str, str]]:
    """The facts of a derivation, in the order in which it names them."""
    causes = derivation["causes"]
    assert isinstance(causes, list)
    for cause in causes:
        if "causes" in cause:
            yield from facts(cause)
        else:
            yield cause


def package_of(label: str) -> Package:
    found = _LABEL.match(label)
    assert found is not None, label
    return found[1], found[2] or ""


_COMPARE: Mapping[str, Callable[[Version, Version], bool]] = {
    "==": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    ">": operator.gt,
}


def by_order(text: str, versions: list[str]) -> set[str]:
    """The versions of a range in words: ``*``, or runs whose bounds are versions that exist."""
    if text == "*":
        return set(versions)
    chosen: set[str] = set()
    for run in re.split(r" \| | or ", text):
        left = versions
        for bound in run.split(","):
            found = re.fullmatch(r"(==|>=|<=|<|>)([^<>=…]+)", bound)
            assert found is not None, f"not a range: {text}"
            compare, limit = _COMPARE[found[1]], Version(found[2])
            left = [one for one in left if compare(Version(one), limit)]
        chosen.update(left)
    return chosen


def by_specifier(text: str, versions: list[str]) -> set[str]:
    """The versions that a requirement's specifier admits; a few specifiers, where several requirements were merged."""
    return {
        version
        for version in versions
        for one in text.split(" or ")
        if admits(SpecifierSet("" if one == "*" else one), Version(version))
    }


@dataclass
class Reading:
    """The reasons of one answer, over the versions that an index lists."""

    meaning: Meaning
    untrue: list[str] = field(default_factory=list)
    _forbidden: dict[Package, set[str]] = field(default_factory=dict)
    _required: dict[tuple[Package, str], list[tuple[Package, set[str]]]] = field(default_factory=dict)

    def versions(self, package: Package) -> list[str]:
        return [version for name, version in self.meaning.index.releases if name == package[0]]

    def read(self, derivation: Mapping[str, object]) -> None:
        for fact in facts(derivation):
            if fact["kind"] == "dependency":
                self._dependency(fact)
            elif fact["kind"] != "no-versions":  # which the list of versions says already
                self._exclusion(fact)
            elif by_specifier(fact["versions"], self.versions(package_of(fact["package"]))):
                self.untrue.append(f"there are versions: {fact}")

    def _exclusion(self, fact: Mapping[str, str]) -> None:
        package = package_of(fact["package"])
        told = by_order(fact["versions"], self.versions(package))
        self._forbidden.setdefault(package, set()).update(told)
        name = package[0]
        if fact["kind"] == "self-dependency":
            return  # judged by what is required, below
        for version in told:
            if self.meaning.fault(self.meaning.index.releases[name, version]) is None:
                self.untrue.append(f"{name} {version} is a candidate: {fact}")

    def _dependency(self, fact: Mapping[str, str]) -> None:
        owner = package_of(fact["package"])
        listed = ["1"] if owner == ROOT else self.versions(owner)
        owners = {"1"} if owner == ROOT else by_order(fact["versions"], listed)
        wanted = package_of(fact["requires"])
        label = _LABEL.match(fact["requires"])
        assert label is not None
        parts = fact["requires"].split(" or ")
        assert all(part.startswith(label[0]) for part in parts), fact
        text = " or ".join(part.removeprefix(label[0]) or "*" for part in parts)
        existing = self.versions(wanted)
        readings = []
        with contextlib.suppress(InvalidSpecifier):  # a range that begins with a local version
            readings.append(by_specifier(text, existing))
        if text == "*" or not re.search(r"!=|~=|===|\*|>(?!=)", text):
            # Without a source it may be what ties an extra to its project, or several requirements as one.
            readings.insert(len(readings) if fact["source"] else 0, by_order(text, existing))
        for version in owners:
            stated = [
                by_specifier(str(specifier), existing)
                for package, specifier in self._stated(owner, version)
                if package == wanted
            ]
            # What several versions have in common may be told instead of what each of them says: it follows.
            true = [reading for reading in readings if any(one <= reading for one in stated)]
            if fact["source"] or wanted[0] != owner[0]:  # it is no tie
                true.sort(key=lambda reading: reading not in stated)
            if not true:
                self.untrue.append(f"{owner} {version} does not require that: {fact}")
            self._required.setdefault((owner, version), []).append((wanted, (true or readings)[0]))

    def _stated(self, owner: Package, version: str) -> list[tuple[Package, SpecifierSet]]:
        if owner == ROOT:
            return list(wishes(self.meaning.root()))
        return list(required(self.meaning, owner, version))

    def leaves_a_solution(self) -> dict[Package, str] | None:
        """What would be a solution, if there were no other reasons than those told; None: they suffice."""
        return self._extend({ROOT: "1"})

    def _extend(self, chosen: dict[Package, str]) -> dict[Package, str] | None:
        missing: Package | None = None
        for pin in chosen.items():
            for package, admitted in self._required.get(pin, ()):
                if package not in chosen:
                    missing = missing or package
                elif chosen[package] not in admitted:
                    return None
        if missing is None:
            return chosen
        for version in self.versions(missing):
            if version not in self._forbidden.get(missing, ()):
                found = self._extend({**chosen, missing: version})
                if found is not None:
                    return found
        return None
