"""Lock → the JSON answer's part."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from resolver.lock.build import build
from resolver.lock.document import to_document
from resolver.lock.errors import LockError
from resolver.model import Notice

from .test_pylock import LINUX, WINDOWS, one_target, three_targets
from .world import pin, resolution, sdist, wheel

GOLDENS = Path(__file__).parent.parent / "goldens"


def test_the_document_is_the_golden_one() -> None:
    asked = three_targets()
    asked = replace(
        asked,
        query=replace(asked.query, previous={"click": ("8.0", "8.2"), "six": ("1",), "numpy": ("1.26", "2.2")}),
        warnings=(Notice("yanked", "it was yanked", "numpy", "corp"), Notice("odd", "of no package")),
    )
    text = json.dumps(to_document(build(asked)), indent=2) + "\n"
    assert text == (GOLDENS / "lock_three_targets.json").read_text("utf-8")


def test_the_keys_are_those_of_the_interface_in_its_order() -> None:
    document = to_document(build(one_target()))
    assert list(document) == ["requires_python", "environments", "packages", "changes", "warnings"]
    packages = json.loads(orjson.dumps(document))["packages"]
    assert list(packages[0]) == [
        "name", "version", "marker", "extras", "direct", "targets",
        "index", "requires_python", "requires", "via", "files", "flags",
    ]  # fmt: skip
    assert list(packages[0]["files"][0]) == ["filename", "url", "hashes", "size", "upload_time"]


def test_one_requirement_that_has_a_version_per_target_is_shown_once() -> None:
    asked = resolution({LINUX: [pin("a", "1", "b"), pin("b", "1")], WINDOWS: [pin("a", "1", "b"), pin("b", "2")]})
    packages = json.loads(orjson.dumps(to_document(build(asked))))["packages"]
    assert packages[0]["requires"] == [{"name": "b", "marker": None}]


def test_files_are_sorted_by_name_whatever_their_kind() -> None:
    old = replace(sdist("a-b", "1"), filename="a-b-1.tar.gz")
    asked = resolution({LINUX: [replace(pin("a-b", "1", wheels=["py3-none-any", "cp313-none-any"]), sdist=old)]})
    packages = json.loads(orjson.dumps(to_document(build(asked))))["packages"]
    names = [file["filename"] for file in packages[0]["files"]]
    assert names == ["a-b-1.tar.gz", "a_b-1-cp313-none-any.whl", "a_b-1-py3-none-any.whl"]


def test_a_credential_in_the_url_of_a_lock_from_elsewhere_is_refused() -> None:
    lock = build(resolution({LINUX: [pin("a", "1")]}))
    leaky = replace(wheel("a", "1"), url="https://user:hunter2@files.corp.example/a-1-py3-none-any.whl")
    lock = replace(lock, packages=(replace(lock.packages[0], wheels=(leaky,)),))
    with pytest.raises(LockError, match="user name or password"):
        to_document(lock)
