"""The guard in front of the page: each request passes it, or is refused with a sentence."""

import asyncio
import errno
import ipaddress
import json
import logging
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from gradio.route_utils import FnIndexInferError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import text
from ui.errors import report
from ui.limits.fair_queue import FairQueue, QueueFull, Visitor
from ui.limits.rate_limit import Counts, Lately, RateLimit

log = logging.getLogger(__name__)

API = "/gradio_api/"
CLOSED = ("file=http", "file/http", "proxy=", "process_recording", "vibe", "undo-vibe")
"""What Gradio offers under `API` and this page never uses: fetching addresses, cutting films, editing its source."""
QUESTIONS = "component_server"
STREAM = re.compile(r"queue/data|heartbeat/.*|call/(v2/)?[^/]+/[^/]+|upload_progress")
"""What stays open and tells of events."""
HEALTH = "/healthz"
EVENTS = ("call/", "run/", "api/", "queue/join")

JSON_BYTES = 9_000_000
"""Of a body: two drawings at their largest."""
FILE_BODIES, MCP_BODIES = 5, 1.5
"""How many of the largest files fit into one upload, and into a call of an MCP tool, where a file is base64 text."""
BODY_PATIENCE = 30.0
"""Seconds without a byte after which a body counts as given up."""

RATE, BURST = 40.0, 120
"""Requests a second of one session, and as many at once: dragging asks 30 times a second at most."""
ADDRESS_RATE, ADDRESS_BURST = 300.0, 900
"""The same for one address, behind which a whole school may sit."""
NEW_RATE, NEW_BURST = 5.0, 100
"""The same for requests of one address that come with no session or a new one, of which Gradio makes a copy of the
page's state, in tens of milliseconds of its event loop."""
GET_RATE, GET_BURST = 40.0, 800
"""The same for what is read: pages, files of visitors, descriptions of the API."""
FILE_RATE, FILE_BURST = 300.0, 6000
"""The same for the page's own scripts and styles, some 80 a visit."""
FILES = ("/assets/", "/static/", "/svelte/", "/browser/", "/favicon.ico", "/theme.css")

SESSION_CHARS = 64
"""Of a session's name. Gradio's own have 11; each name is a copy of the page's state."""
STREAMS, STREAMS_ADDRESS = 600, 150
"""Streams of events that are open at the same time, two a visitor: of all, and of one address."""
EVENTS_SESSION, EVENTS_ADDRESS = 8, 48
"""Events of Gradio's queue that wait or run for one session, and for one address."""
PARTS, TRAINING_PARTS = 80, 1000
"""Files in one form; and where there is a Train tab, as many as Gradio's own uploader sends together."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""With which writing a file fails where there is no room for it: on the disk, for this user, in one file."""
ADDRESS = b"x-i2i-address"
"""The header in which the app finds the guard's idea of who asks; nobody else can send it."""


