"""What breaks around the page: visitors who leave, threads that die, a full disk, a crowd, the order to end."""

import json
import pickle
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from tiny_checkpoints import PAIRED, STYLED

from ui import service, text
from ui.answers import Answers
from ui.catalog import Catalog

from .conftest import ROOT, Server, drawing

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
def started() -> list[Server]:
    """The servers that break, the last of which may still run."""
    return []


@pytest.fixture
def faulty(started: list[Server], start: Callable[..., Server]) -> Server:
    """A server that breaks; another one if a test has ended the last."""
    if not started or started[-1].process.poll() is not None:
        started.append(start(("-c", FAULTY), FULL="1"))
    return started[-1]


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
    for name in (PAIRED, STYLED):
        answer = answers.translate({"checkpoint": name, "direction": "A2B", "image": drawing()})
        assert answer["image"].startswith("data:")
