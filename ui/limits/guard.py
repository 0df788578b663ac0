"""The guard in front of the page: each request passes it, or is refused with a sentence."""

import asyncio
import errno
import ipaddress
import json
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

from gradio.route_utils import FnIndexInferError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import text
from ui.errors import report
from ui.limits.fair_queue import FairQueue, QueueFull, Visitor
from ui.limits.rate_limit import RateLimit

log = logging.getLogger(__name__)

API = "/gradio_api/"
CLOSED = ("file=http", "file/http", "proxy=", "process_recording", "vibe", "undo-vibe")
"""What Gradio offers under `API` and this page never uses: fetching addresses, cutting films, editing its source."""
QUESTIONS = "component_server"
EVENTS = ("call/", "run/", "api/", "queue/join")

JSON_BYTES = 9_000_000
"""Of a body: two drawings at their largest."""
FILE_BODIES, MCP_BODIES = 5, 1.5
"""How many of the largest files fit into one upload, and into a call of an MCP tool, where a file is base64 text."""
BODY_PATIENCE = 30.0
"""Seconds without a byte after which a body counts as given up."""

RATE, BURST = 40.0, 120.0
"""Requests a second of one session, and as many at once: dragging asks 30 times a second at most."""
ADDRESS_RATE, ADDRESS_BURST = 300.0, 900.0
"""The same for one address, behind which a whole school may sit."""

NEW_RATE, NEW_BURST = 5.0, 100.0
"""The same for requests of one address that come with no session or a new one, of which Gradio makes a copy of the
page's state, in tens of milliseconds of its event loop."""


