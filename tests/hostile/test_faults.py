"""What breaks around the page: visitors who leave, threads that die, a full disk, a crowd, the order to end."""

import asyncio
import json
import os
import pickle
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from conftest import run_async
from PIL import Image

import i2i_models as i2i
from ui import payload, service, text
from ui.answers import Answers
from ui.batch import Shares
from ui.cache import Cache
from ui.catalog import Catalog
from ui.errors import BadRequest
from ui.limits.fair_queue import FairQueue, QueueFull, Superseded, Visitor
from ui.limits.guard import ADDRESS, Guard
from ui.limits.rate_limit import Counts, Lately, RateLimit

from .conftest import PLAIN, ROOT, STYLED, Server, drawing

# An app in which what happens to servers happens: no room on the disk, a thread that dies in the middle of its work.
FAULTY = """
import errno, os, sys, tempfile, time
import i2i_models as i2i
import gradio.route_utils
import app

decode = i2i.Translator.decode

def faulty(self, codes, style=None, seed=None, temperature=1.0, draft=False):
    if seed == 13:
        raise MemoryError("the thread dies")
    if seed == 14:
        time.sleep(3)
    return decode(self, codes, style, seed, temperature, draft)

class Full:
    def __init__(self, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

i2i.Translator.decode = faulty
if os.environ.get("FULL"):
    gradio.route_utils.NamedTemporaryFile = Full
sys.exit(app.main())
"""


@pytest.fixture(scope="module")
def faulty(start: Callable[..., Server]) -> Server:
    return start(("-c", FAULTY), FULL="1")


def test_a_full_disk_is_a_sentence(faulty: Server) -> None:
    answer = faulty.client.post("/gradio_api/upload", files={"files": ("a.png", b"x" * 100)})
    assert answer.status_code == 507
    number = answer.json()["detail"].split()[-1].rstrip(".")
    assert text.LIMITS["disk_full"].partition("{")[0] in answer.json()["detail"]
    assert faulty.logged(number), "who runs the server finds the error by its number"
    faulty.works()


def test_a_full_disk_under_a_question_is_a_sentence(faulty: Server) -> None:
    form = {"component_id": str(faulty.components["open_picture"]), "fn_name": "open_picture", "session_hash": "a"}
    answer = faulty.client.post("/gradio_api/component_server/", data=form, files={"file": ("a.png", b"x")})
    assert (answer.status_code, "no room" in answer.json()["error"]) == (507, True)
    faulty.works()


def test_a_thread_that_dies_is_a_sentence(faulty: Server) -> None:
    for _ in range(10):  # more than there are places in the queue
        answer = faulty.ask(faulty.question({"seed": 13})).json()
        number = answer["error"].split()[-1].rstrip(".")
        assert "went wrong on our side" in answer["error"] and faulty.logged(number)
    faulty.works()


