"""A crowd: visitors who draw and drag as people do, against the real page in a process of its own, over HTTP."""

import asyncio
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from .goals import judge_crowd, opening
from .hostile import FAULTS, describe, flood, with_large_card
from .served import Served, served
from .visitors import Drawing, Model, models_of

WARM = 10.0
"""Seconds after which memory should be flat."""
LOST = 20.0
"""Seconds after which the page counts a question as lost."""
FRAME = 1 / 30
"""Seconds between two moves of a hand, the least between two questions."""


Memory = list[tuple[float, float]]
"""Seconds since the start, megabytes."""


@dataclass
class Visitor:
    """What one visitor saw: seconds until each answer, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    retries: bool = False
    """Whether what does not arrive is asked once more after a while, as the page does."""
    last: float = 0.0
    """Seconds after the first answer at which the last one came."""
    first: float = 0.0

    @property
    def median(self) -> float:
        """Of the waits for an answer; endless if there was none."""
        return statistics.median(self.seconds) if self.seconds else float("inf")


def load(
    visitors: int = 50,
    seconds: float = 60.0,
    checkpoints: Path = Path("checkpoints"),
    seed: int = 0,
    hostile: bool = False,
) -> None:
    """Let a crowd play with the page and print how it was answered.

    The visitors run on the same machine as the page and take a part of its processor.

    Args:
        visitors: how many, each with a session of their own; half of them drag styles where a model has styles.
        seconds: for how long.
        checkpoints: the folder of checkpoints that the page serves.
        seed: of what they do.
        hostile: let the same crowd play again while one more visitor floods the page with all that costs it something.
            Then kill the page under load and start it again, and start it where disk, home, handles and clock fail.
    """
    print(opening())
    with served(checkpoints) as page:
        alone = asyncio.run(crowd_of(page, visitors, seconds, random.Random(seed)))
    print(report(*alone))
    print(f"told to end, the page left with exit code {page.process.returncode}", flush=True)
    if hostile:
        _hostile(visitors, seconds, checkpoints, seed, quantile(alone[0], 0.95))


def _hostile(visitors: int, seconds: float, checkpoints: Path, seed: int, alone: float) -> None:
    with with_large_card(checkpoints) as folder, served(folder) as page:
        answered: dict[str, int] = {}

        async def both() -> tuple[list[Visitor], Memory, float]:
            hostile = asyncio.create_task(flood(page, time.monotonic() + seconds, random.Random(seed)))
            crowd = await crowd_of(page, visitors, seconds, random.Random(seed))
            answered.update(await hostile)
            return crowd

        beside = asyncio.run(both())
    print(f"\nbeside a hostile visitor\n{report(*beside)}\n{describe(answered)}")
    print(f"p95 is {quantile(beside[0], 0.95) / alone:.2f} × that without", flush=True)
    print(f"\n{'fault':<44} {'answers':>8} {'errors':>7}  after")
    _killed(checkpoints, seed)
    for fault, how in FAULTS.items():
        try:
            with served(checkpoints, **how) as page:
                crowd, _, _ = asyncio.run(crowd_of(page, 5, 10, random.Random(seed)))
                running = "runs" if page.process.poll() is None else f"ended with {page.process.returncode}"
        except SystemExit as error:
            crowd, running = [], str(error)
        print(_line(fault, crowd, running), flush=True)


def _killed(checkpoints: Path, seed: int) -> None:
    """Kill the page in the middle, start it again on its port, and see who goes on."""
    with served(checkpoints) as page:
        port = int(page.address.rpartition(":")[2])

        async def play() -> list[Visitor]:
            crowd = asyncio.create_task(crowd_of(page, 5, 40, random.Random(seed), retries=True))
            await asyncio.sleep(8)
            page.process.kill()
            with served(checkpoints, port=port):
                return (await crowd)[0]

        crowd = asyncio.run(play())
    late = sum(visitor.last > 20 for visitor in crowd)
    print(_line("killed under load, started again", crowd, f"{late} of {len(crowd)} went on"), flush=True)


def _line(fault: str, crowd: list[Visitor], after: str) -> str:
    answers, errors = sum(len(v.seconds) for v in crowd), sum(len(v.complaints) for v in crowd)
    return f"{fault:<44} {answers:>8} {errors:>7}  {after}"


def quantile(everybody: list[Visitor], share: float) -> float:
    """The wait, in seconds, that a share of all answers did not exceed; endless if there was none."""
    waits = sorted(wait for visitor in everybody for wait in visitor.seconds)
    return waits[min(len(waits) - 1, int(len(waits) * share))] if waits else float("inf")


async def crowd_of(
    page: Served, count: int, seconds: float, chance: random.Random, retries: bool = False
) -> tuple[list[Visitor], "Memory", float]:
    """Let `count` visitors play with the page: what they saw, its memory, and the seconds that it took."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=page.address, limits=limits, timeout=LOST) as client:
        models = models_of(page.config)
        if not models:
            raise SystemExit("The page has no model to draw with.")
        drawn, dragged = ([m for m in models if m.function == name] for name in ("translate", "draw"))
        everybody = [Visitor(retries=retries) for _ in range(count)]
        memory: Memory = []
        start = time.monotonic()
        watch = asyncio.create_task(_watch(page.process.pid, start, memory))
        plays = []
        for number, visitor in enumerate(everybody):
            own = random.Random(chance.random())
            drags = bool(dragged) and (number % 2 == 1 or not drawn)
            model = own.choice(dragged if drags else drawn)
            plays.append(_visit(client, visitor, model, _drag if drags else _draw, start + seconds, own))
        await asyncio.gather(*plays)
        took = time.monotonic() - start
        watch.cancel()
        return everybody, memory, took


