"""What a visitor who is logged in can do, and what nobody else sees of it."""

import gc
import json
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx2
import pytest
from PIL import Image, ImageChops

import i2i_models as i2i
from i2i_models.errors import HubError
from i2i_models.hub.push import push
from ui import account, i18n, page, text
from ui.catalog import Catalog

from .conftest import make
from .server import MOCKED, READER, USER, Hub

Token = gr.OAuthToken


def token(value: str = MOCKED) -> Token:
    """What Gradio hands to a function of somebody who is logged in."""
    return Token(token=value, scope="openid profile", expires_at=0)


OWNER: Any = SimpleNamespace(username=USER)
ENGLISH, CHINESE = "en-GB,en;q=0.9", "zh-CN,zh;q=0.9"


def request(language: str) -> Any:
    """What Gradio says of the request of a browser in that language."""
    return SimpleNamespace(headers={"accept-language": language})


@pytest.fixture
def private(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private checkpoint in the account; the server itself is logged in to nothing."""
    folder = make(tmp_path / "mine", seed=3)
    push(folder, "owner/mine", private=True)
    monkeypatch.delenv("HF_TOKEN")
    return folder


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """What the page serves to everybody."""
    make(tmp_path / "served" / "shown")
    return Catalog(tmp_path / "served")


def test_ones_own_private_checkpoints_are_listed_and_opened(
    private: Path, catalog: Catalog, drawing: Image.Image
) -> None:
    assert account.own_checkpoints(OWNER, token()) == ["owner/mine"]
    opened = account.open_own(" owner/mine ", token())
    assert ImageChops.difference(opened.translate(drawing), i2i.load(private).translate(drawing)).getbbox() is None
    assert opened.info.name == "owner/mine"


def test_nobody_else_sees_them(private: Path, catalog: Catalog, tmp_path: Path) -> None:
    opened = account.open_own("owner/mine", token())
    assert opened.info.name not in catalog.translators
    assert "models--owner--mine" not in str(list((tmp_path / "cache").rglob("*")))  # not in the cache of all
    for other in (token(READER), token("hf_nobody_at_all")):
        with pytest.raises(HubError, match=r"is not on the Hub, or private|does not accept the token"):
            account.open_own("owner/mine", other)
    with pytest.raises(account.AccountError, match=text.ACCOUNT["log_in_first"]):
        account.open_own("owner/mine", None)
    with pytest.raises(HubError, match="is not on the Hub, or private"):
        i2i.load("owner/mine")


def test_what_is_open_is_bounded_and_goes_with_its_visitor(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()
    monkeypatch.setattr(account, "OPEN_AT_ONCE", len(account._open) + 2)
    held = [account.open_own("owner/mine", token()) for _ in range(2)]
    folders = [translator.folder for translator in held]
    with pytest.raises(account.AccountError, match="Too many visitors have models of their own open"):
        account.open_own("owner/mine", token())
    held.clear()
    gc.collect()
    assert not any(folder and folder.exists() for folder in folders)
    assert account.open_own("owner/mine", token()).info.title == "Tiny"


def test_one_that_is_too_large_is_not_downloaded(private: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "MAX_WEIGHTS", 1000)
    hub.seen.clear()
    with pytest.raises(HubError, match="owner/mine is larger than the 0 MB that can be opened here"):
        account.open_own("owner/mine", token())
    assert not hub.asked("GET /cdn/")


def test_a_copy_goes_to_the_account_of_whoever_is_logged_in(private: Path, hub: Hub, catalog: Catalog) -> None:
    said = account.copy_to(catalog.translators["shown"], "copied", True, OWNER, token())
    assert "owner/copied" in said and hub.repo("owner/copied").private
    stranger: Any = SimpleNamespace(username="reader")
    for name in ("x/y", "", "../up", "a b"):
        with pytest.raises(HubError, match="is no name on the Hub"):
            account.copy_to(catalog.translators["shown"], name, True, OWNER, token())
    with pytest.raises(account.AccountError, match=text.ACCOUNT["log_in_first"]):
        account.copy_to(catalog.translators["shown"], "copied", True, None, None)
    with pytest.raises(HubError):
        account.copy_to(catalog.translators["shown"], "copied", True, stranger, token("hf_nobody_at_all"))


def test_what_goes_wrong_is_a_sentence_without_token_or_trace(
    private: Path, hub: Hub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fail("GET /api/models", times=100, status=500)
    assert account._list_own(request(ENGLISH), OWNER, token())[1].startswith("The Hub has trouble of its own")
    assert account._open_own("owner/mine", request(ENGLISH), token())[0] is None
    monkeypatch.setattr(account, "open_own", lambda *_: 1 / 0)
    said = account._open_own("owner/mine", request(ENGLISH), token())[1]
    assert re.fullmatch(text.SERVER["unexpected"].replace(".", r"\.").format(id=r"\w+"), said)
    assert MOCKED not in caplog.text


@pytest.mark.parametrize(("space", "oauth"), [(False, False), (True, False), (True, True), (False, True)])
def test_buttons_are_there_on_a_space_only(
    catalog: Catalog, space: bool, oauth: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.utils.get_space", lambda: "owner/app" if space else None)
    monkeypatch.setattr(account, "get_space", lambda: "owner/app" if space else None)
    for name in ("CLIENT_ID", "CLIENT_SECRET", "SCOPES"):
        monkeypatch.setattr(f"gradio.oauth.OAUTH_{name}", "x")
    monkeypatch.setattr("gradio.oauth.OPENID_PROVIDER_URL", "https://huggingface.co")
    monkeypatch.setattr("gradio.oauth.get_space", lambda: "owner/app" if space else None)
    monkeypatch.setenv("OAUTH_CLIENT_ID", "x") if oauth else monkeypatch.delenv("OAUTH_CLIENT_ID", raising=False)
    assert (account.on_space(), account.is_offered()) == (space, space and oauth)
    ids = {getattr(block, "elem_id", None) for block in page.build(catalog.folder)[0].blocks.values()}
    assert ("duplicate" in ids, "login" in ids) == (space, space and oauth)


@pytest.fixture
def address(private: Path, catalog: Catalog, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The page with log-in, as Gradio mocks it outside of a Space."""
    monkeypatch.setenv("HF_TOKEN", "hf_testTokenOfOwner")
    monkeypatch.setattr(account, "is_offered", lambda: True)
    built, _ = page.build(catalog.folder)
    _, url, _ = built.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    monkeypatch.delenv("HF_TOKEN")
    yield url.rstrip("/")
    built.close()


def ask(
    address: str, element: str, data: list, session: str, cookie: str = "", language: str = ENGLISH
) -> dict[str, Any]:
    """Do what the browser does at an event of an element, and return what the page is told."""
    config = httpx2.get(f"{address}/config").json()
    ids = {c["props"].get("elem_id") or c["type"]: c["id"] for c in config["components"]}
    event = next(
        d for d in config["dependencies"] if any(t[0] == ids[element] for t in d["targets"]) and d["backend_fn"]
    )
    headers = {"Accept-Language": language, **({"Cookie": cookie} if cookie else {})}
    body = {"data": data, "fn_index": event["id"], "session_hash": session}
    asked = httpx2.post(f"{address}/gradio_api/queue/join", json=body, headers=headers)
    assert asked.status_code == 200, asked.text
    url = f"{address}/gradio_api/queue/data?session_hash={session}"
    with httpx2.stream("GET", url, headers=headers, timeout=60) as stream:
        for line in stream.iter_lines():
            message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if message.get("msg") == "process_completed":
                return message["output"]
    raise AssertionError("no answer")


def log_in(address: str) -> str:
    """The cookie of whoever clicks through Gradio's mocked log-in."""
    with httpx2.Client(follow_redirects=False) as client:
        back = client.get(f"{address}/login/huggingface").headers["location"]
        given = client.get(address + back if back.startswith("/") else back).headers["set-cookie"]
    return "; ".join(f"{key}={morsel.value}" for key, morsel in SimpleCookie(given).items())


def test_the_page_knows_who_is_asking(address: str, hub: Hub) -> None:
    cookie = log_in(address)
    assert text.ACCOUNT["log_in_first"] in ask(address, "own-open", ["owner/mine"], "stranger")["data"]
    mine = ask(address, "own-open", ["owner/mine"], "owner", cookie)["data"]
    assert any("is open below, for you alone" in str(part) for part in mine)
    assert MOCKED not in str(mine) and "owner/mine" not in httpx2.get(f"{address}/config").text


def test_the_tab_speaks_the_language_of_the_browser(address: str, hub: Hub) -> None:
    chinese = i18n.LOCALES["zh"]

    def said(data: list, element: str = "own-open", cookie: str = "") -> list[Any]:
        return ask(address, element, data, "visitor", cookie, CHINESE)["data"]

    cookie = log_in(address)
    assert chinese["ACCOUNT"]["log_in_first"] in said(["owner/mine"])
    assert chinese["ACCOUNT"]["log_in_first"] in said(["shown", "copied", True], "copy-go")
    assert chinese["ERRORS"]["HubError"] in said(["owner/nothing-here"], cookie=cookie)
    assert chinese["ACCOUNT"]["opened"].format(title="Tiny") in said(["owner/mine"], cookie=cookie)
    built = ask(address, "state", [None], "visitor", cookie, CHINESE)["render_config"]["components"]
    labels = {c["props"].get("label") for c in built}
    assert {chinese["CONTROLS"]["seed"], chinese["CONTROLS"]["card"]} <= labels