class Guard:
    """The ASGI middleware, one for the whole server. Its counts are lost when the server ends."""

    def __init__(self, max_file_bytes: int, behind_proxy: bool) -> None:
        """
        Args:
            max_file_bytes: of a visitor's file.
            behind_proxy: whether every request comes through a trusted proxy, so that its `X-Forwarded-For` is true.
        """
        self.max_file_bytes, self.behind_proxy = max_file_bytes, behind_proxy
        self.queue = FairQueue()
        self.patience = 15.0
        self.sessions = RateLimit(RATE, BURST)
        self.addresses = RateLimit(ADDRESS_RATE, ADDRESS_BURST)
        self.newcomers = RateLimit(NEW_RATE, NEW_BURST)
        self.closing = False

    def around(self, app: ASGIApp) -> ASGIApp:
        """The app with the guard in front, in the form that Starlette's `Middleware` takes."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and API in scope["path"]:
                await Exchange(self, scope, receive, send).run(app)
            else:
                await app(scope, receive, send)

        return guarded

    def address(self, scope: Scope) -> str:
        """The client's address; for IPv6 its network, since one customer has all addresses of a network.

        Behind a proxy it is the last public address in `X-Forwarded-For`: anybody may have sent those left of it.
        """
        found = (scope.get("client") or ("",))[0]
        if self.behind_proxy:
            forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
            found = next((part.strip() for part in reversed(forwarded) if _is_public(part.strip())), found)
        try:
            parsed = ipaddress.ip_address(found)
        except ValueError:
            return found
        return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else found

    def body_limit(self, path: str, multipart: bool) -> float:
        """Bytes that the body of a request to a path below `API` may have."""
        if path.startswith("mcp"):
            return self.max_file_bytes * MCP_BODIES
        if not multipart:
            return JSON_BYTES
        # The rest of a form is small; the limit of the file itself is Gradio's.
        return self.max_file_bytes * (FILE_BODIES if path.startswith("upload") else 1) + JSON_BYTES


class Exchange:
    """One request on its way through the guard, and its answer."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self.guard, self.scope = guard, scope
        self._receive, self._send = receive, send
        self.headers = Headers(scope=scope)
        self.path = scope["path"].partition(API)[2]
        self.is_question = self.path.startswith(QUESTIONS)
        self.is_form = self.headers.get("content-type", "").startswith("multipart/")
        self.limit = guard.body_limit(self.path, self.is_form)
        self.address = guard.address(scope)
        self.refusal: JSONResponse | None = None
        self.started = self.complete = False
        self.received = 0
        self.json = bytearray()
        self.place: Visitor | None = None

    async def run(self, app: ASGIApp) -> None:
        """Let the app answer, or refuse in a sentence."""
        self.check_head()
        try:
            if self.refusal is None:
                await app(self.scope, self.receive, self.send)
        except Exception as error:
            if self.started:
                if not isinstance(error.__cause__, HTTPException):
                    raise
                # Gradio has said in the stream that there is no such event, and then told Starlette, too late.
                await self._send({"type": "http.response.body", "body": b""})
            else:
                self.refusal = self.refusal or self.failure(error)
        finally:
            if self.place is not None:
                self.guard.queue.leave(self.place)
        if self.refusal is not None and not self.started:
            await self.refusal(self.scope, self._receive, self._send)

    def check_head(self) -> None:
        """Refuse a request that its head alone already rules out."""
        if self.path.lower().startswith(CLOSED):
            self.refuse(404, "closed")
        elif self.scope["method"] != "POST":
            self.complete = True  # no body that anybody would read
        elif self.guard.closing:
            self.refuse(503, "closing", retry=5)
        elif wait := self.guard.addresses.take(self.address):
            self.refuse(429, "too_often", retry=wait)
        elif (length := self.headers.get("content-length", "0")).isdecimal() and int(length[:20]) > self.limit:
            self.refuse(413, "too_large", limit=f"{self.limit / 1e6:.0f}")

    def refuse(self, status: int, key: str, retry: float | None = None, **words: Any) -> None:
        """Answer with a sentence of `text.LIMITS` instead of the app.

        A component's question gets status 200, as its other errors do, since Gradio's client hides the body of any
        other status. Requests that no component of this page sends get their own status.
        """
        sentence = text.LIMITS[key].format(**words)
        headers = {} if retry is None else {"Retry-After": str(math.ceil(retry))}
        if self.is_question and retry is not None:
            status = 200
        self.refusal = JSONResponse({"error" if self.is_question else "detail": sentence}, status, headers)

    def failure(self, error: Exception) -> JSONResponse:
        """The answer to an error that the app did not catch."""
        if isinstance(error, HTTPException):
            return JSONResponse({"detail": error.detail}, error.status_code)
        if isinstance(error, FnIndexInferError | KeyError) and self.path.startswith(EVENTS):
            return JSONResponse({"detail": text.LIMITS["no_endpoint"]}, 404)
        if self.is_question and not isinstance(error, OSError):
            # The page's functions answer their own errors, so Gradio could not tell which function was meant.
            log.info("no question to a component: %r", error)
            return JSONResponse({"error": text.SERVER["bad_request"]}, 400)
        number = report(error, self.path[:80])
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            status, sentence = 507, text.LIMITS["disk_full"].format(id=number)
        else:
            status, sentence = 500, text.SERVER["unexpected"].format(id=number)
        return JSONResponse({"error" if self.is_question else "detail": sentence}, status)

    async def send(self, message: Message) -> None:
        """Pass on what the app sends, unless the request has been refused meanwhile."""
        if self.refusal is None:
            self.started = True
            await self._send(message)

    async def receive(self) -> Message:
        """Pass on the body and count its bytes; pass on the end of a question only once it has a place."""
        if self.complete:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), BODY_PATIENCE)
        except asyncio.TimeoutError:
            self.refuse(408, "too_slow")
            return self.hang_up()
        if message["type"] != "http.request":
            return message
        body = message.get("body", b"")
        self.received += len(body)
        if self.received > self.limit:
            self.refuse(413, "too_large", limit=f"{self.limit / 1e6:.0f}")
            return self.hang_up()
        if not self.is_form:
            self.json += body
        if message.get("more_body"):
            return message
        self.complete = True
        if not await self.admitted():
            return self.hang_up()
        return message

    def hang_up(self) -> Message:
        """The message that tells the app not to answer."""
        self.complete = True
        return {"type": "http.disconnect"}

    async def admitted(self) -> bool:
        """Whether the request may be answered; a question first waits for a place."""
        visitor = (self.address, self.session())
        known = bool(visitor[1]) and visitor in self.guard.sessions
        wait = 0.0 if known else self.guard.newcomers.take(self.address)
        if visitor[1] and not wait:
            wait = self.guard.sessions.take(visitor)
        if wait:
            self.refuse(429, "too_often", retry=wait)
            return False
        return not self.is_question or await self.placed(visitor)

    async def placed(self, visitor: Visitor) -> bool:
        """Wait for a place in the queue, for as long as the visitor is there and patience lasts."""
        queue = self.guard.queue
        try:
            place = queue.ask(visitor)
        except QueueFull:
            self.refuse(503, "busy", retry=2)
            return False
        if not place.done():
            try:
                called = await self.called(place)
            except asyncio.CancelledError:  # the server is ending
                queue.give_up(visitor, place)
                raise
            if not called:
                queue.give_up(visitor, place)
                self.refuse(503, "busy", retry=2)
                return False
        if place.exception() is not None:
            self.refuse(503, "superseded", retry=1)
            return False
        self.place = visitor
        return True

    async def called(self, place: asyncio.Future[None]) -> bool:
        """Whether the place came before the visitor left and before patience ended."""
        gone = asyncio.ensure_future(_awaited(self._receive))
        either: set[asyncio.Future[Any]] = {place, gone}
        try:
            await asyncio.wait(either, timeout=self.guard.patience, return_when=asyncio.FIRST_COMPLETED)
            return place.done() and not gone.done()
        finally:
            gone.cancel()

    def session(self) -> str:
        """Gradio's session as a JSON body names it; empty for forms, which are rare, and for all else."""
        try:
            body = json.loads(self.json) if self.json else None
        except (ValueError, RecursionError):
            return ""
        self.json.clear()
        session = body.get("session_hash") if isinstance(body, dict) else None
        return session[:64] if isinstance(session, str) else ""


async def _awaited(receive: Callable[[], Awaitable[Message]]) -> Message:
    return await receive()


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