async def _visit(
    client: httpx.AsyncClient, visitor: Visitor, model: Model, play: Any, end: float, chance: random.Random
) -> None:
    """Come within the first seconds, open the page, and play until the end."""
    await asyncio.sleep(chance.uniform(0, min(5.0, (end - time.monotonic()) / 4)))
    try:
        (await client.get("/")).raise_for_status()
        session = f"{chance.getrandbits(64):x}"
        await play(ServerClient(client, visitor, model, session), model, end, chance)
    except Exception as error:
        visitor.complaints.append(repr(error))


@dataclass
class ServerClient:
    """A visitor's questions, one after the other as `live_requests.js` sends them."""

    client: httpx.AsyncClient
    visitor: Visitor
    model: Model
    session: str

    async def ask(self, function: str = "", **question: Any) -> dict[str, Any]:
        """The answer, timed; what is no answer is a complaint."""
        body = {
            "data": {"checkpoint": self.model.checkpoint, "direction": self.model.direction, **question},
            "component_id": self.model.component,
            "fn_name": function or self.model.function,
            "session_hash": self.session,
        }
        start = time.monotonic()
        try:
            response = await self.client.post("/gradio_api/component_server/", json=body)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            if self.visitor.retries:
                await asyncio.sleep(1)
            else:
                self.visitor.complaints.append(repr(error))
            return {}
        if "forgotten" in answer:
            return {}
        if "error" in answer or response.is_error:
            self.visitor.complaints.append(f"{response.status_code} {answer}"[:200])
            return {}
        self.visitor.seconds.append(time.monotonic() - start)
        self.visitor.first = self.visitor.first or start
        self.visitor.last = time.monotonic() - self.visitor.first
        return answer


async def _draw(client: ServerClient, model: Model, end: float, chance: random.Random) -> None:
    """Draw: strokes that grow while the answers come, a look at the result after each, a new drawing now and then."""
    while time.monotonic() < end:
        drawing = Drawing(model, chance)
        for _ in range(chance.randint(3, 8)):
            stroke_ends = time.monotonic() + chance.uniform(0.4, 1.5)
            while time.monotonic() < min(end, stroke_ends):
                drawing.move()
                await client.ask(image=drawing.url())
                await asyncio.sleep(FRAME)
            drawing.lift()
            await asyncio.sleep(min(chance.uniform(0.5, 3), max(0.0, end - time.monotonic())))


async def _drag(client: ServerClient, model: Model, end: float, chance: random.Random) -> None:
    """Draw a little, then drag the style about, rest, and drag again; a new drawing now and then."""
    while time.monotonic() < end:
        drawing = Drawing(model, chance)
        for _ in range(12):
            drawing.move()
        source = {"image": drawing.url()}
        drawn = await client.ask("sample", seed=chance.randrange(1000), count=1)
        style = drawn["styles"][0] if drawn else []
        for _ in range(chance.randint(3, 8)):
            drag_ends = time.monotonic() + chance.uniform(1, 3)
            while time.monotonic() < min(end, drag_ends):
                answer = await client.ask(**source, style=style)
                # The page sends the picture again when the server has forgotten it.
                source = {"key": answer["key"]} if answer else {"image": drawing.url()}
                style = [number + chance.gauss(0, 0.1) for number in style]
                await asyncio.sleep(FRAME)
            await asyncio.sleep(min(chance.uniform(1, 4), max(0.0, end - time.monotonic())))


async def _watch(pid: int, start: float, memory: Memory) -> None:
    process = psutil.Process(pid)
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        memory.append((time.monotonic() - start, process.memory_info().rss / 1e6))
        await asyncio.sleep(1)


def report(everybody: list[Visitor], memory: Memory, took: float) -> str:
    """The figures, a line each."""
    waits = sorted(wait for visitor in everybody for wait in visitor.seconds)
    complaints = [complaint for visitor in everybody for complaint in visitor.complaints]
    medians = [visitor.median for visitor in everybody]
    later = [(at, size) for at, size in memory if at >= WARM] or memory
    half = len(later) // 2
    halves = [statistics.mean(size for _, size in part) for part in (later[: half or 1], later[half:])]
    lines = [
        f"{len(everybody)} visitors, {took:.0f} s: {len(waits)} answers, {len(waits) / took:.1f} a second, "
        f"{len(complaints)} errors",
        *(f"  {complaint}" for complaint in sorted(set(complaints))[:5]),
    ]
    if waits:
        p50, p95 = (quantile(everybody, share) for share in (0.5, 0.95))
        lines += [
            f"wait for an answer: p50 {p50:.3f} s, p95 {p95:.3f} s, max {waits[-1]:.3f} s",
            f"fairness: medians from {min(medians):.3f} s (quickest served visitor) to {max(medians):.3f} s (slowest), "
            f"ratio {max(medians) / min(medians):.2f}",
            f"goal: {judge_crowd(len(everybody), took, len(complaints), p95)}",
        ]
    points = [f"{size:.0f} at {at:.0f} s" for at, size in memory[:: max(1, len(memory) // 6)]]
    lines += [
        f"memory of the page, MB: {', '.join(points)}, {memory[-1][1]:.0f} at the end",
        f"after the first {WARM:.0f} s: mean {halves[0]:.0f} MB in the first half, {halves[1]:.0f} MB in the second, "
        f"most {max(size for _, size in later):.0f} MB",
    ]
    return "\n".join(lines)
