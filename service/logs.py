"""What the service says about itself, on stderr: lines for people on a terminal, JSON for machines.

structlog takes a tenth of a second to import, and a command that locks writes a line now and then only: so it is
imported for the first one.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    import structlog


class Log:
    """A named log. Each call writes a line: what happened, and fields."""

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **fields: object) -> None:
        """Of use to who looks for a fault."""
        self._logger().debug(event, **fields)

    def info(self, event: str, **fields: object) -> None:
        """Of use to who watches."""
        self._logger().info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """The operator should know; the service goes on."""
        self._logger().warning(event, **fields)

    def _logger(self) -> structlog.stdlib.BoundLogger:
        import structlog  # noqa: PLC0415 - see above

        _configure_structlog()
        logger: structlog.stdlib.BoundLogger = structlog.get_logger(self._name)
        return logger


class _Late(logging.Formatter):
    """A formatter that is made for the first line."""

    def __init__(self, make: Callable[[], logging.Formatter]) -> None:
        super().__init__()
        self._make = make
        self._made: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        if self._made is None:
            self._made = self._make()
        return self._made.format(record)


class _State:
    is_pending = False
    """Whether structlog was not yet told what :func:`configure` was."""


def configure(
    level: str,
    form: Literal["auto", "console", "json"],
    stream: TextIO | None = None,
    *,
    is_late: bool = False,
) -> None:
    """Send structlog and the standard library's loggers to ``stream`` (stderr) in one form.

    Tracebacks are printed without the values of variables: those may be secrets. ``is_late``: structlog is imported for
    the first line, which only a :class:`Log` or the standard library writes.
    """
    stream = stream or sys.stderr
    is_console = form == "console" or (form == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Late(partial(_formatter, is_console=is_console)))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)  # libraries keep their debug lines to themselves: some print headers
    logging.getLogger("lockwright").setLevel(level.upper())
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # the middleware logs requests, with their ids
    _State.is_pending = True
    if not is_late:
        _configure_structlog()


def _shared() -> list[structlog.typing.Processor]:
    import structlog  # noqa: PLC0415 - see above

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(*, is_console: bool) -> logging.Formatter:
    import structlog  # noqa: PLC0415 - see above

    renderer: structlog.typing.Processor
    if is_console:
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        last: list[structlog.typing.Processor] = [renderer]
    else:
        renderer = structlog.processors.JSONRenderer(sort_keys=True)
        last = [structlog.processors.format_exc_info, renderer]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )


def _configure_structlog() -> None:
    import structlog  # noqa: PLC0415 - see above

    if not _State.is_pending:
        return
    _State.is_pending = False
    structlog.configure(
        # Asked first whether anybody wants the line: it takes longer to make than many an answer.
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
