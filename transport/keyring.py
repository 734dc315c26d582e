"""Credentials from the ``keyring`` command: whatever backend the operator has behind it, a vault or a cloud's helper.

It takes a process and perhaps a round trip, so it is asked last, once for all who wait, and its answer (also "I know
none") is kept for a while. It is asked for an index by its URL, then by host, and never for what a request named.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from .clock import Clock
from .credentials import basic
from .message import Credential
from .origin import DEFAULT_PORTS, parse

log = logging.getLogger("transport.keyring")

COMMAND = "keyring"
KEPT_FOR = 600.0  # seconds; tokens that helpers hand out live for an hour at least
RENEWED_AFTER = 5.0  # an answer younger than this was as good as it gets when the index refused it
PATIENCE = 30.0  # seconds; a helper may have to fetch a token, a prompt would wait forever
MAX_OUTPUT = 64 * 1024

_Key = tuple[str, str | None]


class Keyring:
    """Answers of the command, by index URL and user."""

    def __init__(self, clock: Clock, command: str = COMMAND) -> None:
        self._clock = clock
        self._command = command
        self._running: dict[_Key, asyncio.Task[Credential | None]] = {}
        self._kept: dict[_Key, tuple[Credential | None, float]] = {}

    async def find(self, url: str, user: str | None, *, max_age: float = KEPT_FOR) -> Credential | None:
        """Return the credential for the index at ``url``, of ``user`` if one is given; None where there is none."""
        key = (url, user)
        kept = self._kept.get(key)
        if kept is not None and self._clock.monotonic() - kept[1] <= max_age:
            return kept[0]
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._ask(key))
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(task)  # who goes away takes the answer from nobody else

    async def close(self) -> None:
        """End what is under way."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _ask(self, key: _Key) -> Credential | None:
        found = None
        for service in _services(key[0]):
            found = await self._get(service, key[1])
            if found is not None:
                break
        self._kept[key] = (found, self._clock.monotonic())
        return found

    async def _get(self, service: str, user: str | None) -> Credential | None:
        output = await self._run("get", service, *(("--mode", "creds") if user is None else (user,)))
        lines = output.splitlines()
        try:
            if user is not None:
                return basic(user, lines[0]) if lines and lines[0] else None
            return basic(lines[0], lines[1]) if len(lines) > 1 and lines[1] else None
        except ValueError:
            log.warning("what the keyring says for %s holds characters that cannot be sent", service)
            return None

    async def _run(self, *arguments: str) -> str:
        import shutil  # noqa: PLC0415 - few have a keyring

        program = shutil.which(self._command)
        if program is None:
            log.warning("network.keyring is on, and there is no %s command on the PATH", self._command)
            return ""
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,  # it must not ask anybody anything
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # backends are chatty, and not careful with secrets
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE):
                output = bytearray()
                while chunk := await process.stdout.read(MAX_OUTPUT):
                    output += chunk[: MAX_OUTPUT - len(output)]
                return output.decode("utf-8", "replace") if await process.wait() == 0 else ""
        except TimeoutError:
            log.warning("the keyring command gave no answer within %.0f s", PATIENCE)
            return ""
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def _services(url: str) -> Iterator[str]:
    """Yield the names under which people store a password for an index: its URL, with or without slash; its host."""
    parts = parse(url)
    plain = parts.url.partition("?")[0]
    yield plain.rstrip("/")
    yield plain
    origin = parts.origin
    yield origin.host if DEFAULT_PORTS[origin.scheme] == origin.port else f"{origin.host}:{origin.port}"
