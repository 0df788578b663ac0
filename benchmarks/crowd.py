"""A crowd: visitors who draw and drag as people do, over HTTP, what they saw and what it cost the page."""

import asyncio
import random
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from .goals import judge_crowd, judge_memory
from .served import Served
from .visitors import Drawing, Model, models_of

WARM = 10.0
"""Seconds after which memory should be flat."""
LOST = 20.0
"""Seconds after which the page counts a question as lost."""
FRAME = 1 / 30
"""Seconds between two moves of a hand, the least between two questions."""
RETRY = 1.0
"""Seconds after which a visitor who does so asks again."""

Memory = list[tuple[float, float]]
"""Seconds since the start, megabytes."""


@dataclass
class Visitor:
    """What one visitor saw: seconds until each answer, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    """When each answer came, as `time.monotonic` says it."""
    retries: bool = False
    """Whether it is no complaint that a question does not arrive: it is asked again after a while."""

    @property
    def median(self) -> float:
        """Of the waits for an answer; endless if there was none."""
        return statistics.median(self.seconds) if self.seconds else float("inf")


@dataclass
class Play:
    """For how long visitors play."""

    end: float
    """As `time.monotonic` says it; may be changed meanwhile."""

    @property
    def left(self) -> float:
        """Seconds, 0 once it is over."""
        return max(0.0, self.end - time.monotonic())


def quantile(everybody: list[Visitor], share: float) -> float:
    """The wait, in seconds, that a share of all answers did not exceed; endless if there was none."""
    waits = sorted(wait for visitor in everybody for wait in visitor.seconds)
    return waits[min(len(waits) - 1, int(len(waits) * share))] if waits else float("inf")


async def crowd_of(
    page: Served, count: int, play: Play | float, chance: random.Random, retries: bool = False
) -> tuple[list[Visitor], Memory, float]:
    """Let `count` visitors play with the page, for seconds or until the play is over.

    Returns:
        What they saw, the page's memory, and the seconds that it took.
    """
    play = play if isinstance(play, Play) else Play(time.monotonic() + play)
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
            plays.append(_visit(client, visitor, model, _drag if drags else _draw, play, own))
        await asyncio.gather(*plays)
        took = time.monotonic() - start
        watch.cancel()
        return everybody, memory, took


async def _visit(
    client: httpx.AsyncClient, visitor: Visitor, model: Model, hand: Any, play: Play, chance: random.Random
) -> None:
    """Come within the first seconds, open the page, and play until the end."""
    await asyncio.sleep(chance.uniform(0, min(5.0, play.left / 4)))
    try:
        (await client.get("/")).raise_for_status()
        session = f"{chance.getrandbits(64):x}"
        await hand(ServerClient(client, visitor, model, session), model, play, chance)
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
                await asyncio.sleep(RETRY)
            else:
                self.visitor.complaints.append(repr(error))
            return {}
        if "forgotten" in answer:
            return {}
        if "error" in answer or response.is_error:
            self.visitor.complaints.append(f"{response.status_code} {answer}"[:200])
            return {}
        self.visitor.seconds.append(time.monotonic() - start)
        self.visitor.answered.append(time.monotonic())
        return answer


async def _draw(client: ServerClient, model: Model, play: Play, chance: random.Random) -> None:
    """Draw: strokes that grow while the answers come, a look at the result after each, a new drawing now and then."""
    while play.left:
        drawing = Drawing(model, chance)
        for _ in range(chance.randint(3, 8)):
            stroke_ends = time.monotonic() + chance.uniform(0.4, 1.5)
            while time.monotonic() < min(play.end, stroke_ends):
                drawing.move()
                await client.ask(image=drawing.url())
                await asyncio.sleep(FRAME)
            drawing.lift()
            await asyncio.sleep(min(chance.uniform(0.5, 3), play.left))


async def _drag(client: ServerClient, model: Model, play: Play, chance: random.Random) -> None:
    """Draw a little, then drag the style about, rest, and drag again; a new drawing now and then."""
    while play.left:
        drawing = Drawing(model, chance)
        for _ in range(12):
            drawing.move()
        source = {"image": drawing.url()}
        drawn = await client.ask("sample", seed=chance.randrange(1000), count=1)
        if not drawn:
            await asyncio.sleep(FRAME)
            continue
        style = drawn["styles"][0]
        for _ in range(chance.randint(3, 8)):
            drag_ends = time.monotonic() + chance.uniform(1, 3)
            while time.monotonic() < min(play.end, drag_ends):
                answer = await client.ask(**source, style=style)
                # The page sends the picture again when the server has forgotten it.
                source = {"key": answer["key"]} if answer else {"image": drawing.url()}
                style = [number + chance.gauss(0, 0.1) for number in style]
                await asyncio.sleep(FRAME)
            await asyncio.sleep(min(chance.uniform(1, 4), play.left))


async def _watch(pid: int, start: float, memory: Memory) -> None:
    process = psutil.Process(pid)
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        memory.append((time.monotonic() - start, process.memory_info().rss / 1e6))
        await asyncio.sleep(RETRY)


def report(everybody: list[Visitor], memory: Memory, took: float) -> str:
    """The figures, a line each."""
    waits = sorted(wait for visitor in everybody for wait in visitor.seconds)
    complaints = [complaint for visitor in everybody for complaint in visitor.complaints]
    medians = [visitor.median for visitor in everybody]
    later = [(at, size) for at, size in memory if at >= WARM] or memory
    half = len(later) // 2
    halves = [statistics.mean(size for _, size in part) for part in (later[: half or 1], later[half:])]
    most = max(size for _, size in later)
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
        f"most {most:.0f} MB",
        f"goal: {judge_memory(took, halves[1] / halves[0], most / halves[0])}",
    ]
    return "\n".join(lines)
