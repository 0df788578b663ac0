"""Pages to which happens what happens to servers, tiny networks in them: `benchmarks load --hostile` as tests."""

import re
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import SHARED
from tiny_checkpoints import save_checkpoints

from benchmarks.faults import FAULTS, kill_page
from benchmarks.load import load
from ui import text

from .conftest import Server, drawing

pytestmark = pytest.mark.slow


OWN = {"I2I_ENGINE": "auto", "XDG_CACHE_HOME": str(SHARED / "cache")}
"""The engine that keeps its graphs in the home."""


def broken(start: Callable[..., Server], fault: str) -> Server:
    """A page with a fault."""
    how = FAULTS[fault]
    python, environment = how.get("python", ("app.py",)), how.get("environment", {})
    return start(python, preexec_fn=how.get("preexec_fn"), **{**OWN, **environment})


def serves(server: Server) -> None:
    """Fail unless the page still draws and takes a file, and ends in order when it is told to."""
    for _ in range(5):
        server.works()
    uploaded = server.client.post("/gradio_api/upload", files={"files": ("a.png", b"x" * 1000)})
    assert uploaded.status_code == 200, uploaded.text
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0, server.log


def test_a_full_disk(start: Callable[..., Server]) -> None:
    server = broken(start, "files of at most 64 kB, as on a full disk")
    refused = server.client.post("/gradio_api/upload", files={"files": ("a.png", b"x" * 100_000)})
    assert refused.status_code == 507 and text.LIMITS["disk_full"].partition("{")[0] in refused.text
    serves(server)


def test_a_home_that_cannot_be_written(start: Callable[..., Server]) -> None:
    serves(broken(start, "a home that cannot be written"))


def test_few_file_handles(start: Callable[..., Server]) -> None:
    """More connections than there are handles: who is there is answered, and all are once these have gone."""
    server = broken(start, "256 file handles")
    server.works()
    host, port = server.client.base_url.host, server.client.base_url.port
    with ExitStack() as held:
        for _ in range(300):
            held.enter_context(socket.create_connection((host, port or 80), timeout=5))
        for shade in range(3):
            answer = server.ask(server.question({"image": drawing(shade)})).json()
            assert "image" in answer or "went wrong on our side" in answer["error"]
        assert server.logged("out of system resource"), "there were fewer handles than connections"
    serves(server)


def test_a_clock_that_jumps_by_days(start: Callable[..., Server]) -> None:
    serves(broken(start, "a clock that jumps by days"))


def test_visitors_go_on_when_the_page_was_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoints(tmp_path)
    kill_page(tmp_path, seed=0)
    said = capsys.readouterr().out
    assert "5 of 5 went on, 0 errors" in said, said


def test_a_crowd_is_served_beside_a_hostile_visitor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoints(tmp_path)
    load(visitors=3, seconds=5, checkpoints=tmp_path, parts=("alone", "beside"))
    said = capsys.readouterr().out
    assert len(re.findall(r"3 visitors, .* 0 errors", said)) == 2, said
    assert said.count("the page left with exit code 0") == 2 and "× that without" in said
    answered = said.partition("the hostile visitor was answered")[2]
    assert {"stroke", "upload", "page", "batch", "card"} <= set(re.findall(r"^  (\w+):", answered, re.M))
