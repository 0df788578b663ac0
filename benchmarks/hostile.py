"""One hostile visitor beside a crowd, and a page to which happens what happens to servers."""

import asyncio
import contextlib
import itertools
import random
import resource
import secrets
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from .served import Served
from .visitors import Drawing, models_of

ADDRESS = "127.0.0.2"
"""The hostile visitor's; the crowd has another."""
CARD = "with-a-large-card"
CARD_BYTES = 10_000_000
API = "/gradio_api"

Flood = Callable[[httpx.AsyncClient, Served, random.Random], Awaitable[httpx.Response]]


@contextlib.contextmanager
def with_large_card(checkpoints: Path) -> Iterator[Path]:
    """A folder with the same checkpoints, and a copy of the first whose card is hostile."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for checkpoint in sorted(path.parent.resolve() for path in checkpoints.glob("*/config.json")):
            (folder / checkpoint.name).symlink_to(checkpoint)
            if not (folder / CARD).exists():
                shutil.copytree(checkpoint, folder / CARD)
                (folder / CARD / "README.md").write_text("![" * (CARD_BYTES // 2))
        yield folder


async def flood(page: Served, end: float, chance: random.Random) -> dict[str, int]:
    """Ask in every way that costs the page something, as much as goes, until the end; how often what was answered."""
    answered: dict[str, int] = {}

    async def repeat(what: str, ask: Flood) -> None:
        while time.monotonic() < end:
            try:
                status = str((await ask(client, page, chance)).status_code)
            except httpx.HTTPError as error:
                status = type(error).__name__
            answered[f"{what} {status}"] = answered.get(f"{what} {status}", 0) + 1
            await asyncio.sleep(0 if status.startswith("2") else 0.02)

    transport = httpx.AsyncHTTPTransport(local_address=ADDRESS, limits=httpx.Limits(max_connections=200))
    async with httpx.AsyncClient(base_url=page.address, transport=transport, timeout=30) as client:
        floods: dict[str, tuple[int, Flood]] = {
            "stroke": (20, _stroke),
            "upload": (4, _upload),
            "page": (20, _page),
            "batch": (10, _batch),
            "card": (10, _card),
        }
        await asyncio.gather(*(repeat(what, ask) for what, (times, ask) in floods.items() for _ in range(times)))
    return dict(sorted(answered.items()))


async def _stroke(client: httpx.AsyncClient, page: Served, chance: random.Random) -> httpx.Response:
    """A drawing of noise under a new name of a session, so that no cache and no session's limit helps."""
    model = chance.choice(_once(page, models_of))
    drawing = Drawing(model, chance)
    drawing.move()
    body = {
        "data": {"checkpoint": model.checkpoint, "direction": model.direction, "image": drawing.url()},
        "component_id": model.component,
        "fn_name": model.function,
        "session_hash": secrets.token_hex(8),
    }
    return await client.post(f"{API}/component_server/", json=body)


async def _upload(client: httpx.AsyncClient, page: Served, chance: random.Random) -> httpx.Response:
    return await client.post(f"{API}/upload", files={"files": ("a.png", chance.randbytes(19_000_000))})


async def _page(client: httpx.AsyncClient, page: Served, chance: random.Random) -> httpx.Response:
    return await client.get("/config", headers={"Accept-Language": secrets.token_hex(2)})


async def _batch(client: httpx.AsyncClient, page: Served, chance: random.Random) -> httpx.Response:
    """A batch of sixty files that are no pictures, from a new session each time."""
    paths = _once(page, lambda _: [{"path": "x", "meta": {"_type": "gradio.FileData"}}] * 60)
    return await _event(client, page, "-batch-start", [paths, {}])


async def _card(client: httpx.AsyncClient, page: Served, chance: random.Random) -> httpx.Response:
    return await _event(client, page, "-card", [CARD])


async def _event(client: httpx.AsyncClient, page: Served, suffix: str, data: list[Any]) -> httpx.Response:
    """Join the queue with an event of the element whose id ends so."""

    def find(config: dict[str, Any]) -> dict[str, int]:
        ids = {c["id"]: c["props"].get("elem_id") or "" for c in config["components"]}
        events = [d for d in config["dependencies"] if d["backend_fn"] and len(d["inputs"]) == len(data)]
        return {ids.get(t[0], ""): d["id"] for d in events for t in d["targets"]}

    found = _once(page, find, suffix)
    number = next(number for name, number in found.items() if name.endswith(suffix))
    body = {"data": data, "fn_index": number, "session_hash": secrets.token_hex(8)}
    return await client.post(f"{API}/queue/join", json=body)


_found: dict[tuple[str, Any, str], Any] = {}


def _once(page: Served, find: Callable[[dict[str, Any]], Any], more: str = "") -> Any:
    """What there is to find in the page's configuration, looked for once."""
    key = (page.address, find.__qualname__, more)
    if key not in _found:
        _found[key] = find(page.config)
    return _found[key]


# What wraps the page: the wall clock jumps by a day, forth and back, every other second.
JUMPING = """
import sys, time
now = time.time
time.time = lambda: now() + 86400 * (int(time.monotonic() / 2) % 3 - 1)
import app
sys.exit(app.main())
"""


def _limited(kind: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (most, most))


FAULTS: dict[str, dict[str, Any]] = {
    "no fault": {},
    "files of at most 64 kB, as on a full disk": {"preexec_fn": _limited(resource.RLIMIT_FSIZE, 64_000)},
    "a home that cannot be written": {"environment": {"HOME": "/proc", "XDG_CACHE_HOME": "/proc/cache"}},
    "256 file handles": {"preexec_fn": _limited(resource.RLIMIT_NOFILE, 256)},
    "a clock that jumps by days": {"python": ("-c", JUMPING)},
}


def describe(answered: dict[str, int]) -> str:
    """What the hostile visitor was answered, a line each kind."""
    groups = itertools.groupby(answered.items(), key=lambda item: item[0].partition(" ")[0])
    lines = [f"  {what}: " + ", ".join(f"{n} × {k.partition(' ')[2]}" for k, n in kinds) for what, kinds in groups]
    return "\n".join(["the hostile visitor was answered", *lines])
