"""Other web sites: their pages act for nobody, read nothing, and reach no page on this machine under their own name."""

from collections.abc import Callable

import httpx
import pytest
from conftest import run_async
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from ui import text
from ui.limits.origin import Names, OwnOrigin

from .conftest import Server

JOIN = "/gradio_api/queue/join"
EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def space(start: Callable[..., Server]) -> Server:
    """A page that visitors reach by names, as behind a proxy."""
    return start(I2I_HOSTS="owner-app.hf.space, images.example.org")


@pytest.mark.parametrize("host", ["owner-app.hf.space", "images.example.org", "127.0.0.1:7860"])
@pytest.mark.parametrize("origin", [EVIL, "null", "https://owner-app.hf.space.evil.example", "file://", "http://a:b"])
def test_another_sites_page_asks_in_vain(space: Server, host: str, origin: str) -> None:
    headers = {"Host": host, "Origin": origin, "Cookie": "session=x"}
    asked = space.ask(space.question(), headers=headers)
    assert (asked.status_code, asked.json()["error"]) == (403, text.LIMITS["foreign_origin"])
    assert space.client.post(JOIN, json={}, headers=headers).status_code == 403
    allowed = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = space.client.options(JOIN, headers={**headers, **allowed})
    read = space.client.get("/config", headers=headers)
    for response in (asked, preflight, read):
        assert not [name for name in response.headers if name.startswith("access-control-")]
    assert preflight.status_code == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("owner-app.hf.space", "https://owner-app.hf.space"),
        ("images.example.org:8080", "http://images.example.org:8080"),
        ("images.example.org", "https://images.example.org:443"),
        ("127.0.0.1:7860", "https://images.example.org"),  # a proxy that names itself
        ("127.0.0.1:7860", "http://127.0.0.1:7860"),
        ("[::1]:7860", "http://[::1]:7860"),
        ("localhost:1", None),
    ],
)
def test_the_page_itself_is_answered(space: Server, host: str, origin: str | None) -> None:
    headers = {"Host": host} | ({"Origin": origin} if origin else {})
    assert "image" in space.ask(space.question(), headers=headers).json()


def test_a_name_turned_to_this_machine_is_not_answered(server: Server) -> None:
    """DNS rebinding: to the browser the site and this page are then of one origin."""
    headers = {"Host": "evil.example:7860", "Origin": "http://evil.example:7860"}
    for response in (server.ask(server.question(), headers=headers), server.client.get("/config", headers=headers)):
        assert response.status_code == 421 and "evil.example" in response.json()["detail"]
    assert "image" in server.ask(server.question(), headers={"Host": "localhost:7860"}).json()


def test_no_header_moves_the_page(server: Server, space: Server) -> None:
    for name in ("X-Forwarded-Host", "X-Gradio-Server"):
        assert "evil.example" not in server.client.get("/config", headers={name: EVIL.removeprefix("https://")}).text
    proxied = {"X-Forwarded-Host": "images.example.org", "X-Forwarded-Proto": "https"}
    assert space.client.get("/config", headers=proxied).json()["root"] == "https://images.example.org"


def test_a_cookie_travels_with_the_page_alone() -> None:
    """What an app with a log-in sees, whose cookie browsers send from anywhere."""
    seen: list[dict] = []

    async def app(scope: dict, receive: Callable, send: Callable) -> None:
        seen.append(dict(scope["session"]))
        scope["session"]["who"] = "owner"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    session = Middleware(SessionMiddleware, secret_key="x", same_site="none")
    guarded = OwnOrigin(session.cls(app, **session.kwargs), Names(["page.example"], any_name=False))

    async def visit() -> None:
        transport = httpx.ASGITransport(app=guarded)
        async with httpx.AsyncClient(transport=transport, base_url="https://page.example") as client:
            first = await client.get("/")
            cookie = {"Cookie": "session=" + first.cookies["session"]}
            client.cookies.clear()
            own = {"Origin": "https://page.example"}
            link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
            image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
            for more in (own, link, image, {"Origin": EVIL}):
                response = await client.get("/", headers={**cookie, **more})
            assert "set-cookie" not in response.headers
            client.cookies.clear()
            await client.post("/", headers={**cookie, **own})

    run_async(visit())
    owner = {"who": "owner"}
    assert seen == [{}, owner, owner, {}, {}, owner]
