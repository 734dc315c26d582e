"""Modules that are imported when they are first used, and are then what they would have been."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.late_modules import MODULES, cleandoc
from tests.cli.conftest import ROOT


def _run(script: str) -> Any:
    prologue = "import json, sys\nfrom service.late_modules import LateModule, import_late\n"
    done = subprocess.run(
        [sys.executable, "-c", prologue + script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_event_loop_is_imported_without_openssl_and_gets_it_when_it_asks() -> None:
    before, after, same = _run(
        "import_late()\nimport asyncio.base_events as base\nbefore = '_ssl' in sys.modules\n"
        "base.ssl.SSLContext\nbase.sslproto.SSLProtocol\nafter = '_ssl' in sys.modules\n"
        "import asyncio, ssl, asyncio.sslproto as real\n"
        "same = [base.ssl.SSLContext is ssl.SSLContext, base.sslproto.SSLProtocol is real.SSLProtocol,"
        " isinstance(ssl, LateModule), isinstance(real, LateModule), real is asyncio.sslproto]\n"
        "print(json.dumps([before, after, same]))"
    )
    assert (before, after) == (False, True)
    assert same == [True, True, False, False, True]


def test_every_late_module_can_be_used_by_who_imported_it_before_and_after_its_import() -> None:
    told = _run(
        "import_late()\nfound = []\n"
        "for name in " + repr(MODULES) + ":\n"
        "    early = sys.modules[name]\n"
        "    early.__file__\n"
        "    now = sys.modules[name]\n"
        "    public = [one for one in vars(now) if one[0] != '_']\n"
        "    found.append([name, not isinstance(now, LateModule),"
        " all(getattr(early, one) is getattr(now, one) for one in public if one != 'cleandoc')])\n"
        "print(json.dumps(found))"
    )
    assert [name for name, *_ in told] == list(MODULES)
    assert [row for row in told if row[1:] != [True, True]] == []


def test_what_is_imported_already_stays_what_it_is_and_what_nobody_has_is_missed() -> None:
    told = _run(
        "import traceback\nimport_late()\nimport uuid\n"
        "try:\n    uuid.nothing\nexcept AttributeError as error:\n    said = str(error)\n"
        "print(json.dumps([isinstance(sys.modules['traceback'], LateModule), said]))"
    )
    assert told == [False, "module 'uuid' has no attribute 'nothing'"]


@given(st.text(alphabet=" \t\nab\u2028\xa0") | st.text())
def test_help_is_laid_out_as_by_inspect(text: str) -> None:
    assert cleandoc(text) == inspect.cleandoc(text)
