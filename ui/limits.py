"""In front of the page: what visitors may send, how much and how often, and whose turn it is when many ask at once.

Plain ASGI, because Gradio limits neither the size of a JSON body nor the number of requests, and runs the questions of
its components in the threads that files and events need too. Everything here runs in the server's event loop.
"""

import asyncio
import errno
import ipaddress
import json
import logging
import math
import secrets
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from gradio.route_utils import FnIndexInferError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import text

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

Visitor = tuple[str, str]
"""Address and Gradio's session; the session is empty where a client names none."""


class Buckets:
    """Token buckets: `burst` requests at once, `rate` a second in the long run, each name for itself."""

    def __init__(self, rate: float, burst: float, most: int = 10_000) -> None:
        """Of more than `most` names, those that were quiet longest are forgotten: theirs are full again anyway."""
        self.rate, self.burst, self.most = rate, burst, most
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __contains__(self, name: Hashable) -> bool:
        """Whether somebody of that name asked lately."""
        return name in self._left

    def take(self, name: Hashable, now: float | None = None) -> float:
        """Take a token: 0 if there was one, else the seconds until there is."""
        now = time.monotonic() if now is None else now
        left, then = self._left.pop(name, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.rate)
        missing = max(0.0, 1 - left)
        self._left[name] = (left if missing else left - 1, now)
        if len(self._left) > self.most:
            self._left.popitem(last=False)
        return missing / self.rate


class LineFull(Exception):
    """There is no place left to wait in."""


class Superseded(Exception):
    """The same visitor asked so much since that this question's answer is not wanted any more."""


class Line:
    """Who may be answered now. Places go round by address and then by session: nobody waits for one who asks much.

    A visitor's questions beyond `waiting_each` push out the oldest waiting one: of somebody who drags, only the newest
    count, and the others end here before they cost anything.
    """

    def __init__(
        self,
        places: int = 8,
        places_each: int = 3,
        waiting: int = 128,
        waiting_address: int = 96,
        waiting_each: int = 6,
    ) -> None:
        self.places, self.places_each = places, places_each
        self.waiting, self.waiting_address, self.waiting_each = waiting, waiting_address, waiting_each
        self._running: Counter[Visitor] = Counter()
        self._asking: OrderedDict[str, OrderedDict[str, deque[asyncio.Future[None]]]] = OrderedDict()

    @property
    def running(self) -> int:
        """Questions that are being answered."""
        return self._running.total()

    def __len__(self) -> int:
        """Questions that wait."""
        return sum(map(self._waiting_at, self._asking))

    def ask(self, visitor: Visitor) -> "asyncio.Future[None]":
        """Queue for a place, which is had when the future is done; `leave` gives it back.

        The future ends with `Superseded` when the visitor's newer questions push this one out.

        Raises:
            LineFull: too many wait already.
        """
        address, session = visitor
        own = self._asking.get(address, OrderedDict()).get(session, deque())
        if len(own) >= self.waiting_each:
            own.popleft().set_exception(Superseded())
        elif len(self) >= self.waiting or self._waiting_at(address) >= self.waiting_address:
            raise LineFull
        place = asyncio.get_running_loop().create_future()
        self._asking.setdefault(address, OrderedDict()).setdefault(session, deque()).append(place)
        self._call()
        return place

    def give_up(self, visitor: Visitor, place: "asyncio.Future[None]") -> None:
        """Stop waiting; if the place was given in the meantime it is given back."""
        address, session = visitor
        own = self._asking.get(address, OrderedDict()).get(session, deque())
        if place in own:
            own.remove(place)
            self._tidy(visitor)
        elif place.done() and place.exception() is None:
            self.leave(visitor)

    def leave(self, visitor: Visitor) -> None:
        """Give a place back to the next in line."""
        self._running[visitor] -= 1
        if not self._running[visitor]:
            del self._running[visitor]
        self._call()

    def _call(self) -> None:
        while self.running < self.places and (visitor := self._next()) is not None:
            address, session = visitor
            self._asking[address][session].popleft().set_result(None)
            self._running[visitor] += 1
            # Behind the others of the address, and the address behind the others.
            self._asking[address].move_to_end(session)
            self._asking.move_to_end(address)
            self._tidy(visitor)

    def _next(self) -> Visitor | None:
        visitors = ((address, session) for address, sessions in self._asking.items() for session in sessions)
        return next((visitor for visitor in visitors if self._running[visitor] < self.places_each), None)

    def _tidy(self, visitor: Visitor) -> None:
        address, session = visitor
        if not self._asking[address][session]:
            del self._asking[address][session]
        if not self._asking[address]:
            del self._asking[address]

    def _waiting_at(self, address: str) -> int:
        return sum(map(len, self._asking.get(address, {}).values()))


