"""The command line, also as ``python -m service``."""

from __future__ import annotations


def main() -> None:
    """Run ``lockwright``."""
    from .cli.main import main as command  # noqa: PLC0415 - the import of this module stays cheap

    command()


if __name__ == "__main__":
    main()
