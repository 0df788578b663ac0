"""What a visitor can make the page hold or make: files, pictures, answers, the page itself."""

import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

import i2i_models as i2i
from ui import payload, service, text
from ui.cache import Cache
from ui.errors import BadRequest

from .conftest import Server


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
