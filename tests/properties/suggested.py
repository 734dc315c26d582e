"""Suggestions, carried out: the question with the changes made, as whoever was refused would make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from resolver.remedies import Suggestion

from .random_index import Question


def changed(question: Question, suggestion: Suggestion) -> Question:
    """The question after all changes of a suggestion; what is removed goes last, so that pointers hold."""
    for edit in sorted(suggestion.edits, key=lambda edit: str(edit.place), reverse=True):
        assert edit.place.pointer is not None
        question = _edited(question, edit.place.pointer.split("/")[1:], edit.after)
    return question


def _edited(question: Question, path: list[str], after: object) -> Question:
    match path:
        case ["requirements", at]:
            return replace(question, requirements=_with(question.requirements, at, after))
        case ["constraints", at]:
            return replace(question, constraints=_with(question.constraints, at, after))
        case ["overrides", at]:
            return replace(question, overrides=_with(question.overrides, at, after))
        case ["options", "only_binary"]:
            return replace(question, only_binary=_names(after))
        case ["options", "no_binary"]:
            return replace(question, no_binary=_names(after))
        case ["options", "packages", name, option]:
            own = {**question.packages.get(name, {}), option: after}
            return replace(question, packages={**question.packages, name: own})
        case ["targets", at, "python"]:
            targets = list(question.targets)
            targets[int(at)] = (str(after), targets[int(at)][1])
            return replace(question, targets=tuple(targets))
        case ["universal", "requires_python"]:
            return replace(question, requires_python=str(after))
        case ["universal", "required_environments", at]:
            return replace(question, required_environments=_with(question.required_environments, at, after))
        case ["universal", "environments", at]:
            return replace(question, environments=_with(question.environments, at, after))
    raise AssertionError(f"a suggestion changes {path}")


def _with(texts: Sequence[str], at: str, after: object) -> tuple[str, ...]:
    if at == "-":
        return (*texts, str(after))
    place = int(at)
    return (*texts[:place], *(() if after is None else (str(after),)), *texts[place + 1 :])


def _names(after: object) -> tuple[str, ...]:
    assert isinstance(after, list)
    return tuple(after)
