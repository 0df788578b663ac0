"""Whose page asks: other web sites act for nobody, and a name that was turned to this machine is not answered."""

import ipaddress
import os
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import text
from ui.i18n import requested_language, speaking

SAFE = frozenset({"GET", "HEAD"})
BODIES = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
"""Kinds of body that are read. Browsers send any other kind, and none, to other sites without asking them first."""
ROOTS = (b"x-forwarded-host", b"x-gradio-server")
"""Headers that Gradio takes as the page's own address."""


class Names:
    """The host names by which visitors reach the page."""

    def __init__(self, named: Iterable[str], any_name: bool) -> None:
        """
        Args:
            named: names, lower case, without ports.
            any_name: whether a request may name another host. On a loopback address it must not: any web site can
                have its own name point there, and is then of the same origin.
        """
        self.named, self.any_name = frozenset(named), any_name

    @classmethod
    def from_environment(cls, host: str) -> "Names":
        """The names of a page that listens on `host`: those of I2I_HOSTS, and on a Space the Hub's for it."""
        given = os.environ.get("I2I_HOSTS", "") + "," + os.environ.get("SPACE_HOST", "")
        named = [name.strip().lower() for name in given.split(",") if name.strip()]
        on_space = bool(os.environ.get("SPACE_ID"))
        return cls(named, any_name=on_space or (not named and not is_loopback(host)))

    def is_own(self, name: str) -> bool:
        """Whether a name, without port, is known to be the page's."""
        return name in self.named

    def may_be_asked(self, host: str) -> bool:
        """Whether a Host header is answered. An address as such always is: nobody can turn it elsewhere."""
        name = _hostname(host)
        return self.any_name or self.is_own(name) or name == "localhost" or _is_address(name)

    def same(self, origin: str, host: str) -> bool:
        """Whether an Origin is the page's own, as the Host header of the same request names it."""
        parts = urlsplit(origin)
        try:
            port = parts.port
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return False
        usual = 443 if parts.scheme == "https" else 80
        here = host.lower().removesuffix(f":{usual}")
        own = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        own += f":{port}" if port not in (None, usual) else ""
        return own == here or self.is_own(parts.hostname)


class OwnOrigin:
    """ASGI middleware before all others, the log-in's too.

    Gradio answers other sites' pages with leave to read and to send cookies, and its log-in's cookie has to travel in
    other sites' frames. So here a request of another site has no cookie, its answer gives no leave, and if it could
    change anything it is refused.
    """

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self.app, self.names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self.names.may_be_asked(host):
            return await self._refuse(421, "foreign_host", scope, receive, send, host=_hostname(host)[:80])
        foreign = self._is_foreign(headers, host)
        if foreign and scope["method"] not in SAFE:
            return await self._refuse(403, "foreign_origin", scope, receive, send)
        if scope["method"] == "POST" and _has_body(headers) and not headers.get("content-type", "").startswith(BODIES):
            return await self._refuse(415, "no_type", scope, receive, send)
        left_out = self._left_out(headers, host, foreign)
        scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in left_out]}

        async def send_without_leave(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name in [name for name in answer if name.startswith("access-control-")]:
                    del answer[name]
                if foreign:
                    del answer["set-cookie"]
            await send(message)

        await self.app(scope, receive, send_without_leave)

    def _is_foreign(self, headers: Headers, host: str) -> bool:
        """Whether another site's page made its visitor's browser ask; a link that the visitor follows is none."""
        origin = headers.get("origin")
        if origin is not None:
            return not self.names.same(origin, host)
        return headers.get("sec-fetch-site") in ("cross-site", "same-site") and (
            headers.get("sec-fetch-mode") != "navigate"
        )

    def _left_out(self, headers: Headers, host: str, foreign: bool) -> Collection[bytes]:
        forwarded = headers.get("x-forwarded-host", "").partition(",")[0].strip()
        believed = forwarded.lower() == host.lower() or self.names.is_own(_hostname(forwarded))
        return {
            *(name for name in ROOTS if not (believed and name == b"x-forwarded-host")),
            *((b"cookie", b"authorization") if foreign else ()),
        }

    async def _refuse(self, status: int, key: str, scope: Scope, receive: Receive, send: Send, **words: str) -> None:
        with speaking(requested_language(Headers(scope=scope))):
            sentence = text.LIMITS[key].format(**words)
        await JSONResponse({"detail": sentence, "error": sentence}, status)(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether what a server listens on can be reached from this machine alone."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _hostname(host: str) -> str:
    """A Host header without its port, lower case; an IPv6 address without brackets."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
