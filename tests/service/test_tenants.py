"""Tenants of one service who may see different things of one index: each gets what it would get alone, always.

What a process and its cache directory share between requests (bytes, parsed facts, what was seen of them, answers,
earlier universal locks, names and files that are not there) must not tell one credential what another one saw.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.service.indexes import JSON, TARGET, Service, Wheel, basic, metadata, page, serving, undated_page
from tests.transport.server import Plain, Seen, Server, index, reply

TENANTS = ("alice", "bob", "carol", "nobody")
NAMES = ("aa", "bb", "cc", "dd", "ee")
LASTING = "max-age=600"


@dataclass(frozen=True)
class World:
    """What each tenant sees: the versions of each project, and whether a file without a hash requires more."""

    versions: Mapping[tuple[str, str], tuple[int, ...]]
    requires: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, seed: int) -> World:
        dice = random.Random(seed)
        every = [(tenant, name) for tenant in TENANTS for name in NAMES]
        return cls(
            {key: tuple(sorted(dice.sample(range(1, 9), dice.choice((0, 2, 3, 4, 5, 5))))) for key in every},
            {key: dice.choice(NAMES) for key in every},
        )

    def _wheels(self, tenant: str, name: str) -> list[Wheel]:
        after = NAMES[NAMES.index(name) + 1 :][:1]
        return [Wheel(name, f"{one}.0", tuple(f"{n}<={one + 4}" for n in after)) for one in self.versions[tenant, name]]

    def answer(self, seen: Seen) -> Plain:
        """What an index says to who asks."""
        said = seen.headers.get("authorization")
        tenant = next((one for one in TENANTS if said == basic(one, f"{one}-secret")), "nobody")
        _, kind, name, *_ = seen.target.split("/")
        if kind == "files":
            project, version, *_ = name.split("-")
            wheels = [one for one in self._wheels(tenant, project) if one.version == version]
            return reply(wheels[0].metadata, cache_control=LASTING) if wheels else reply(b"", 404)
        if name == "loose":  # of its file the page says nothing but the name: each tenant has another one
            file = {"filename": "loose-1.0-py3-none-any.whl", "url": "/loose/loose-1.0-py3-none-any.whl"}
            files = [{**file, "hashes": {}, "core-metadata": True}]
            body = {"meta": {"api-version": "1.1"}, "name": "loose", "files": files}
            return reply(orjson.dumps(body), content_type=JSON, cache_control=LASTING)
        if kind == "loose":
            return reply(metadata("loose", "1.0", self.requires[tenant, "aa"]), cache_control=LASTING)
        wheels = self._wheels(tenant, name) if name in NAMES else []
        if not wheels:
            return reply(b"", 404, cache_control=LASTING)
        made = undated_page(*wheels) if kind == "undated" else page(name, *wheels)
        return made.replace(b"\r\n", f"\r\ncache-control: {LASTING}\r\n".encode(), 1)


def questions(dice: random.Random) -> Iterator[dict[str, Any]]:
    """Requests without their indexes."""
    while True:
        asked: dict[str, Any] = {"requirements": dice.sample(NAMES, dice.choice((1, 2)))}
        if dice.random() < 0.4:
            asked["universal"] = {"requires_python": dice.choice((">=3.9", ">=3.12"))}
        else:
            asked["targets"] = [{**TARGET, "python": dice.choice(("3.12", "3.13"))}]
        if dice.random() < 0.5:
            asked["constraints"] = [f"{dice.choice(NAMES)}<{dice.choice((3, 5, 7))}"]
        if dice.random() < 0.3:
            asked["options"] = {"exclude_newer": dice.choice(("2024-01-02T00:00:00Z", "2100-01-01T00:00:00Z"))}
        yield asked


async def told(service: Service, server: Server, tenant: str, root: str, asked: Mapping[str, Any]) -> Any:
    """What a tenant is told: pins, or why there are none."""
    userinfo = "" if tenant == "nobody" else f"{tenant}:{tenant}-secret@"
    url = server.url.replace("://", f"://{userinfo}") + f"/{root}/"
    body = {**asked, "indexes": [{"name": "corp", "url": url}]}
    async with service.client.post("/v1/lock", json=body) as response:
        said = await response.json(content_type=None)
    if response.status == 200:
        return sorted((one["name"], one["version"]) for one in said["packages"])
    return said["type"], re.sub(r"[0-9-]+T[0-9:]+Z", "then", said["detail"])  # first sightings are of each tenant


POLICY = {"index_urls": "loopback"}


@pytest.mark.parametrize("seed", range(4))
async def test_each_tenant_is_told_what_it_would_be_told_alone(tmp_path: Path, seed: int) -> None:
    dice, world = random.Random(seed), World.of(seed)
    few = [(dice.choice(("simple", "undated")), next(questions(dice))) for _ in range(8)]
    few.append(("simple", {"requirements": ["loose"], "targets": [TARGET]}))
    async with index({"*": world.answer}) as server:
        alone = {}
        for tenant in TENANTS:
            async with serving(tmp_path / tenant, [], policy=POLICY) as service:
                for at, (root, asked) in enumerate(few):
                    alone[tenant, at] = await told(service, server, tenant, root, asked)
        for _ in range(2):  # the second time on what the first one left on disk
            async with serving(tmp_path / "together", [], policy=POLICY) as service:
                for _ in range(12):
                    asking = [(tenant, dice.randrange(len(few))) for tenant in dice.sample(TENANTS, 3)]
                    if dice.random() < 0.5:
                        asking = [(tenant, asking[0][1]) for tenant, _ in asking]
                    found = await asyncio.gather(*(told(service, server, one, *few[at]) for one, at in asking))
                    assert found == [alone[one] for one in asking]