class Guard:
    """The ASGI middleware, one for the whole server. Its counts are lost when the server ends."""

    def __init__(
        self,
        max_file_bytes: int,
        behind_proxy: bool,
        counts: Counts | None = None,
        events: Callable[[], Iterable[Visitor]] = tuple,
        parts: int = PARTS,
    ) -> None:
        """
        Args:
            max_file_bytes: of a visitor's file.
            behind_proxy: whether every request comes through a trusted proxy, so that its `X-Forwarded-For` is true.
            counts: where requests are counted; by default in memory.
            events: whose events wait or run in Gradio's queue, a visitor as often as it has events.
            parts: files in one form.
        """
        self.max_file_bytes, self.behind_proxy, self.events = max_file_bytes, behind_proxy, events
        self.queue = FairQueue()
        self.patience = 15.0
        self.parts = parts
        counts = counts or Counts()
        self.known = Lately()
        self.sessions = RateLimit(counts, "session", RATE, BURST)
        self.addresses = RateLimit(counts, "address", ADDRESS_RATE, ADDRESS_BURST)
        self.newcomers = RateLimit(counts, "new", NEW_RATE, NEW_BURST)
        self.readers = RateLimit(counts, "get", GET_RATE, GET_BURST)
        self.loaders = RateLimit(counts, "file", FILE_RATE, FILE_BURST)
        self.streams: Counter[str] = Counter()
        self.closing = False

    def around(self, app: ASGIApp) -> ASGIApp:
        """The app with the guard in front, in the form that Starlette's `Middleware` takes."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
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
        self.guard = guard
        self.address = guard.address(scope)
        headers = [(name, value) for name, value in scope["headers"] if name != ADDRESS]
        self.scope = {**scope, "headers": [*headers, (ADDRESS, self.address.encode("latin-1", "replace"))]}
        self._receive, self._send = receive, send
        self.headers = Headers(scope=scope)
        self.path = scope["path"].partition(API)[2]
        self.is_question = self.path.startswith(QUESTIONS)
        self.is_form = self.headers.get("content-type", "").startswith("multipart/")
        self.limit = guard.body_limit(self.path, self.is_form)
        self.is_stream = scope["method"] == "GET" and STREAM.fullmatch(self.path) is not None
        self.refusal: JSONResponse | None = None
        self.started = self.complete = False
        self.received = self.parts = 0
        self.json = bytearray()
        self.place: Visitor | None = None

    async def run(self, app: ASGIApp) -> None:
        """Let the app answer, or refuse in a sentence."""
        await self.check_head()
        if self.is_stream and self.refusal is None:
            self.guard.streams[self.address] += 1
        else:
            self.is_stream = False
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
            if self.is_stream:
                self.guard.streams -= Counter((self.address,))
        if self.refusal is not None and not self.started:
            await self.refusal(self.scope, self._receive, self._send)

    async def check_head(self) -> None:
        """Refuse a request that its head alone already rules out."""
        if self.path.lower().startswith(CLOSED):
            self.refuse(404, "closed")
        elif self.scope["method"] != "POST":
            self.complete = True  # no body that anybody would read
            await self.check_reading()
        elif self.guard.closing:
            self.refuse(503, "closing", retry=5)
        elif wait := await self.guard.addresses.take(self.address):
            self.refuse(429, "too_often", retry=wait)
        elif (length := self.headers.get("content-length", "0")).isdecimal() and int(length[:20]) > self.limit:
            self.refuse(413, "too_large", limit=f"{self.limit / 1e6:.0f}")

    async def check_reading(self) -> None:
        """Refuse who reads too much or listens too often."""
        path = self.scope["path"]
        if path == HEALTH:
            return
        streams = self.guard.streams
        limit = self.guard.loaders if path.startswith(FILES) else self.guard.readers
        if wait := await limit.take(self.address):
            self.refuse(429, "too_often", retry=wait)
        elif self.is_stream and streams[self.address] >= STREAMS_ADDRESS:
            self.refuse(429, "too_often", retry=5)
        elif self.is_stream and streams.total() >= STREAMS:
            self.refuse(503, "busy", retry=5)
        elif self.is_stream and len(self.path.rpartition("/")[2]) > SESSION_CHARS:
            self.refuse(400, "long_session", limit=SESSION_CHARS)

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
        if isinstance(error, OSError) and error.errno in NO_ROOM:
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
        self.parts += body.count(b"; filename=") if self.is_form else 0
        if self.parts > self.guard.parts:
            self.refuse(413, "too_many_files", limit=self.guard.parts)
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
        session = self.session()
        if len(session) > SESSION_CHARS:
            # Not cut: to Gradio each is another one.
            self.refuse(400, "long_session", limit=SESSION_CHARS)
            return False
        visitor = (self.address, session)
        known = bool(session) and visitor in self.guard.known
        wait = 0.0 if known else await self.guard.newcomers.take(self.address)
        if session and not wait:
            self.guard.known.add(visitor)
            wait = await self.guard.sessions.take(*visitor)
        if wait:
            self.refuse(429, "too_often", retry=wait)
            return False
        if self.path.startswith(EVENTS) and self.has_its_share(visitor):
            self.refuse(429, "too_many_events", retry=5)
            return False
        return not self.is_question or await self.placed(visitor)

    def has_its_share(self, visitor: Visitor) -> bool:
        """Whether a visitor has as many events in Gradio's queue as one may have, so that others find room there."""
        events = list(self.guard.events())
        of_address = sum(address == self.address for address, _ in events)
        return of_address >= EVENTS_ADDRESS or (bool(visitor[1]) and events.count(visitor) >= EVENTS_SESSION)

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
        return session if isinstance(session, str) else ""


async def _awaited(receive: Callable[[], Awaitable[Message]]) -> Message:
    return await receive()


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
