"""Each case of ``golden_cases.txt`` is answered as ``goldens/inputs.txt`` says, word for word.

A case is a title, perhaps the arguments of a query as JSON, and files; ``<a*64>`` stands for 64 times ``a``.
With ``UPDATE_GOLDENS=1`` the answers are written instead of compared: read the difference before it is committed.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from resolver.errors import InvalidQuery
from resolver.inputs import Inputs, read_inputs
from resolver.model import Stated

_CASES = Path(__file__).with_name("golden_cases.txt")
_GOLDEN = Path(__file__).parent.parent / "goldens" / "inputs.txt"
_REPEAT = re.compile(r"<(.)\*(\d+)>")


@dataclass(frozen=True)
class Case:
    title: str
    query: dict[str, list[str]]
    files: dict[str, str]

    def answer(self) -> str:
        try:
            inputs = read_inputs(**self.query, files=self.files)
        except InvalidQuery as error:
            lines = ["requirement-invalid" if error.is_requirement else "invalid-request"]
            lines += [f"  {fault.place}: {fault.detail}" for fault in error.faults]
        else:
            lines = list(_shown(inputs))
        text = "\n".join(lines)
        for char, count in {("a", 64), ("b", 64), ("c", 64), ("b", 128)}:
            text = re.sub(rf"(?<!{char}){char}{{{count}}}(?!{char})", f"<{char}*{count}>", text)
        return text


def _shown(inputs: Inputs) -> list[str]:
    lines = []
    for role in ("requirements", "constraints", "overrides"):
        lines += [f"{role[:-1]} {_stated(one)}" for one in getattr(inputs, role)]
    for name in ("excludes", "no_binary", "only_binary", "extras", "groups"):
        values = getattr(inputs, name)
        if values:
            ordered = values if isinstance(values, tuple) else sorted(values)
            lines.append(f"{name}: {', '.join(ordered)}")
    lines += [f"requires_python: {inputs.requires_python}"] if inputs.requires_python else []
    lines += ["prerelease_allowed"] if inputs.prerelease_allowed else []
    lines += [f"index hint: {hint}" for hint in inputs.index_hints]
    lines += [
        f"warning {one.code}{f' ({one.package})' if one.package else ''}: {one.detail}" for one in inputs.warnings
    ]
    return lines


def _stated(stated: Stated) -> str:
    hashes = "".join(f" {algorithm}:{digest}" for algorithm, digest in stated.hashes)
    return f"{stated.requirement}{hashes}  ← {stated.origin} at {stated.place}"


def _cases() -> list[Case]:
    text = _REPEAT.sub(lambda match: match[1] * int(match[2]), _CASES.read_text("utf-8"))
    cases = []
    for block in text.split("=== ")[1:]:
        title, _, body = block.partition("\n")
        query: dict[str, list[str]] = {}
        files: dict[str, str] = {}
        for part in ("\n" + body).split("\n--- ")[1:]:
            head, _, content = part.partition("\n")
            if head.startswith("query "):
                query = json.loads(head.removeprefix("query "))
            else:
                files[head] = content
        cases.append(Case(title, query, files))
    return cases


def _golden() -> dict[str, str]:
    blocks = _GOLDEN.read_text("utf-8").split("=== ")[1:]
    return {title: body.strip("\n") for title, _, body in (block.partition("\n") for block in blocks)}


CASES = _cases()


def test_the_golden_file_has_exactly_the_cases() -> None:
    if os.environ.get("UPDATE_GOLDENS"):
        _GOLDEN.write_text("\n".join(f"=== {case.title}\n{case.answer()}\n" for case in CASES), "utf-8")
    assert list(_golden()) == [case.title for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_case_is_answered_word_for_word(case: Case) -> None:
    assert case.answer() == _golden()[case.title]


def test_no_answer_shows_a_secret() -> None:
    shown = "\n".join(case.answer() for case in CASES)
    assert not re.search(r"secret|token|p/w", shown)
