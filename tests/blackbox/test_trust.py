"""Which roots count, seen from the API: what the environment says, unless an index says otherwise (35)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from tests.service.indexes import Wheel, content, versions
from tests.transport.server import index

from .service import serving, table

OURS, OTHER = trustme.CA(), trustme.CA()


@pytest.mark.parametrize(
    ("environ", "own", "trusted"),
    [
        ({"SSL_CERT_FILE": "ours.pem"}, {}, True),
        ({"SSL_CERT_DIR": "roots"}, {}, True),
        ({"SSL_CERT_FILE": "other.pem", "SSL_CERT_DIR": "roots"}, {}, True),
        ({"SSL_CERT_FILE": "other.pem"}, {}, False),
        ({"SSL_CERT_FILE": "missing.pem"}, {}, False),
        ({"SSL_CERT_FILE": "empty.pem"}, {}, False),
        ({}, {}, False),
        ({"SSL_CERT_FILE": "other.pem"}, {"ca": "ours.pem"}, True),
        ({"SSL_CERT_FILE": "missing.pem"}, {"ca": "ours.pem"}, True),
        ({"SSL_CERT_FILE": ""}, {"ca": "ours.pem"}, True),
        ({"SSL_CERT_FILE": "ours.pem"}, {"ca": "other.pem"}, False),
        ({"REQUESTS_CA_BUNDLE": "other.pem"}, {"ca": "ours.pem"}, True),
    ],
)
async def test_the_environment_replaces_the_roots_and_an_indexs_own_bundle_beats_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environ: Mapping[str, str],
    own: Mapping[str, str],
    *,
    trusted: bool,
) -> None:
    (tmp_path / "roots").mkdir()
    OURS.cert_pem.write_to_path(tmp_path / "roots" / "any-name.crt")
    OURS.cert_pem.write_to_path(tmp_path / "ours.pem")
    OTHER.cert_pem.write_to_path(tmp_path / "other.pem")
    (tmp_path / "empty.pem").touch()
    for name, value in environ.items():
        monkeypatch.setenv(name, str(tmp_path / value) if value else "")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    OURS.issue_cert("localhost").configure_cert(context)
    async with index(content(Wheel("a", "1.0")), tls=context) as server:
        corp = table(server, ca=str(tmp_path / own["ca"])) if own else table(server)
        async with serving(tmp_path, corp) as service:
            status, said = await service.lock("a")
        if trusted:
            assert (status, versions(said)) == (200, {"a": ("1.0", "corp")})
        else:
            assert (status, said["type"], said["attempts"]) == (502, "/problems/tls-failure", 1)
            assert server.seen == []
