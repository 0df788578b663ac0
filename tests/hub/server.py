"""A small Hub on this machine that speaks the huggingface_hub client's HTTP, in memory, with faults on request."""

import contextlib
import dataclasses
import re
import socket
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

from .answers import Handler
from .repos import MOCKED, PART, READER, TOKEN, USER, Repo

__all__ = ["MOCKED", "PART", "READER", "TOKEN", "USER", "Hub"]


@dataclasses.dataclass
class Fault:
    """What goes wrong with the next `times` requests that match."""

    request: re.Pattern[str]
    times: int
    status: int = 0
    """An answer instead of the right one; 0 for none …"""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    cut_after: int | None = None
    """… bytes of the body, up or down, after which the connection is cut …"""
    lose_answer: bool = False
    """… or the request is carried out, and the connection cut before anything is said."""
    before: Callable[[], None] | None = None
    """Something that happens just before the request is answered as usual."""


class Hub:
    """The server; `with Hub() as hub` starts it and ends it."""

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.collections: dict[str, list[str]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        """Of HF Jobs: what was asked, the stage, the log's lines. A test runs the commands and sets the stage."""
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        """Each request as `METHOD /path`, in order."""
        self.leaks: list[str] = []
        """Requests to the storage that carried a token, which it must never see."""
        self.lock = threading.RLock()
        self.connections: list[socket.socket] = []

    def __enter__(self) -> "Hub":
        handler = type("BoundHandler", (Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        """Where the client is to be pointed."""
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def storage(self) -> str:
        """Where large files lie: for a client another host, as with the real Hub."""
        return f"http://localhost:{self.server.server_port}"

    def repo(self, name: str, kind: str = "model") -> Repo:
        """A repo that was made here."""
        return self.repos[kind, name]

    def fail(self, request: str, times: int = 1, **what: Any) -> Fault:
        """Make the next requests go wrong that match a pattern of `METHOD /path`."""
        fault = Fault(re.compile(request), times, **what)
        self.faults.append(fault)
        return fault

    def put(self, name: str, files: dict[str, bytes], private: bool = False, kind: str = "model") -> Repo:
        """Make a repo hold files, as if somebody had pushed them."""
        repo = self.repos.setdefault((kind, name), Repo(private))
        repo.commit("main", {**repo.main.files, **files}, "put")
        return repo

    def asked(self, request: str) -> int:
        """How many requests matched a pattern."""
        return sum(re.search(request, line) is not None for line in self.seen)
