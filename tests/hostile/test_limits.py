"""Who is served when, and how often: queues, rates, shares, addresses."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import free_port, run_async

from ui.batch import Shares
from ui.limits.fair_queue import FairQueue, QueueFull, Superseded, Visitor
from ui.limits.guard import ADDRESS, Guard
from ui.limits.rate_limit import Counts, Lately, RateLimit


def test_the_queue_goes_round_addresses_and_sessions() -> None:
    async def play() -> list[Visitor]:
        queue = FairQueue(places=1, places_each=1, waiting_each=9)
        first = queue.ask(("busy", "0"))
        assert first.done()
        visitors = [("busy", "1"), ("busy", "1"), ("busy", "1"), ("busy", "2"), ("calm", "1")]
        places = [(visitor, queue.ask(visitor)) for visitor in visitors]
        order, holder = [], ("busy", "0")
        while places:
            queue.leave(holder)
            holder, place = next(one for one in places if one[1].done())
            places.remove((holder, place))
            order.append(holder)
        queue.leave(holder)
        assert (queue.running, len(queue)) == (0, 0)
        return order

    order = run_async(play())
    assert order.index(("calm", "1")) <= 1
    assert order.index(("busy", "2")) <= 2, "the second session does not wait for all of the first one's"


def test_the_queue_is_bounded_and_the_newest_win() -> None:
    async def play() -> None:
        queue = FairQueue(places=1, places_each=1, waiting=4, waiting_address=3, waiting_each=2)
        queue.ask(("a", "1"))
        oldest, *newer = [queue.ask(("a", "1")) for _ in range(3)]
        assert isinstance(oldest.exception(), Superseded) and not any(p.done() for p in newer)
        queue.ask(("a", "2"))
        with pytest.raises(QueueFull):
            queue.ask(("a", "3"))
        last = queue.ask(("b", "1"))
        with pytest.raises(QueueFull):
            queue.ask(("c", "1"))
        queue.give_up(("b", "1"), last)
        queue.ask(("c", "1"))
        assert len(queue) == 4

    run_async(play())


def test_whoever_ends_the_server_may_count_while_visitors_come_and_go() -> None:
    """From another thread; one that goes through the table meanwhile finds it changed sooner or later."""
    queue = FairQueue(places=1, waiting=10_000)
    over = threading.Event()

    async def play() -> None:
        queue.ask(("first", ""))
        for number in range(40_000):
            if number % 40 == 0:
                places = {}
            visitor = (f"{number % 40}", "")
            places[visitor] = queue.ask(visitor)
            if number % 40 == 39:
                for each, place in places.items():
                    queue.give_up(each, place)
        assert len(queue) == 0

    def count() -> int:
        most = 0
        while not over.is_set():
            most = max(most, len(queue))
        return most

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(1) as pool:
            counted = pool.submit(count)
            try:
                run_async(play())
            finally:
                over.set()
            assert 1 <= counted.result() <= 40
    finally:
        sys.setswitchinterval(before)


def test_rates_are_counted_for_each_name_and_kind() -> None:
    async def play() -> None:
        counts = Counts()
        limit, other = RateLimit(counts, "a", rate=1, burst=3), RateLimit(counts, "b", rate=1, burst=3)
        assert [await limit.take("x") for _ in range(3)] == [0, 0, 0]
        assert 0 < await limit.take("x") <= 6
        assert await limit.take("y") == 0 and await other.take("x") == 0

    run_async(play())
    lately = Lately(most=2)
    for name in "abc":
        lately.add(name)
    assert "a" not in lately and "c" in lately


def test_requests_are_counted_here_while_the_common_store_is_away(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("redis", reason="for replicas alone: pip install -r deploy/requirements.txt")

    async def play() -> list[float]:
        limit = RateLimit(Counts("redis://127.0.0.1:1"), "a", rate=1, burst=2)
        return [await limit.take("x") for _ in range(3)]

    waits = run_async(play())
    assert waits[:2] == [0, 0] and waits[2] > 0 and caplog.text.count("does not answer") == 1


@pytest.mark.slow
def test_replicas_count_together_in_a_redis(tmp_path: Path) -> None:
    pytest.importorskip("redis", reason="for replicas alone: pip install -r deploy/requirements.txt")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    port = free_port()
    store = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    )

    async def play() -> list[bool]:
        replicas = [RateLimit(Counts(f"redis://127.0.0.1:{port}"), "a", rate=0.01, burst=3) for _ in range(2)]
        return [await replicas[number % 2].take("x") > 0 for number in range(4)]

    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        assert run_async(play()) == [False, False, False, True]
    finally:
        store.terminate()
        store.wait(10)


def test_a_clock_that_is_set_back_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        limit = RateLimit(Counts(), "a", rate=1, burst=2)
        assert [await limit.take("x") > 0 for _ in range(3)] == [False, False, True]
        now = time.time
        for jump in (-86_400, 86_400):
            monkeypatch.setattr(time, "time", lambda jump=jump: now() + jump)
            assert [await limit.take("x") > 0 for _ in range(3)] == [False, False, True]

    run_async(play())


def pages(guard: Guard, app: Callable[..., Any] | None = None) -> httpx.AsyncClient:
    """A client of an app of one line behind a guard, each on its own."""

    async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": dict(scope["headers"]).get(ADDRESS, b"")})

    return httpx.AsyncClient(transport=httpx.ASGITransport(app=guard.around(app or echo)), base_url="http://page")


def test_names_of_sessions_are_short_and_newcomers_bounded() -> None:
    """Names that differ beyond a length would be one visitor here and many to Gradio."""

    async def play() -> None:
        async with pages(Guard(1000, behind_proxy=False)) as client:
            for path in ("/gradio_api/component_server/", "/gradio_api/queue/join"):
                long = await client.post(path, json={"session_hash": "x" * 64 + "1"})
                assert long.status_code == 400 and "64" in long.text
            assert (await client.get("/gradio_api/heartbeat/" + "x" * 65)).status_code == 400
            answers = [
                await client.post("/gradio_api/queue/join", json={"session_hash": f"{i}" + "x" * 60})
                for i in range(300)
            ]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) >= 150 and {"Retry-After"} <= {h.title() for h in refused[0].headers}

    run_async(play())


def test_reading_and_listening_are_bounded_for_each_address() -> None:
    async def play() -> None:
        hold = asyncio.Event()

        async def listen(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if "heartbeat" in scope["path"]:
                await hold.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        guard = Guard(1000, behind_proxy=False)
        async with pages(guard, listen) as client:
            streams = [asyncio.create_task(client.get(f"/gradio_api/heartbeat/{i}")) for i in range(200)]
            while sum(task.done() for task in streams) < 50:
                await asyncio.sleep(0.01)
            assert guard.streams.total() == 150
            hold.set()
            codes = Counter([(await task).status_code for task in streams])
            assert codes == {200: 150, 429: 50} and not guard.streams
            read = Counter([(await client.get("/config")).status_code for _ in range(1000)])
            assert read[200] <= 800 and read[429] >= 200, "of a burst"
            assert (await client.get("/assets/page.js")).status_code == 200, "a visitor still finds the page's scripts"
            assert (await client.get("/healthz")).status_code == 200, "a load balancer is never sent away"

    run_async(play())


def test_one_visitor_does_not_fill_the_queue_of_events() -> None:
    """Its share is a part of the queue, and so is that of its address; somebody else is let in."""
    waiting: list[Visitor] = []

    async def play() -> None:
        guard = Guard(1000, behind_proxy=True, events=lambda: waiting)

        async def join(address: str, session: str) -> int:
            body = {"session_hash": session}
            async with pages(guard) as client:
                asked = await client.post("/gradio_api/queue/join", json=body, headers={"X-Forwarded-For": address})
            if asked.status_code == 200:
                waiting.append((asked.text, session))
            return asked.status_code

        assert [await join("8.8.8.8", "one") for _ in range(10)] == [200] * 8 + [429] * 2
        assert await join("8.8.8.8", "two") == 200
        crowd = [await join("8.8.8.8", f"s{i}") for i in range(60)]
        assert crowd.count(200) == 48 - 9 and await join("9.9.9.9", "one") == 200

    run_async(play())


def test_nobody_sends_the_guards_own_header() -> None:
    async def play() -> str:
        async with pages(Guard(1000, behind_proxy=False)) as client:
            return (await client.get("/", headers={ADDRESS.decode(): "6.6.6.6"})).text

    assert run_async(play()) == "127.0.0.1"


def test_many_files_in_one_form_are_refused() -> None:
    async def play() -> None:
        files = [("files", (f"{i}.png", b"x")) for i in range(90)]
        async with pages(Guard(1000, behind_proxy=False)) as client:
            refused = await client.post("/gradio_api/upload", files=files)
            assert refused.status_code == 413 and "80" in refused.text
            assert (await client.post("/gradio_api/upload", files=files[:60])).status_code == 200

    run_async(play())


def test_one_session_has_one_batch_and_an_address_leaves_places() -> None:
    shares = Shares(each_address=2)
    end = shares.take(("a", "1"))
    assert end is not None and shares.take(("a", "1")) is None
    assert shares.take(("a", "2")) is not None and shares.take(("a", "3")) is None
    assert shares.take(("b", "1")) is not None, "another address has its own"
    end()
    again = shares.take(("a", "1"))
    end()  # of the first batch, which ends late
    assert again is not None and shares.take(("a", "1")) is None


def test_addresses_are_believed_only_behind_a_proxy() -> None:
    def scope(forwarded: str, client: str = "10.0.0.1") -> dict[str, Any]:
        return {"type": "http", "client": (client, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}

    direct, behind = (Guard(1, behind_proxy=p) for p in (False, True))
    assert direct.address(scope("1.2.3.4")) == "10.0.0.1"
    assert behind.address(scope("6.6.6.6, 1.2.3.4, 10.0.0.9")) == "1.2.3.4", "what stands left anybody may write"
    assert behind.address(scope("nonsense, ::1")) == "10.0.0.1"
    networks = {behind.address(scope(f"2600:1:2:3::{i}")) for i in range(9)}
    assert len(networks) == 1, "one customer has all addresses of such a network"
