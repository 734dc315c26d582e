"""``lockwright config``: which settings are in force, and where each came from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .exits import USAGE, CommandError

if TYPE_CHECKING:  # imported when a command runs, not for its help
    from service.configuration import Configuration

_DEFAULT = "default"
_CONFIG = click.option("--config", "path", type=click.Path(dir_okay=False), help="Read settings from FILE.")


@click.group()
def config() -> None:
    """Show the settings."""


@config.command("list")
@_CONFIG
def list_settings(path: str | None) -> None:
    """Print every setting with its value and origin; secrets are masked."""
    for key, value, origin in _settings(_load(path)):
        click.echo(f"{key} = {value}  # {origin}")


@config.command()
@click.argument("key")
@_CONFIG
def explain(key: str, path: str | None) -> None:
    """Say where the value of KEY came from, such as policy.index_urls."""
    found = [row for row in _settings(_load(path)) if row[0] == key or row[0].startswith(f"{key}.")]
    if not found:
        raise CommandError(f"error: there is no setting {key}; lockwright config list names them all", USAGE)
    for name, value, origin in found:
        setting = "index" if name.startswith("index.") else name  # indexes are one list
        variable = f"LOCKWRIGHT_{setting.upper().replace('.', '__')}"
        click.echo(f"{name} = {value}\n  from: {origin}\n  environment: {variable}")


def _load(path: str | None) -> Configuration:
    from service.configuration import load  # noqa: PLC0415 - help needs none of it
    from service.settings import SettingsError  # noqa: PLC0415

    try:
        return load(environ=os.environ, directory=Path.cwd(), config=None if path is None else Path(path))
    except SettingsError as error:
        raise CommandError(f"error: {error}", USAGE) from None


def _settings(configuration: Configuration) -> Iterator[tuple[str, str, str]]:
    """Yield (key, value, origin). Userinfo is no part of an index's URL here."""
    settings, origins = configuration.settings, configuration.origins
    for index in settings.index:
        reason = configuration.default_index_origin if index.default else origins.get("index", "the environment")
        yield f"index.{index.name}", index.to_index().url, reason
    for key, value in _leaves(settings):
        if not key.startswith("index"):
            yield key, value, _origin(key, configuration)


def _origin(key: str, configuration: Configuration) -> str:
    parts = key.split(".")
    parents = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((configuration.origins[parent] for parent in parents if parent in configuration.origins), _DEFAULT)


def _leaves(shape: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for one in fields(shape):
        value = getattr(shape, one.name)
        if is_dataclass(value):
            yield from _leaves(value, f"{prefix}{one.name}.")
        else:
            yield f"{prefix}{one.name}", str(value)  # a Secret prints asterisks
