"""The command line, also as ``python -m service``."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run ``lockwright`` and leave with its exit code."""
    from .late_modules import import_late  # noqa: PLC0415 - the import of this module stays cheap

    import_late()
    from .startup import hasten  # noqa: PLC0415 - likewise, and it imports some of them

    hasten()
    from .cli.main import run  # noqa: PLC0415 - it is to be hastened

    code = run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)  # nobody reads: Python has its own way to say so
    # All is closed and written, and to take a million objects apart one by one takes longer than a small lock.
    os._exit(code)


if __name__ == "__main__":
    main()