def test_visitors_who_leave_in_the_middle(faulty: Server) -> None:
    """Half-sent, sent and not waited for, and while they stand in line: no place stays taken."""
    host, port = faulty.client.base_url.host, faulty.client.base_url.port
    whole = json.dumps(faulty.question({"seed": 14, "image": drawing(5)}, session_hash="leaves")).encode()
    head = b"POST /gradio_api/component_server/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: %d\r\n\r\n" % len(whole)
    for sent in [head, head + whole[: len(whole) // 2], *[head + whole] * 8]:
        with socket.create_connection((host, port or 80)) as connection:
            connection.sendall(sent)
            time.sleep(0.05)
    until = time.monotonic() + 30
    while any(faulty.client.get("/healthz").json()["questions"].values()) and time.monotonic() < until:
        time.sleep(0.2)
    assert not any(faulty.client.get("/healthz").json()["questions"].values())
    faulty.works()


def test_sigterm_lets_what_runs_finish(faulty: Server) -> None:
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(faulty.ask, faulty.question({"seed": 14, "image": drawing(6)}, session_hash="slow"))
        until = time.monotonic() + 20
        while not faulty.client.get("/healthz").json()["questions"]["running"] and time.monotonic() < until:
            time.sleep(0.05)
        faulty.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert faulty.client.get("/healthz").status_code == 503, "a load balancer must send nobody here any more"
        late = faulty.ask(faulty.question(session_hash="late")).json()
        assert late == {"error": text.LIMITS["closing"]}
        assert slow.result().json()["image"].startswith("data:image/")
    assert faulty.process.wait(30) == 0


def test_a_crowd_of_one_visitor_does_not_keep_others_waiting(server: Server) -> None:
    """Somebody who fires without end loses the oldest questions; somebody else is served in between."""

    def fire(number: int) -> dict[str, Any]:
        question = server.question({"image": drawing(100 + number)}, session_hash="fires")
        return httpx.post(f"{server.client.base_url}/gradio_api/component_server/", json=question, timeout=60).json()

    with ThreadPoolExecutor(40) as pool:
        fired = [pool.submit(fire, number) for number in range(60)]
        start = time.monotonic()
        calm = server.ask(server.question({"image": drawing(99)}, session_hash="calm")).json()
        waited = time.monotonic() - start
        answers = [f.result() for f in fired]
    assert "image" in calm and waited < 10
    left_out = [a["error"] for a in answers if "error" in a]
    assert set(left_out) <= {text.LIMITS["superseded"], text.LIMITS["too_often"]}
    assert sum("image" in a for a in answers) >= 6, "the newest are answered"
    server.works()


def test_uploads_and_files_are_served_while_questions_wait(server: Server) -> None:
    def fire(number: int) -> None:
        question = server.question({"image": drawing(200 + number)}, session_hash=f"crowd{number % 10}")
        httpx.post(f"{server.client.base_url}/gradio_api/component_server/", json=question, timeout=60)

    with ThreadPoolExecutor(40) as pool:
        fired = [pool.submit(fire, number) for number in range(40)]
        uploaded = server.client.post("/gradio_api/upload", files={"files": ("a.png", b"x" * 1000)})
        assert uploaded.status_code == 200
        assert server.client.get("/theme.css").status_code == 200
        for f in fired:
            f.result()
    path = Path(uploaded.json()[0])
    assert path.is_relative_to(server.uploads)
    assert len(path.parent.name) == 64, "named by a salted hash: nobody finds it who was not told"
    found = server.client.get(f"/gradio_api/file={path}")
    assert found.content == b"x" * 1000
    assert server.client.get(f"/gradio_api/file={path.parent}").status_code == 403, "folders are not listed"


def test_headers_of_every_answer(server: Server) -> None:
    for path in ("/", "/healthz", "/config", "/nobody", "/gradio_api/file=/etc/passwd", "/gradio_api/proxy=x"):
        headers = server.client.get(path).headers
        assert {name: headers.get(name) for name in service.HEADERS} == service.HEADERS
    elsewhere = server.client.get("/config", headers={"Origin": "https://evil.example"}).headers
    assert "access-control-allow-origin" not in elsewhere, "a page elsewhere may not read what runs on localhost"
    assert "x-frame-options" not in elsewhere, "the Hub shows Spaces in a frame; the policy says who may"


def test_serving_never_unpickles(server: Server, start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    """No source at serving names a reader of pickles, and loading and translating calls none."""
    sources = [*(ROOT / "ui").rglob("*.py"), ROOT / "app.py"]
    sources += [p for p in (ROOT / "i2i_models").glob("*.py") if p.name != "convert.py"]
    for source in sources:
        code = source.read_text(encoding="utf-8")
        for reader in ("torch.load", "import pickle", "pickle.load", "allow_pickle=True", "joblib", "shelve"):
            assert reader not in code, f"{source.name} names {reader}"

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a pickle was read")

    for module, name in ((torch, "load"), (pickle, "load"), (pickle, "loads")):
        monkeypatch.setattr(module, name, refuse)
    answers = Answers(Catalog(server.uploads.parent / "checkpoints"))
    for name in (PLAIN, STYLED):
        answer = answers.translate({"checkpoint": name, "direction": "A2B", "image": drawing()})
        assert answer["image"].startswith("data:")


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


def test_many_files_in_one_form_are_refused(server: Server) -> None:
    files = [("files", (f"{i}.png", b"x")) for i in range(90)]
    refused = server.client.post("/gradio_api/upload", files=files)
    assert refused.status_code == 413 and "80" in refused.text
    assert len(server.client.post("/gradio_api/upload", files=files[:60]).json()) == 60


def test_the_page_is_made_once_for_a_language(server: Server) -> None:
    first = server.client.get("/config")
    again = server.client.get("/config", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for packing in ("br", "gzip"):
        packed = server.client.get("/config", headers={"Accept-Encoding": packing})
        assert packed.headers["content-encoding"] == packing and packed.content == first.content
        assert int(packed.headers["content-length"]) < len(first.content) / 3
    chinese = server.client.get("/config", headers={"Accept-Language": "zh"})
    assert chinese.json()["title"] != first.json()["title"] and "Accept-Language" in chinese.headers["vary"]
    assert server.client.get("/?x=1").headers["etag"] == server.client.get("/?deep_link=2").headers["etag"]
    assert server.client.head("/").headers["etag"] == server.client.get("/").headers["etag"]
    assert server.client.get("/config?page=").json()["components"]
    other = server.client.get("/config", headers={"Host": "localhost"}).json()
    assert other["root"] == "http://localhost" != first.json()["root"]


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


def test_temporary_files_are_bounded(tmp_path: Path) -> None:
    now = time.time()
    for age in range(10):
        path = tmp_path / f"{age}" / "a.png"
        path.parent.mkdir()
        path.write_bytes(b"x" * 100)
        os.utime(path, (now - age * 60, now - age * 60))
    service.tidy(tmp_path, max_bytes=10_000, max_age=7.5 * 60)
    assert sorted(p.parent.name for p in tmp_path.rglob("*.png")) == list("01234567")
    service.tidy(tmp_path, max_bytes=350, max_age=3600)
    assert sorted(p.parent.name for p in tmp_path.rglob("*.png")) == list("012")
    assert len(list(tmp_path.iterdir())) == 3, "no empty folders stay"
    service.tidy(tmp_path, max_files=2)
    assert sorted(p.parent.name for p in tmp_path.rglob("*.png")) == list("01"), "files count, however small"


def test_the_pages_own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else looks into it, and what another program put in the way is not used."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = service.private_folder(7860)
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    assert service.private_folder(7860) == folder, "found again after a start"
    folder.chmod(0o777)
    for way in (lambda: None, lambda: (folder.rmdir(), folder.symlink_to(tmp_path))):
        way()
        other = service.private_folder(7860)
        assert other != folder and other.stat().st_mode & 0o777 == 0o700


def test_pictures_are_judged_by_their_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drawing of a hundred kilobytes would take hundreds of megabytes to be refused."""
    monkeypatch.setattr(i2i, "open_image", lambda *_: pytest.fail("decoded"))
    for side in (2049, 12_000):
        with pytest.raises(BadRequest, match=re.escape(text.SERVER["drawing_too_large"])):
            payload.read_image(payload.to_data_url(Image.new("1", (side, 16))))


def test_no_more_is_decoded_at_once_than_there_is_room_for() -> None:
    room, most, now, lock = payload.Room(10), [0], [0], threading.Lock()

    def decode(size: int) -> None:
        with room.taken(size):
            with lock:
                now[0] += min(size, 10)
                most[0] = max(most[0], now[0])
            time.sleep(0.001)
            with lock:
                now[0] -= min(size, 10)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, [3, 4, 5, 99] * 8))
    assert now[0] == 0 and 5 <= most[0] <= 10


def test_identical_questions_share_one_answer() -> None:
    cache: Cache[str] = Cache(100, 10, len)
    made, begun, may_end = [], threading.Event(), threading.Event()

    def make() -> str:
        made.append(1)
        begun.set()
        may_end.wait(10)
        return "answer"

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(cache.get_or_make, "question", make)
        begun.wait(10)
        others = [pool.submit(cache.get_or_make, "question", make) for _ in range(3)]
        may_end.set()
        assert {f.result() for f in [first, *others]} == {"answer"}
    assert cache.get_or_make("question", make) == "answer"
    assert len(made) == 1


def test_a_failed_answer_is_not_kept() -> None:
    cache: Cache[str] = Cache(100, 10, len)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_make("question", lambda: str(1 / 0))
    assert cache.get_or_make("question", lambda: "answer") == "answer"
