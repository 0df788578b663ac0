"""The page as Gradio sends it, made once for each language and way of asking, and kept."""

import asyncio
import hashlib
from collections import OrderedDict
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.i18n import requested_language

PATHS = frozenset({"/", "/config", "/config/"})
ONE_PAGE = "page"
"""The only word of a query that changes an answer: empty, it asks for the components of the first page alone."""
MOST = 32
"""Kept answers; one has some 70 kilobytes."""
TOLD_BY = ("host", "x-forwarded-host", "x-forwarded-proto")
"""Headers by which Gradio names the page's address in it."""


class Kept(NamedTuple):
    """An answer, and the name by which a browser says that it has it."""

    headers: MutableHeaders
    body: bytes
    tag: str


class KeepPage:
    """ASGI middleware: the page and its configuration are the same for all who ask alike.

    Gradio takes a tenth of a second of its event loop to make either, several hundred kilobytes, anew for everybody.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: OrderedDict[tuple[str, ...], Kept] = OrderedDict()
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in PATHS or scope["method"] not in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        query = f"{ONE_PAGE}=" if asked.get(ONE_PAGE) == "" else ""
        headers = Headers(scope=scope)
        # Brotli or nothing, as Gradio compresses; any other wish would only be another key.
        packed = "br" if "br" in headers.get("accept-encoding", "") else "identity"
        key = (
            scope["path"],
            scope["scheme"],
            requested_language(headers),
            packed,
            *map(headers.get, TOLD_BY, [""] * 3),
        )
        kept = self._kept.get(key)
        if kept is None:
            async with self._making:
                kept = self._kept.get(key) or await self._make(
                    {**scope, "method": "GET", "query_string": query.encode()}, receive, send, packed
                )
            if kept is None:  # it was no page, and has been sent
                return
            self._kept[key] = kept
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        known = kept.tag in headers.get("if-none-match", "")
        answer = Response(b"" if known else kept.body, 304 if known else 200)
        answer.raw_headers = [(k, v) for k, v in kept.headers.raw if not (known and k == b"content-length")]
        await answer(scope, receive, send)

    async def _make(self, scope: Scope, receive: Receive, send: Send, packed: str) -> Kept | None:
        """Ask the app, for nobody in particular; what is no page is passed on as it comes."""
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        left_out = (b"cookie", b"if-none-match", b"accept-encoding", b"origin")
        asked = [(name, value) for name, value in scope["headers"] if name not in left_out]
        await self.app({**scope, "headers": [*asked, (b"accept-encoding", packed.encode())]}, receive, collect)
        if start["status"] != 200:
            await send(start)
            await send({"type": "http.response.body", "body": bytes(body)})
            return None
        headers = MutableHeaders(raw=list(start["headers"]))
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        del headers["set-cookie"]
        headers["Content-Length"] = str(len(body))
        headers["ETag"] = tag
        headers["Cache-Control"] = "no-cache"
        headers["Vary"] = "Accept-Encoding, Accept-Language"
        return Kept(headers, bytes(body), tag)
