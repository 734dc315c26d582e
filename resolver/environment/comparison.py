"""One comparison of a marker as a set of environments (dependency specifiers specification, PEP 508).

Means what ``packaging`` evaluates, with three decisions of its own: A comparison without meaning is None, and is read
as if it were not written (as in ``markers``). ``extra`` is a set of extras, so ``extra != "x"`` means that x is
not taken. And ``<`` is the complement of ``>=`` also where ``platform_release`` is no version and
``packaging`` denies both.
"""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from resolver.specifier import Bounds, Interval, SortKey, SpecifierError, parse, sort_key

from .axes import BEYOND, Axis, Cut, axis_of, first_minor, first_point, flag_of, point_of
from .diagram import NO, YES, DiagramLimitError, Node, flag_node, join, make, minus

# Of a version of Python: what is written of cuts between them is longer, and still has to be read as a marker.
MAX_VERSION = 48
_LONG = re.compile(r"[^\s,|]{" + str(MAX_VERSION + 4) + ",}")  # with its operator
MAX_CACHED = 65_536  # comparisons remembered, some 500 bytes each

_COMPARISON = re.compile(
    r"""("[^"]*"|'[^']*'|[a-z_]+)\s*(not\ in|in|===|==|!=|~=|<=|>=|<|>)\s*("[^"]*"|'[^']*'|[a-z_]+)""", re.VERBOSE
)
_MINOR = re.compile(r"(?=(\d+)\.(\d+))")
_FULL = re.compile(r"(?=(\d+)\.(\d+)\.(\d+)((?:a|b|rc)\d+)?)")
_COMPLEMENTS = {"!=": "==", "not in": "in", "<": ">=", ">": "<="}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_INVERSES = {**_COMPLEMENTS, **{inverse: operator for operator, inverse in _COMPLEMENTS.items()}}


@lru_cache(maxsize=MAX_CACHED)
def environments_of(comparison: str) -> Node | None:
    """The set of a comparison in ``packaging``'s spelling; None where it has no meaning.

    Raises:
        ValueError: the text is no comparison.
        DiagramLimitError: it is with a version of very many digits.
    """
    found = _COMPARISON.fullmatch(comparison)
    if found is None:
        raise ValueError(f"not a comparison: {comparison[:100]!r}")
    left, operator, right = found[1], found[2], found[3]
    if left[0] not in "\"'":
        return _compare(left, operator, right[1:-1] if right[0] in "\"'" else right, is_mirrored=False)
    if right[0] in "\"'":
        return None  # two strings: there is no such variable
    return _compare(right, operator, left[1:-1], is_mirrored=True)


def _compare(variable: str, operator: str, value: str, *, is_mirrored: bool) -> Node | None:
    if variable in {"extra", "extras", "dependency_groups"}:
        return _membership(variable, operator, value, is_mirrored=is_mirrored)
    if variable == "platform_release":
        return None if operator == "~=" and not _is_specifier(operator, value) else _flag(variable, operator, value)
    if variable in {"python_version", "python_full_version", "implementation_version"}:
        return _versions(variable, operator, value, is_mirrored=is_mirrored)
    return _strings(variable, operator, value, is_mirrored=is_mirrored)


def _flag(variable: str, operator: str, value: str, *, is_mirrored: bool = False) -> Node:
    if operator in _COMPLEMENTS:
        return minus(YES, _flag(variable, _COMPLEMENTS[operator], value, is_mirrored=is_mirrored))
    return flag_node(flag_of(variable, spell(variable, operator, value, is_mirrored=is_mirrored)))


def spell(variable: str, operator: str, value: str, *, is_mirrored: bool = False) -> str:
    """The comparison as ``packaging`` prints it."""
    quoted = f'"{value}"' if '"' not in value else f"'{value}'"
    return f"{quoted} {operator} {variable}" if is_mirrored else f"{variable} {operator} {quoted}"


def inverse(comparison: str) -> str:
    """The comparison that holds where this one, of a flag, does not."""
    found = _COMPARISON.fullmatch(comparison)
    assert found is not None
    return f"{found[1]} {_INVERSES.get(found[2], '!=')} {found[3]}"


