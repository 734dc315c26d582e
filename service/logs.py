"""What the service says about itself, on stderr: lines for people on a terminal, JSON for machines."""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

import structlog


def configure(level: str, form: Literal["auto", "console", "json"], stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers to ``stream`` (stderr) in one form.

    Tracebacks are printed without the values of variables: those may be secrets.
    """
    stream = stream or sys.stderr
    is_console = form == "console" or (form == "auto" and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor
    if is_console:
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        last: list[structlog.typing.Processor] = [renderer]
    else:
        renderer = structlog.processors.JSONRenderer(sort_keys=True)
        last = [structlog.processors.format_exc_info, renderer]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        ),
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)  # libraries keep their debug lines to themselves: some print headers
    logging.getLogger("lockwright").setLevel(level.upper())
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # the middleware logs requests, with their ids
    structlog.configure(
        # Asked first whether anybody wants the line: it takes longer to make than many an answer.
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
