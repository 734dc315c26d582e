"""A layer that is made when it is needed."""

from __future__ import annotations

from transport.hop import Hop, Reach
from transport.late import Late
from transport.message import Index, Request, Response
from transport.origin import parse

URL = "https://index.example/simple/a/"
INDEX = Index("corp", "https://index.example/simple/")


class Layer:
    """Answers nothing, and counts."""

    def __init__(self) -> None:
        self.fetched = self.closed = 0

    async def fetch(self, hop: Hop) -> Response:
        self.fetched += 1
        return Response(200, hop.url, {}, b"", "", "public")

    async def close(self) -> None:
        self.closed += 1


async def test_it_is_made_once_for_the_first_request_and_closed_if_it_was_made() -> None:
    hop = Hop(Request(URL, INDEX), URL, parse(URL).origin, (), (), "public", Reach.ANY)
    made: list[Layer] = []

    def make() -> Layer:
        made.append(Layer())
        return made[-1]

    late = Late(make)
    await late.close()
    assert not made
    for _ in range(2):
        assert (await late.fetch(hop)).url == hop.url
    await late.close()
    assert [(one.fetched, one.closed) for one in made] == [(2, 1)]