class Guard:
    """The ASGI middleware. One for the whole server; what it counts is gone when the server ends."""

    def __init__(self, max_file_bytes: int, behind_proxy: bool, line: Line | None = None) -> None:
        """
        Args:
            max_file_bytes: of a visitor's file.
            behind_proxy: whether every request comes through a proxy of ours, whose `X-Forwarded-For` may be believed.
            line: whose turn it is.
        """
        self.max_file_bytes, self.behind_proxy = max_file_bytes, behind_proxy
        self.line = line or Line()
        self.line_patience = 15.0
        self.sessions = Buckets(RATE, BURST)
        self.addresses = Buckets(ADDRESS_RATE, ADDRESS_BURST)
        self.newcomers = Buckets(NEW_RATE, NEW_BURST)
        self.closing = False

    def around(self, app: ASGIApp) -> ASGIApp:
        """The app with the guard in front; the form in which Starlette's `Middleware` wants it."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and API in scope["path"]:
                await Exchange(self, scope, receive, send).run(app)
            else:
                await app(scope, receive, send)

        return guarded

    def address(self, scope: Scope) -> str:
        """The client's address; of IPv6 the network, of which one customer has all the addresses.

        Behind a proxy the last public one that the proxies wrote down: what stands further left anybody may have sent.
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
    """One request and its answer, on their way through the guard."""

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
        self.look()
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
                self.guard.line.leave(self.place)
        if self.refusal is not None and not self.started:
            await self.refusal(self.scope, self._receive, self._send)

    def look(self) -> None:
        """Refuse what can be refused by its head."""
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

        A component's question is answered as its own mistakes are, since Gradio's client hides what comes with another
        status; but for what no component of ours sends.
        """
        sentence = text.LIMITS[key].format(**words)
        headers = {} if retry is None else {"Retry-After": str(math.ceil(retry))}
        if self.is_question and retry is not None:
            status = 200
        self.refusal = JSONResponse({"error" if self.is_question else "detail": sentence}, status, headers)

    def failure(self, error: Exception) -> JSONResponse:
        """The answer to an error that the app did not see coming."""
        if isinstance(error, HTTPException):
            return JSONResponse({"detail": error.detail}, error.status_code)
        if isinstance(error, FnIndexInferError | KeyError) and self.path.startswith(EVENTS):
            return JSONResponse({"detail": text.LIMITS["no_endpoint"]}, 404)
        number = secrets.token_hex(3)
        if self.is_question and not isinstance(error, OSError):
            # Our functions answer their own mistakes: Gradio could not read what function of what component is meant.
            log.info("no question to a component: %r", error)
            return JSONResponse({"error": text.SERVER["bad_request"]}, 400)
        log.error("error %s in %s", number, self.path[:80], exc_info=error)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            status, sentence = 507, text.LIMITS["disk_full"].format(id=number)
        else:
            status, sentence = 500, text.SERVER["unexpected"].format(id=number)
        return JSONResponse({"error" if self.is_question else "detail": sentence}, status)

    async def send(self, message: Message) -> None:
        """Pass on what the app says, unless the request has been refused meanwhile."""
        if self.refusal is None:
            self.started = True
            await self._send(message)

    async def receive(self) -> Message:
        """Pass on the body, counted; the end of a question only when its turn has come."""
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
        """What the app is told when it is not to answer."""
        self.complete = True
        return {"type": "http.disconnect"}

    async def admitted(self) -> bool:
        """Whether the visitor may be answered, after waiting for a place if it is a question."""
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
        """Wait for a place in the line, for as long as the visitor is there and has patience."""
        line = self.guard.line
        try:
            place = line.ask(visitor)
        except LineFull:
            self.refuse(503, "busy", retry=2)
            return False
        if not place.done():
            try:
                called = await self.called(place)
            except asyncio.CancelledError:  # the server is ending
                line.give_up(visitor, place)
                raise
            if not called:
                line.give_up(visitor, place)
                self.refuse(503, "busy", retry=2)
                return False
        if place.exception() is not None:
            self.refuse(503, "superseded", retry=1)
            return False
        self.place = visitor
        return True

    async def called(self, place: "asyncio.Future[None]") -> bool:
        """Whether the wait for a place ended before the visitor left or patience did."""
        gone = asyncio.ensure_future(_awaited(self._receive))
        either: set[asyncio.Future[Any]] = {place, gone}
        try:
            await asyncio.wait(either, timeout=self.guard.line_patience, return_when=asyncio.FIRST_COMPLETED)
            return place.done() and not gone.done()
        finally:
            gone.cancel()

    def session(self) -> str:
        """Gradio's session as a JSON body names it; empty for forms, which are rare, and for anything else."""
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
