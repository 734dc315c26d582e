"""``lockwright index doctor``: ask what is the matter with an index, here or at a service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from .exits import INTEGRITY, NEGATIVE, USAGE, CommandError, Declined


@click.group()
def index() -> None:
    """Look at the package indexes."""


@index.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--project", metavar="PROJECT", help="Look at this project's page.  [default: a guess]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--server", metavar="URL", envvar="LOCKWRIGHT_SERVER", show_envvar=True, help="Have a running service ask."
)
@click.option("--config", type=click.Path(dir_okay=False), help="Read settings from FILE.")
@click.option("-v", "--verbose", is_flag=True, help="Print every request.")
def doctor(
    names: tuple[str, ...], project: str | None, form: str, server: str | None, config: str | None, *, verbose: bool
) -> None:
    """Examine the indexes NAME, or all: what they support, how they let us in, how fast they are, what to change.

    Exits with 0 where all is well, else with the code that a lock would end with: 1 (not as it should be), 2 (change a
    credential, a certificate or a setting), 3 (try later), 4 (files are not what the index promises).
    """
    if server:
        from . import remote  # noqa: PLC0415 - help needs no HTTP client
        from .report import to_error  # noqa: PLC0415

        if config:
            raise CommandError("error: --config is the service's own, not for --server", USAGE)
        try:
            chosen = names or tuple(remote.indexes(server))
            reports = [remote.doctor(server, name, project) for name in chosen]
        except Declined as declined:
            raise to_error(declined, {}) from None
    else:
        from . import local  # noqa: PLC0415 - help needs no resolver

        reports = local.doctor(local.configure(config, None, is_verbose=verbose), names, project)
    if form == "json":
        click.echo(json.dumps(reports, indent=2))
    else:
        click.echo("\n\n".join("\n".join(_lines(report)) for report in reports))
    code = max((_code(report) for report in reports), default=0)
    if code:
        raise CommandError("", code)


def _code(report: Mapping[str, Any]) -> int:
    if report.get("integrity") is False:
        return INTEGRITY
    problem = report.get("problem")
    if isinstance(problem, Mapping):
        return Declined(problem).code
    return 0 if report.get("ok") else NEGATIVE


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    from .report import printable  # noqa: PLC0415 - as above

    verdict = "is well" if report["ok"] else "is not well"
    yield printable(f"{report['index']} ({report['url']}) {verdict}")
    for step in report["steps"]:
        time = f"  [{step['ms']:.0f} ms]" if step["ms"] >= 1 else ""
        yield printable(f"  {'ok  ' if step['ok'] else 'FAIL'} {step['name']}: {step['detail']}{time}")
    authentication = report["authentication"]
    sent = "a credential is sent" if authentication["sent"] else "no credential is sent"
    strangers = {"refused": "strangers are refused", "same": "strangers see the same", "other": "strangers see less"}
    more = f"; {strangers[authentication['anonymous']]}" if authentication["anonymous"] in strangers else ""
    yield printable(f"  authenticate = {authentication['policy']}: {sent}{more}")
    words = {True: "yes", False: "no", None: "unknown"}
    if report["supports"]:
        found = ", ".join(f"{name.replace('_', ' ')} {words[value]}" for name, value in report["supports"].items())
        yield printable(f"  supports: {found}")
    timing = report["timing"]
    if timing["first_ms"] is not None:
        median = f", then {timing['median_ms']:.0f} ms" if timing["median_ms"] is not None else ""
        yield f"  pages: first in {timing['first_ms']:.0f} ms{median} ({report['requests']} requests in all)"
    for one in report["advice"]:
        yield printable(f"  advice: {one['about']}: {one['detail']}")
