"""One hostile visitor, who floods the page with whatever costs it something."""

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import os
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from .visitors import Drawing, models_of

ADDRESS = "127.0.0.2"
"""The hostile visitor's; the crowd has another."""
CARD = "with-a-large-card"
CARD_BYTES = 10_000_000
API = "/gradio_api"
GIVES_WAY = 5
"""The niceness of the hostile visitor's process, who has a machine of their own in truth."""

Config = dict[str, Any]
"""The page's configuration, read once."""
Flood = Callable[[httpx.AsyncClient, Config, random.Random], Awaitable[httpx.Response]]


@contextlib.contextmanager
def add_large_card(checkpoints: Path) -> Iterator[Path]:
    """A folder with the same checkpoints, and a copy whose card is hostile: of one whose tab lists all it has."""
    found = [path.parent.resolve() for path in sorted(checkpoints.glob("*/config.json"))]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for checkpoint in found:
            (folder / checkpoint.name).symlink_to(checkpoint)
        one = next(filter(_is_paired, found), found[0])
        shutil.copytree(one, folder / CARD)
        (folder / CARD / "README.md").write_text("![" * (CARD_BYTES // 2))
        yield folder


def _is_paired(checkpoint: Path) -> bool:
    return bool(json.loads((checkpoint / "config.json").read_text()).get("abilities", {}).get("paired"))


@contextlib.contextmanager
def flooded(address: str, seconds: float, seed: int) -> Iterator[Future[dict[str, int]]]:
    """Flood a page for seconds from another process; the future has how often what was answered."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=os.nice, initargs=(GIVES_WAY,)) as pool:
        pool.submit(os.getpid).result()  # it is there
        yield pool.submit(flood, address, seconds, seed)


def flood(address: str, seconds: float, seed: int) -> dict[str, int]:
    """Ask in every way that costs the page something, as much as goes; how often what was answered."""
    return asyncio.run(_flood(address, time.monotonic() + seconds, random.Random(seed)))


async def _flood(address: str, end: float, chance: random.Random) -> dict[str, int]:
    answered: dict[str, int] = {}
    config = httpx.get(f"{address}/config").json()

    async def repeat(what: str, ask: Flood) -> None:
        while time.monotonic() < end:
            try:
                status = str((await ask(client, config, chance)).status_code)
            except httpx.HTTPError as error:
                status = type(error).__name__
            answered[f"{what} {status}"] = answered.get(f"{what} {status}", 0) + 1
            await asyncio.sleep(0 if status.startswith("2") else 0.02)

    transport = httpx.AsyncHTTPTransport(local_address=ADDRESS, limits=httpx.Limits(max_connections=200))
    async with httpx.AsyncClient(base_url=address, transport=transport, timeout=30) as client:
        floods: dict[str, tuple[int, Flood]] = {
            "stroke": (20, _stroke),
            "upload": (4, _upload),
            "page": (20, _page),
            "batch": (10, _batch),
            "card": (10, _card),
        }
        await asyncio.gather(*(repeat(what, ask) for what, (times, ask) in floods.items() for _ in range(times)))
    return dict(sorted(answered.items()))


async def _stroke(client: httpx.AsyncClient, config: Config, chance: random.Random) -> httpx.Response:
    """A drawing of noise under a new name of a session, so that no cache and no session's limit helps."""
    model = chance.choice(_once(config, models_of))
    drawing = Drawing(model, chance)
    drawing.move()
    body = {
        "data": {"checkpoint": model.checkpoint, "direction": model.direction, "image": drawing.url()},
        "component_id": model.component,
        "fn_name": model.function,
        "session_hash": secrets.token_hex(8),
    }
    return await client.post(f"{API}/component_server/", json=body)


_FILE = bytes(19_000_000)


async def _upload(client: httpx.AsyncClient, config: Config, chance: random.Random) -> httpx.Response:
    return await client.post(f"{API}/upload", files={"files": ("a.png", _FILE)})


async def _page(client: httpx.AsyncClient, config: Config, chance: random.Random) -> httpx.Response:
    return await client.get("/config", headers={"Accept-Language": secrets.token_hex(2)})


async def _batch(client: httpx.AsyncClient, config: Config, chance: random.Random) -> httpx.Response:
    """A batch of sixty files that are no pictures, from a new session each time."""
    paths = [{"path": "x", "meta": {"_type": "gradio.FileData"}}] * 60
    return await _event(client, config, "-batch-start", [paths, {}])


async def _card(client: httpx.AsyncClient, config: Config, chance: random.Random) -> httpx.Response:
    return await _event(client, config, "-card", [CARD])


async def _event(client: httpx.AsyncClient, config: Config, suffix: str, data: list[Any]) -> httpx.Response:
    """Join the queue with an event of the element whose id ends so: of several, the one that offers what is asked."""

    def find(config: Config) -> int:
        props = {c["id"]: c["props"] for c in config["components"]}
        found: list[tuple[bool, int]] = []
        for event in config["dependencies"]:
            names = [props.get(target[0], {}).get("elem_id") or "" for target in event["targets"]]
            if event["backend_fn"] and len(event["inputs"]) == len(data) and any(n.endswith(suffix) for n in names):
                choices = props[event["inputs"][0]].get("choices") or []
                found.append((not any(data[0] == value for _, value in choices), event["id"]))
        return min(found)[1]

    body = {"data": data, "fn_index": _once(config, find, suffix), "session_hash": secrets.token_hex(8)}
    return await client.post(f"{API}/queue/join", json=body)


_found: dict[tuple[str, str], Any] = {}


def _once(config: Config, find: Callable[[Config], Any], more: str = "") -> Any:
    """What there is to find in the page's configuration, looked for once."""
    key = (find.__qualname__, more)
    if key not in _found:
        _found[key] = find(config)
    return _found[key]


def describe(answered: dict[str, int]) -> str:
    """What the hostile visitor was answered, a line each kind."""
    groups = itertools.groupby(answered.items(), key=lambda item: item[0].partition(" ")[0])
    lines = [f"  {what}: " + ", ".join(f"{n} × {k.partition(' ')[2]}" for k, n in kinds) for what, kinds in groups]
    return "\n".join(["the hostile visitor was answered", *lines])
