"""Two replicas of the page behind nginx, by deploy/nginx.conf: visitors stay with one, and go on when it dies."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import ROOT, free_port
from gradio_client import Client, handle_file
from tiny_checkpoints import PAIRED

import i2i_models as i2i
from ui.payload import to_data_url

from .conftest import Started, drawing, pixels

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"),
]


class Balanced:
    """nginx before two pages."""

    def __init__(self, url: str, pages: list[Started]) -> None:
        self.url = url
        self.pages = {page.url.removeprefix("http://"): page for page in pages}


@pytest.fixture
def balanced(start: Callable[..., Started], tmp_path: Path) -> Iterator[Balanced]:
    pages = [start("app.py") for _ in range(2)]
    for page in pages:
        page.answers()
    port = free_port()
    process = subprocess.Popen(
        [str(NGINX), "-p", str(tmp_path), "-e", "error.log", "-c", str(configured(tmp_path, port, pages))]
    )
    url = f"http://127.0.0.1:{port}"
    try:
        yield Balanced(Started(process, url, tmp_path / "error.log").answers(20).url, pages)
    finally:
        process.terminate()
        process.wait(10)


def configured(folder: Path, port: int, pages: list[Started]) -> Path:
    """The documented example with this test's ports, all its files in a folder, and a word on who answered."""
    conf = (ROOT / "deploy" / "nginx.conf").read_text()
    for given, used in zip(
        ("7861", "7862", "8080"), (*(page.url.rpartition(":")[2] for page in pages), port), strict=True
    ):
        conf, count = re.subn(rf"^( +(?:listen|server) (?:127\.0\.0\.1:)?){given}\b", rf"\g<1>{used}", conf, flags=re.M)
        assert count == 1
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder / kind};\n" for kind in kinds)
    conf = conf.replace("http {\n", "http {\n" + temporary).replace(
        "proxy_buffering off;", "proxy_buffering off; add_header X-Replica $upstream_addr always;"
    )
    path = folder / "nginx.conf"
    path.write_text("daemon off;\n" + conf)
    return path


class Visitor:
    """A browser that has opened the page."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)
        self.http.get("/").raise_for_status()
        assert self.http.cookies["replica"]
        self.view = next(
            c["id"] for c in self.http.get("/config").json()["components"]
            if c["props"].get("elem_id") == "paired-view"
        )  # fmt: skip

    def ask(self, **source: str) -> tuple[dict[str, Any], str]:
        """An answer of `Answers.translate`, and the address of the replica that gave it last."""
        data = {"checkpoint": PAIRED, "direction": "A2B", **source}
        body = {"data": data, "component_id": self.view, "fn_name": "translate", "session_hash": "visitor0"}
        answer = self.http.post("/gradio_api/component_server/", json=body)
        answer.raise_for_status()
        return answer.json(), answer.headers["x-replica"].rpartition(" ")[2]


def test_a_visitor_stays_with_a_replica_and_goes_on_with_the_other(
    balanced: Balanced, folder: Path, tmp_path: Path
) -> None:
    image = to_data_url(drawing())
    visitors, homes = [], []
    while len(visitors) < 5 or set(homes) != set(balanced.pages):  # until both have work
        assert len(visitors) < 60, "all came to one replica"
        visitors.append(Visitor(balanced.url))
        homes.append(visitors[-1].ask(image=image)[1])
    answers = [visitor.ask(image=image)[0] for visitor in visitors]
    key = answers[0]["key"]
    for visitor, home in zip(visitors, homes, strict=True):
        answer, by = visitor.ask(key=key)  # the replica that has the codes
        assert by == home and answer["image"] == answers[0]["image"]

    drawing(1).save(tmp_path / "drawing.png")
    expected = pixels(i2i.load(folder / PAIRED).translate(drawing(1)))
    program = Client(balanced.url, verbose=False)

    def by_program() -> None:
        made = program.predict(handle_file(str(tmp_path / "drawing.png")), PAIRED, api_name="/translate")
        assert abs(pixels(Path(made).read_bytes()) - expected).max() <= 1

    by_program()
    one_address_has_its_share_of_connections(balanced.url)

    lost = httpx.get(f"{balanced.url}/config").headers["x-replica"]  # the one of the program, which has no cookie
    visitor = visitors[homes.index(lost)]
    before = visitor.ask(image=to_data_url(drawing(1)))[0]
    balanced.pages[lost].process.kill()
    balanced.pages[lost].process.wait(10)
    assert visitor.ask(key=before["key"])[0] == {"forgotten": True}
    after, by = visitor.ask(key=before["key"], image=to_data_url(drawing(1)))
    assert by != lost and (after["key"], after["image"]) == (before["key"], before["image"])
    assert visitor.ask(key=after["key"])[0]["image"] == before["image"]
    for visitor, home in zip(visitors, homes, strict=True):
        if home != lost:  # they notice nothing
            answer, by = visitor.ask(key=key)
            assert by == home and answer["image"] == answers[0]["image"]
    by_program()


def one_address_has_its_share_of_connections(url: str) -> None:
    """Whose 300 requests are under way, here with bodies that never come, is refused the next, whatever its cookie."""
    address = httpx.URL(url)
    begun = b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
    with ExitStack() as held:
        for _ in range(300):
            held.enter_context(socket.create_connection((address.host, address.port or 80))).sendall(begun)
        assert status_becomes(url, 429) == 429
    assert status_becomes(url, 200) == 200


def status_becomes(url: str, status: int) -> int:
    """What a newcomer is answered, asked until it is this or ten seconds have passed."""
    until = time.monotonic() + 10
    while (found := httpx.get(f"{url}/healthz").status_code) != status and time.monotonic() < until:
        time.sleep(0.1)
    return found
