"""What an endpoint may not do: read the server's files, fetch addresses, tell of errors."""

import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import gradio as gr
import httpx
import pytest
from tiny_checkpoints import PAIRED

from ui import api, text

from .conftest import META


def call(server: str, name: str, *data: Any) -> str:
    """Call an endpoint by bare HTTP, as anybody may; the text of the answer's last event."""
    while (started := httpx.post(f"{server}/gradio_api/call/{name}", json={"data": list(data)})).status_code == 429:
        time.sleep(1)  # tests that run at the same time ask this server, too
    events = httpx.get(f"{server}/gradio_api/call/{name}/{started.json()['event_id']}", timeout=60).text
    return events.strip().split("event: ")[-1]


@pytest.mark.parametrize(
    "extra", [{}, {"meta": None}, META, {**META, "is_stream": True}, {**META, "url": "/etc/passwd"}]
)
@pytest.mark.parametrize("path", ["/etc/passwd", "pyproject.toml", "{folder}/../../etc/passwd", "", "a\0b"])
def test_no_file_of_the_server_can_be_read(server: str, path: str, extra: dict[str, Any]) -> None:
    path = path.replace("{folder}", api.get_upload_folder())
    answer = call(server, "translate", {"path": path, **extra}, PAIRED)
    assert answer.startswith("error") and text.API["not_uploaded"] in answer


class Bait(BaseHTTPRequestHandler):
    """A server that remembers what it was asked for."""

    asked: list[str] = []  # noqa: RUF012 - shared on purpose: a handler is made for each request

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(404)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def bait() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Bait)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("extra", [{}, META, {**META, "is_stream": True}])
def test_no_address_is_fetched(server: str, bait: str, extra: dict[str, Any]) -> None:
    far = "https://example.com/a.png"
    for file in ({"path": f"{bait}/a.png"}, {"path": far}, {"path": far.upper()}, {"path": "", "url": f"{bait}/b.png"}):
        answer = call(server, "translate", {**file, **extra}, PAIRED)
        assert answer.startswith("error")
        assert text.API["no_addresses" if file["path"] else "not_uploaded"] in answer
    answer = call(server, "translate", {"path": f"{bait}{api.UPLOADED}/etc/passwd", **extra}, PAIRED)
    assert text.API["not_uploaded"] in answer
    assert Bait.asked == []


def test_an_unexpected_error_shows_a_number_and_no_detail(caplog: pytest.LogCaptureFixture) -> None:
    def broken(image: Any) -> Any:
        raise RuntimeError("secret detail")

    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as caught:
        api._answering(broken)(None)
    assert "secret" not in caught.value.message and "number" in caught.value.message
    assert "secret detail" in caplog.text and "broken" in caplog.text
