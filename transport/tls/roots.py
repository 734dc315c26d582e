"""Whom to trust: certificates from files and from the system, each on its own, so that a broken one costs only itself.

``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` say what the system's are: they replace the defaults, even where they lead
nowhere, unlike OpenSSL's own reading of them, which silently goes on with the default directory. Empty means unset.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

log = logging.getLogger("transport.tls")

MAX_BUNDLE = 16 * 1024 * 1024  # a bundle of every root there is has some 250 KiB

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_TRUSTED = b"TRUSTED CERTIFICATE-----"


def trust_system(context: ssl.SSLContext, environ: Mapping[str, str]) -> None:
    """Trust the system's roots, or what ``environ`` names in their place; blocks on files."""
    file, folders = environ.get("SSL_CERT_FILE", ""), environ.get("SSL_CERT_DIR", "")
    if file or folders:
        loaded = trust_file(context, Path(file)) if file else 0
        for folder in filter(None, folders.split(os.pathsep)):
            loaded += sum(trust_file(context, path) for path in _listed(Path(folder)))
        if not loaded:
            log.warning("SSL_CERT_FILE and SSL_CERT_DIR name no usable certificate: none is trusted")
        return
    if "SSL_CERT_FILE" in environ or "SSL_CERT_DIR" in environ:
        # Set, but empty: OpenSSL would take the empty name for a file; the built-in paths are meant.
        paths = ssl.get_default_verify_paths()
        if Path(paths.openssl_cafile).is_file():
            context.load_verify_locations(cafile=paths.openssl_cafile)
        if Path(paths.openssl_capath).is_dir():
            context.load_verify_locations(capath=paths.openssl_capath)
        return
    context.load_default_certs()


def _listed(folder: Path) -> list[Path]:
    """Return the files of ``folder``, whatever they are called: OpenSSL would only see names like ``1a2b3c4d.0``."""
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        log.warning("%s cannot be read: no certificate is trusted from there", folder)
        return []


def trust_file(context: ssl.SSLContext, path: Path) -> int:
    """Trust every certificate in ``path`` that can be; return how many those are."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BUNDLE)
    except OSError as error:
        log.warning("the certificate file %s cannot be read: %s", path, type(error).__name__)
        return 0
    loaded = skipped = 0
    for anchor in _anchors(content):
        try:
            context.load_verify_locations(cadata=anchor)
        except (ssl.SSLError, ValueError):
            skipped += 1
        else:
            loaded += 1
    if skipped:
        log.warning("%s: %d unusable certificates are left out, %d are trusted", path, skipped, loaded)
    return loaded


def _anchors(content: bytes) -> Iterator[str | bytes]:
    """Yield the certificates of a PEM bundle one by one, so that a broken one costs only itself; or one of DER."""
    if content[:1] == b"\x30":
        yield content
        return
    content = content.replace(_TRUSTED, b"CERTIFICATE-----")  # OpenSSL's variant with usage hints behind
    position = 0
    while (start := content.find(_BEGIN, position)) >= 0:
        end = content.find(_END, start)
        if end < 0:
            yield ""
            return
        position = end + len(_END)
        yield content[start:position].decode("ascii", "replace") + "\n"
