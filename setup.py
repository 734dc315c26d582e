"""The optional part of a build: with ``LOCKWRIGHT_COMPILE=1`` the solver's search is compiled by mypyc.

All else about the project is in ``pyproject.toml``. Without the variable nothing is compiled, and neither mypy nor a C
compiler is needed. The sources are installed either way: which of the two runs changes no answer.
"""

from __future__ import annotations

import os

from setuptools import setup

VARIABLE = "LOCKWRIGHT_COMPILE"

# What a search spends its time in. The rest of the package is left to Python, as is what only conflicts come to: proofs
# are shortened in a thread, and a thread gives way to the event loop where Python runs (``docs/architecture.md``).
SEARCH = (
    *("asking", "conflict", "conflict_tracker", "descent", "enforcement", "facts", "foresight", "incompatibility"),
    *("led", "needs", "package_state", "partial_solution", "priority", "propagation", "reason", "retreat", "solver"),
    *("trail", "way_down"),
)

if os.environ.get(VARIABLE, "") in {"", "0"}:
    extensions = []
else:
    from mypyc.build import mypycify

    extensions = mypycify(
        ["--config-file=pyproject.toml", *(f"resolver/solver/{name}.py" for name in SEARCH)],
        opt_level="3",
        debug_level="0",
        group_name="lockwright",
    )

setup(ext_modules=extensions)
