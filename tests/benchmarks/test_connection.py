from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.connection import Connection, message
from benchmarks.load import Load, read_summary
from benchmarks.uv import read_pins


@contextmanager
def server(*answers: bytes) -> Iterator[int]:
    """Answer each request of one connection in turn, a few bytes at a time; then hang up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for answer in answers:
                    connection.recv(65536)
                    for start in range(0, len(answer), 7):
                        connection.sendall(answer[start : start + 7])

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


def test_an_answer_is_read_to_its_last_byte_and_the_connection_kept() -> None:
    first = b'HTTP/1.1 200 OK\r\nETag: "x"\r\ncontent-length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz'
    second = b"HTTP/1.1 422 Unprocessable\r\nContent-Length: 2\r\n\r\n{}"
    with server(first, second) as port, Connection(port) as connection:
        found = connection.ask(message("POST", "/v1/lock", b"{}"))
        assert (found.status, found.body, found.header("etag")) == (200, b"abcdefghijklmnopqrstuvwxyz", '"x"')
        again = connection.ask(message("POST", "/v1/lock", b"{}"))
        assert (again.status, again.body, again.header("etag")) == (422, b"{}", "")


def test_a_304_has_no_body_whatever_its_length_says() -> None:
    head = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 26\r\n\r\n"
    with server(head) as port, Connection(port) as connection:
        assert connection.ask(message("GET", "/v1/locks/lk_1", fields={"If-None-Match": '"x"'})).status == 304


def test_a_server_that_hangs_up_has_not_answered() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nabc"
    with server(cut) as port, Connection(port) as connection, pytest.raises(ConnectionError, match="hung up"):
        connection.ask(message("GET", "/healthz"))


def test_an_answer_without_a_length_is_not_measured() -> None:
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    with server(endless) as port, Connection(port) as connection, pytest.raises(ConnectionError, match="its length"):
        connection.ask(message("GET", "/healthz"))


def test_a_request_says_how_long_its_body_is() -> None:
    text = message("POST", "/v1/lock", b'{"a": 1}', {"Cache-Control": "no-cache"})
    head, _, body = text.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/lock HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert b"\r\nContent-Length: 8" in head
    assert b"\r\nCache-Control: no-cache\r\n" in head
    assert body == b'{"a": 1}'


def test_what_the_load_script_prints_last_is_read() -> None:
    output = (
        'Running 2s test\n\n{"requests": 500, "seconds": 2.0, "p50": 0.1, "p99": 0.2, "most": 0.3,'
        ' "connect": 0, "read": 3, "write": 0, "status": 1, "timeout": 0}\n'
    )
    found = read_summary(output)
    assert found == Load(500, 2.0, 0.1, 0.2, 0.3, connect=0, read=3, write=0, status=1, timeout=0)
    assert found.rate == 250
    assert found.failures == {"read": 3, "status": 1}


def test_pins_are_read_with_and_without_hashes_markers_and_comments() -> None:
    text = (
        "# by a peer\n"
        "Jinja2==3.1.6 ; python_version < '3.12'\n"
        "jinja2==3.1.5 ; python_version >= '3.12'\n"
        "uvicorn[standard]==0.30.0 \\\n"
        "    --hash=sha256:00\n"
        "    # via something==1\n"
    )
    assert read_pins(text) == {"jinja2": ("3.1.5", "3.1.6"), "uvicorn": ("0.30.0",)}