def _membership(variable: str, operator: str, value: str, *, is_mirrored: bool) -> Node | None:
    is_set = variable != "extra"
    if is_set and not (is_mirrored and operator in {"in", "not in"}):
        return None
    if variable == "dependency_groups":  # belongs to lock files; metadata is evaluated with none
        return NO if operator == "in" else YES
    if is_set or operator in {"==", "!=", "<=", ">="}:
        taken = flag_node(flag_of("extra", str(canonicalize_name(value))))
        return minus(YES, taken) if operator in {"!=", "not in"} else taken
    if operator in {"<", ">"}:
        return NO
    if operator in {"~=", "==="}:
        return None
    contained = flag_node(flag_of("extra", "?" + spell("extra", "in", value, is_mirrored=is_mirrored)))
    return minus(YES, contained) if operator == "not in" else contained


def _strings(variable: str, operator: str, value: str, *, is_mirrored: bool) -> Node | None:
    if operator in {"in", "not in"}:
        return _flag(variable, operator, value, is_mirrored=is_mirrored)
    if operator in {"==", "<=", ">="}:  # strings have no order: packaging reads these as equality
        return make(axis_of(variable), (value,), (YES, NO))
    if operator == "!=":
        return make(axis_of(variable), (value,), (NO, YES))
    return NO if operator in {"<", ">"} else None


def _is_specifier(operator: str, value: str) -> bool:
    try:
        return "," not in value and len(parse(f"{operator}{value}")) == 1
    except SpecifierError:
        return False


def _versions(variable: str, operator: str, value: str, *, is_mirrored: bool) -> Node | None:
    if _LONG.search(value):
        raise DiagramLimitError
    is_minor = variable == "python_version"
    if operator in {"in", "not in"}:
        if is_mirrored or variable == "implementation_version":
            return _flag(variable, operator, value, is_mirrored=is_mirrored)
        listed = _listed(value, is_minor=is_minor)
        return minus(YES, listed) if operator == "not in" else listed
    if is_mirrored:
        return _mirrored(variable, operator, value)
    if not _is_specifier(operator, value):
        if operator in {"~=", "==="}:
            return None
        return YES if operator == "!=" else NO
    axis = axis_of(variable)
    (bounds,) = parse(f"{operator}{value}")
    if bounds.literal is not None:
        return _exactly(axis, bounds.literal, is_minor=is_minor)
    return _union(axis, bounds.intervals, is_minor=is_minor)


def _exactly(axis: Axis, text: str, *, is_minor: bool) -> Node:
    point = point_of(text)
    shape = r"\d+\.\d+" if is_minor else r"\d+\.\d+\.\d+((a|b|rc)\d+)?"
    if point is None or not re.fullmatch(shape, text):
        return NO
    return _union(axis, parse(f"=={text}")[0].intervals, is_minor=is_minor)


def _listed(text: str, *, is_minor: bool) -> Node:
    """The versions that are part of a text: ``in`` compares characters, so 3.1 is in ``"3.10"``."""
    texts: set[str] = set()
    for found in (_MINOR if is_minor else _FULL).finditer(text):
        *head, last = found.groups()[: 2 if is_minor else 3]
        prefix = ".".join(head)
        texts.update(f"{prefix}.{last[:end]}" for end in range(1, len(last) + 1))
        pre = None if is_minor else found[4]
        if pre:
            number = re.search(r"\d+", pre)
            assert number is not None
            texts.update(f"{prefix}.{last}{pre[:end]}" for end in range(number.start() + 1, len(pre) + 1))
    union = NO
    for one in texts:
        if str(Version(one)) == one:  # no leading zeros: interpreters do not say 3.08
            axis = axis_of("python_full_version")
            union = join(union, _exactly(axis, one, is_minor=is_minor))
    return union


