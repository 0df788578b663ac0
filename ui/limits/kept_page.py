"""The page as Gradio sends it, made once for each language and way of asking, and kept."""

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl

import anyio.to_thread
import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.i18n import requested_language

PATHS = frozenset({"/", "/config", "/config/"})
ONE_PAGE = "page"
"""The only word of a query that changes an answer: empty, it asks for the components of the first page alone."""
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, mode=brotli.MODE_TEXT, quality=6),
    "gzip": gzip.compress,
}
"""How a browser takes it, the better one first; Gradio packs only what has a file's ending in its path."""
MOST = 32
"""Kept answers; one has some 70 kilobytes."""
TOLD_BY = ("host", "x-forwarded-host", "x-forwarded-proto")
"""Headers by which Gradio names the page's address in it."""


class Kept(NamedTuple):
    """An answer, and the name by which a browser says that it has it."""

    status: int
    headers: MutableHeaders
    body: bytes
    tag: str


class KeepPage:
    """ASGI middleware: the page and its configuration are the same for all who ask alike.

    Gradio takes a tenth of a second of its event loop to make either, several hundred kilobytes, anew for everybody.
    """

    def __init__(self, app: ASGIApp, edition: Callable[[], int] = lambda: 0) -> None:
        """
        Args:
            edition: the number of the page's present edition; what is kept of an earlier one is not sent any more.
        """
        self.app, self._edition = app, edition
        self._kept: OrderedDict[tuple[str, ...], Kept] = OrderedDict()
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in PATHS or scope["method"] not in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        query = f"{ONE_PAGE}=" if asked.get(ONE_PAGE) == "" else ""
        headers = Headers(scope=scope)
        packing = next((name for name in PACKINGS if name in headers.get("accept-encoding", "")), "")
        named = [headers.get(name, "") for name in TOLD_BY]
        edition = str(self._edition())
        key = (edition, scope["path"], query, scope["scheme"], requested_language(headers), packing, *named)
        if key not in self._kept:
            async with self._making:
                if key not in self._kept:
                    self._kept[key] = await self._make(
                        {**scope, "method": "GET", "query_string": query.encode()}, receive, packing
                    )
        kept = self._kept[key]
        self._kept.move_to_end(key)
        if kept.status != 200:  # no page, and perhaps one the next time
            del self._kept[key]
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        known = kept.tag in headers.get("if-none-match", "")
        answer = Response(b"" if known else kept.body, 304 if known else kept.status)
        answer.raw_headers = [(k, v) for k, v in kept.headers.raw if not (known and k == b"content-length")]
        await answer(scope, receive, send)

    async def _make(self, scope: Scope, receive: Receive, packing: str) -> Kept:
        """Ask the app, for nobody in particular."""
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        left_out = (b"cookie", b"if-none-match", b"accept-encoding", b"origin")
        asked = [(name, value) for name, value in scope["headers"] if name not in left_out]
        await self.app({**scope, "headers": asked}, receive, collect)
        headers = MutableHeaders(raw=list(start["headers"]))
        packed = bytes(body)
        if packing:
            # In a thread: it takes as long as making the page, but once.
            packed = await anyio.to_thread.run_sync(PACKINGS[packing], packed)
            headers["Content-Encoding"] = packing
        tag = f'"{hashlib.sha256(packed).hexdigest()[:32]}"'
        del headers["set-cookie"]
        headers["Content-Length"] = str(len(packed))
        headers["ETag"] = tag
        headers["Cache-Control"] = "no-cache"
        headers["Vary"] = "Accept-Encoding, Accept-Language"
        return Kept(start["status"], headers, packed, tag)
