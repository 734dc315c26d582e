"""What an operator may set, as data. ``service.configuration`` finds the values; ``service.app`` uses them."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit, urlunsplit

from resolver.model import Builds
from transport.credentials import basic, bearer, from_userinfo, header
from transport.message import Authenticate, Credential, Index
from transport.secret import Secret

from .shape import Shape

if TYPE_CHECKING:
    from .field_types import (
        Bytes,
        Connections,
        Hidden,
        Home,
        IndexName,
        IndexUrl,
        LogLevel,
        RequiresPython,
        Retries,
        Seconds,
        Solves,
        Stored,
        UrlPrefixes,
        Waiting,
    )

INDEX_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
PrivateAddresses = Literal["configured", "allow", "deny"]
Level = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "console", "json"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MISPLACED = re.compile(r":[^@]*@")  # ``https://user/x:pw@host/``: the slash makes the user the host
_UNREADABLE = (
    "the host or port of an index URL cannot be read; in a user name or password, '/', '?', '#' and '@' must be"
    " percent-encoded"
)


class SettingsError(ValueError):
    """A setting cannot be used; the text names the key and where its value came from."""


def split_userinfo(url: str) -> tuple[str, Credential | None]:
    """Return the index URL with a trailing slash and without userinfo and fragment, and the credential it held.

    Raises:
        ValueError: not an absolute http(s) URL, or control characters in it.
    """
    if _CONTROL.search(url) or " " in url:
        raise ValueError("an index URL holds a space or a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its text may quote a part of the password
        raise ValueError(_UNREADABLE) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an index URL starts with https:// (or http://) and a host")
    userinfo, at, _ = parts.netloc.rpartition("@")
    if not at and _MISPLACED.search(parts.path):
        raise ValueError(_UNREADABLE)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port is None else f"{host}:{port}"
    path = parts.path if parts.path.endswith("/") else parts.path + "/"
    return urlunsplit((parts.scheme, authority, path, parts.query, "")), from_userinfo(userinfo)


def _read_secret(path: Path) -> Secret:
    try:
        return Secret(path.expanduser().read_text("utf-8").strip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the secret file {path} cannot be read: {type(error).__name__}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings(Shape):
    """One package index; the tables' order is their priority."""

    name: IndexName
    url: IndexUrl
    """May hold userinfo, hence a secret; the rest of the program sees :meth:`to_index`."""
    default: bool = False
    explicit: bool = False
    authenticate: Authenticate = Authenticate.AUTO
    username: str | None = None
    password: Hidden | None = None
    password_file: Path | None = None
    token: Hidden | None = None
    token_file: Path | None = None
    header: str | None = None
    header_file: Path | None = None
    credential_hosts: tuple[str, ...] = ()
    client_cert: str | None = None
    client_key: str | None = None
    client_key_password: Hidden | None = None
    client_key_password_file: Path | None = None
    ca: str | None = None
    system_trust: bool | None = None
    """None: only where ``ca`` does not say whom to trust."""
    verify: bool = True
    allow_downgrade: bool = False
    proxy: Hidden | None = None
    ignore_error_codes: frozenset[int] = frozenset()
    cache_control: dict[Literal["api", "files"], str] = field(default_factory=dict)
    stale_if_error: Seconds | None = None

    def __post_init__(self) -> None:
        if (self.header is None) != (self.header_file is None):
            raise ValueError("header and header_file belong together")

    def _credential(self, of_url: Credential | None) -> Credential | None:
        """Return the credential that the table and the URL make: a token, a header, or a user and password."""
        if self.token_file is not None:
            return bearer(_read_secret(self.token_file).reveal())
        if self.token is not None:
            return bearer(self.token.reveal())
        if self.header is not None and self.header_file is not None:
            return header(self.header, _read_secret(self.header_file).reveal())
        user = self.username if self.username is not None else (of_url.name if of_url else None)
        if self.password_file is not None:
            return basic(user or "", _read_secret(self.password_file).reveal())
        if self.password is not None:
            return basic(user or "", self.password.reveal())
        if of_url is not None and of_url.name in {user, ""}:
            return basic(user or "", of_url.secret.reveal())
        return None if user is None else basic(user, "")  # netrc or the keyring may know that user's password

    def _passphrase(self) -> Secret | None:
        if self.client_key_password is not None:
            return self.client_key_password
        return _read_secret(self.client_key_password_file) if self.client_key_password_file is not None else None

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files that hold secrets; they may be replaced at any time."""
        files = (self.password_file, self.token_file, self.header_file, self.client_key_password_file)
        return tuple(file for file in files if file is not None)

    def to_index(self) -> Index:
        """Return the transport's view, with the secrets read from their files.

        Raises:
            SettingsError: a secret file cannot be read.
        """
        url, of_url = split_userinfo(self.url.reveal())
        try:
            credential = self._credential(of_url)
        except SettingsError:
            raise
        except ValueError as error:
            raise SettingsError(f"index.[{self.name}]: {error}") from None
        return Index(
            name=self.name,
            url=url,
            credential=credential,
            authenticate=self.authenticate,
            explicit=self.explicit,
            default=self.default,
            ignore_error_codes=self.ignore_error_codes,
            credential_hosts=self.credential_hosts,
            ca=self.ca,
            system_trust=self.ca is None if self.system_trust is None else self.system_trust,
            client_cert=self.client_cert,
            client_key=self.client_key,
            client_key_password=self._passphrase(),
            verify=self.verify,
            allow_downgrade=self.allow_downgrade,
            proxy=self.proxy,
            cache_control={str(kind): value for kind, value in self.cache_control.items()},
            stale_if_error=self.stale_if_error,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings(Shape):
    """What a request may ask for."""

    index_urls: UrlPrefixes = "none"
    private_addresses: PrivateAddresses = "configured"
    min_release_age: Seconds | None = None
    builds: Builds = Builds.STATIC
    unsafe_index_strategies: bool = False
    """Whether a request may merge indexes: then whoever can publish on one can replace packages of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutSettings(Shape):
    """Seconds."""

    connect: Seconds = 10.0
    first_byte: Seconds = 30.0
    idle: Seconds = 30.0
    page: Seconds = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings(Shape):
    """How indexes are reached."""

    connections_per_origin: Connections = 128
    timeout: TimeoutSettings = TimeoutSettings()
    retries: Retries = 3
    netrc: Home | None = None
    keyring: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings(Shape):
    """The HTTP side."""

    log_level: LogLevel = "info"
    log_format: LogFormat = "auto"
    default_requires_python: RequiresPython = f">={sys.version_info.major}.{sys.version_info.minor}"
    tokens_file: Path | None = None
    max_body: Bytes = 4 * 1024 * 1024
    body_timeout: Seconds = 30.0  # a whole body takes no longer on any line that CI runs on
    header_timeout: Seconds = 10.0  # a head fits in one packet; slower is a stalled or hostile peer
    max_concurrent_solves: Solves = 64
    max_waiting_solves: Waiting = 256  # four rounds of the default concurrency
    max_wait: Seconds = 10.0  # after that a client does better to try another replica
    max_seconds: Seconds = 300.0  # what a request's budget may ask for
    drain_grace: Seconds = 5.0  # a load balancer probes readiness every few seconds
    drain_limit: Seconds = 30.0  # process managers kill soon after
    stored_locks: Stored = 10_000  # some 100 kB each: 1 GB of disk at most


def _default_cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lockwright"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings(Shape):
    """Where facts are kept between requests and restarts."""

    dir: Home = field(default_factory=_default_cache_directory)
    shared: Hidden | None = None
    max_bytes: Bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Shape):
    """Everything. ``index`` is complete: the default index is one of them unless it was turned off."""

    index: tuple[IndexSettings, ...] = ()
    default_index: str = "purl"
    """``purl`` (the purl specification's default repository), ``explicit`` (none), or a URL."""
    policy: PolicySettings = PolicySettings()
    network: NetworkSettings = NetworkSettings()
    service: ServiceSettings = ServiceSettings()
    cache: CacheSettings = field(default_factory=CacheSettings)

    def __post_init__(self) -> None:
        names = [index.name for index in self.index]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two indexes are called {', '.join(twice)}")
        if sum(index.default for index in self.index) > 1:
            raise ValueError("more than one index has default = true")