def _mirrored(variable: str, operator: str, value: str) -> Node | None:
    """``"3.9" <= python_version``: the variable is read as the specifier, so plain order decides."""
    try:
        version = Version(value)
    except InvalidVersion:
        return NO  # no specifier admits what is no version
    if operator not in _MIRRORED or version.is_postrelease or version.local:
        return _flag(variable, operator, value, is_mirrored=True)
    key = sort_key(version)
    past = parse(f"<={value}")[0].intervals[0][1]
    assert past is not None
    intervals: dict[str, tuple[Interval, ...]] = {
        "<": ((None, key),),
        "<=": ((None, past),),
        ">": ((past, None),),
        ">=": ((key, None),),
        "==": ((key, past),),
        "!=": ((None, key), (past, None)),
    }
    if operator == "<" and version.is_prerelease:  # a specifier ``<V`` excludes the pre-releases of V
        release = Version(version.base_version)
        intervals[">"] = ((past, sort_key(release)), *parse(f">{release}")[0].intervals)
    return _union(axis_of(variable), intervals[_MIRRORED[operator]], is_minor=variable == "python_version")


def _union(axis: Axis, intervals: tuple[Interval, ...], *, is_minor: bool) -> Node:
    cut_of = first_minor if is_minor else first_point
    union = NO
    for low, high in intervals:
        union = join(union, _between(axis, cut_of(low), None if high is None else _above(cut_of(high))))
    return union


def _above(cut: Cut | None) -> Cut:
    return (0, 0, 0, 0, 0) if cut is None else cut


def _between(axis: Axis, low: Cut | None, high: Cut | None) -> Node:
    """From ``low`` (None: the beginning) up to but without ``high`` (None: the end)."""
    if high is not None and high >= BEYOND:
        high = None
    first = low or (0, 0, 0, 0, 0)
    if first >= BEYOND or (high is not None and high <= first):
        return NO
    cuts = [cut for cut in (low, high) if cut is not None]
    parts = [YES] if low is None else [NO, YES]
    if high is not None:
        parts.append(NO)
    return make(axis, cuts, parts)


def _parse(specifier: str) -> tuple[Bounds, ...]:
    if _LONG.search(specifier):
        raise SpecifierError(f"a Python version of more than {MAX_VERSION} characters")
    return parse(specifier)


def versions_of(specifier: str) -> Node:
    """The Python versions that comma-joined PEP 440 specifiers admit, pre-releases by their order alone.

    Raises:
        SpecifierError: the text is not that, or names a version that no marker could.
    """
    axis = axis_of("python_full_version")
    admitted = YES
    for bounds in _parse(specifier):
        if bounds.literal is not None:
            one = _exactly(axis, bounds.literal, is_minor=False)
        else:
            one = _union(axis, bounds.intervals, is_minor=False)
        admitted = minus(admitted, minus(YES, one))
    return admitted


def from_first(specifier: str) -> Node:
    """The Python versions from the first on that comma-joined PEP 440 specifiers admit, whatever they leave out above.

    A page may have thousands of these, with dozens of exclusions each: no diagram is made of them all.

    Raises:
        SpecifierError: the text is not that, or names a version that no marker could.
    """
    axis = axis_of("python_full_version")
    parsed = _parse(specifier)
    if any(bounds.literal is not None for bounds in parsed):
        return _from_first_of(versions_of(specifier))
    admitted = [[_cuts(interval) for interval in bounds.intervals] for bounds in parsed]
    first: Cut | None = _START
    before = None
    while first is not None and first != before:
        before = first
        for intervals in admitted:
            first = min((max(low, first) for low, high in intervals if max(low, first) < high), default=None)
            if first is None:
                return NO
    return _between(axis, None if first == _START else first, None)


_START: Cut = (0, 0, 0, 0, 0)


def _cuts(interval: Interval) -> tuple[Cut, Cut]:
    low, high = interval
    return first_point(low) or _START, BEYOND if high is None else min(_above(first_point(high)), BEYOND)


def _from_first_of(node: Node) -> Node:
    if node.axis.kind != "version":
        return node
    first = next((index for index, child in enumerate(node.children) if child is not NO), None)
    assert first is not None, "a diagram over one axis has a part that is not empty"
    return _between(node.axis, node.keys[first - 1] if first else None, None)


__all__ = ["SortKey", "environments_of", "from_first", "inverse", "spell", "versions_of"]
