"""What a visitor who is logged in can do, and what nobody else sees of it."""

import gc
import json
import re
import time
import weakref
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
from i2i_models import checkpoints
from i2i_models.errors import HubError
from i2i_models.hub.push import push
from ui import account, i18n, own_models, page, text
from ui.answers import Answers
from ui.catalog import Catalog
from ui.errors import sentences
from ui.payload import to_data_url
from ui.service import Service

from .conftest import make
from .server import MOCKED, READER, TOKEN, USER, Hub

Token = gr.OAuthToken


def token(value: str = MOCKED) -> Token:
    """What Gradio hands to a function of somebody who is logged in."""
    return Token(token=value, scope="openid profile", expires_at=0)


OWNER: Any = SimpleNamespace(username=USER)
ENGLISH, CHINESE = "en-GB,en;q=0.9", "zh-CN,zh;q=0.9"


def request(language: str) -> Any:
    """What Gradio says of the request of a browser in that language."""
    return SimpleNamespace(headers={"accept-language": language})


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    """No test finds another one's models in the table."""
    yield
    own_models.own_models.close_all()


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
    opened = account.open_own(" owner/mine ", OWNER, token())
    assert ImageChops.difference(opened.translate(drawing), i2i.load(private).translate(drawing)).getbbox() is None
    assert opened.info.name == "owner/mine"


def test_nobody_else_sees_them(private: Path, catalog: Catalog, tmp_path: Path) -> None:
    opened = account.open_own("owner/mine", OWNER, token())
    assert opened.info.name not in catalog.translators
    assert "models--owner--mine" not in str(list((tmp_path / "cache").rglob("*")))  # not in the cache of all
    for other in (token(READER), token("hf_nobody_at_all")):
        with pytest.raises(HubError, match=r"is not on the Hub, or private|does not accept the token"):
            account.open_own("owner/mine", OWNER, other)
    with pytest.raises(own_models.AccountError, match=text.ACCOUNT["log_in_first"]):
        account.open_own("owner/mine", OWNER, None)
    with pytest.raises(HubError, match="is not on the Hub, or private"):
        i2i.load("owner/mine")


def person(name: str) -> Any:
    """Another account that is logged in."""
    return SimpleNamespace(username=name)


def test_what_is_open_is_bounded_and_closes_in_time(
    private: Path, catalog: Catalog, drawing: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rendered controls hold it for ever, as Gradio does; yet it is empty after its hour, and its place is free."""
    monkeypatch.setattr(own_models, "OPEN_AT_ONCE", 2)
    first, second = (account.open_own("owner/mine", person(name), token()) for name in ("a", "b"))
    with pytest.raises(own_models.AccountError, match="Too many visitors have models of their own open"):
        account.open_own("owner/mine", person("c"), token())
    folder, network = first.folder, weakref.ref(first.network)
    answers = Answers(catalog.only(first))
    first.closing.append(answers.forget)
    payload = {"checkpoint": "owner/mine", "direction": "A2B", "image": to_data_url(drawing)}
    assert "image" in answers.translate(payload) and len(answers._codes) == 1
    now = time.monotonic()
    monkeypatch.setattr(own_models.time, "monotonic", lambda: now + own_models.KEPT_SECONDS - 1)
    second.translate(drawing)  # still in use
    monkeypatch.setattr(own_models.time, "monotonic", lambda: now + own_models.KEPT_SECONDS + 1)
    own_models.own_models.close_old()
    gc.collect()
    assert network() is None and folder is not None and not folder.exists() and len(answers._codes) == 0
    assert sentences(answers.translate)(payload) == {"error": text.ACCOUNT["closed"]}
    assert second.translate(drawing).size == drawing.size
    third = account.open_own("owner/mine", person("c"), token())
    fourth = account.open_own("owner/mine", person("c"), token())
    with pytest.raises(own_models.AccountError, match="was closed"):
        third.translate(drawing)
    assert fourth.translate(drawing).size == drawing.size and len(own_models.own_models) == 2


def test_a_place_is_free_again_after_a_failure_and_others_do_not_wait(
    private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_models, "OPEN_AT_ONCE", 1)
    with pytest.raises(HubError):
        account.open_own("owner/nothing-here", OWNER, token())
    monkeypatch.setattr(own_models, "OPEN_AT_ONCE", 2)
    with own_models.own_models.place("slow"):
        assert account.open_own("owner/mine", OWNER, token()).info.title == "Tiny"
        with pytest.raises(own_models.AccountError, match="is being opened already"):
            account.open_own("owner/mine", person("slow"), token())
    assert len(own_models.own_models) == 1


def test_what_is_too_large_is_not_downloaded(private: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files count, and the config is judged before any other is fetched."""
    monkeypatch.setattr(account, "MAX_BYTES", (private / "model.safetensors").stat().st_size + 100)
    hub.seen.clear()
    with pytest.raises(HubError, match="owner/mine is larger than the 0 MB that can be opened here"):
        account.open_own("owner/mine", OWNER, token())
    assert not hub.asked("GET /cdn/")


def test_what_takes_too_long_to_arrive_is_given_up(private: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "DOWNLOAD_SECONDS", -1.0)
    with pytest.raises(HubError, match="takes too long to arrive"):
        account.open_own("owner/mine", OWNER, token())
    assert len(own_models.own_models) == 0


def test_a_network_that_is_too_much_is_refused_by_its_config(
    private: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few megabytes of weights can ask for gigabytes of layers."""
    network = i2i.CycleGAN(i2i.CycleGANConfig(base_width=8, blocks=2))
    domains = {"A": checkpoints.Domain("a"), "B": checkpoints.Domain("b")}
    checkpoints.save(tmp_path / "vast", network, checkpoints.Info("vast", "Vast", "cyclegan", 4096, domains))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    push(tmp_path / "vast", "owner/vast", private=True)
    hub.seen.clear()
    with pytest.raises(HubError, match=r"owner/vast .* layers of 1,\d+ MB"):
        account.open_own("owner/vast", OWNER, token())
    assert not hub.asked("GET /cdn/")


def test_a_copy_goes_to_the_account_of_whoever_is_logged_in(private: Path, hub: Hub, catalog: Catalog) -> None:
    said = account.copy_to(catalog.translators["shown"], "copied", True, OWNER, token())
    assert "owner/copied" in said and hub.repo("owner/copied").private
    stranger: Any = SimpleNamespace(username="reader")
    with pytest.raises(own_models.AccountError, match="owner/copied exists already"):
        account.copy_to(catalog.translators["shown"], "copied", True, OWNER, token())
    for name in ("x/y", "", "../up", "a b"):
        with pytest.raises(HubError, match="is no name on the Hub"):
            account.copy_to(catalog.translators["shown"], name, True, OWNER, token())
    with pytest.raises(own_models.AccountError, match=text.ACCOUNT["log_in_first"]):
        account.copy_to(catalog.translators["shown"], "copied", True, None, None)
    with pytest.raises(HubError):
        account.copy_to(catalog.translators["shown"], "copied", True, stranger, token("hf_nobody_at_all"))


def test_what_goes_wrong_is_a_sentence_without_token_or_trace(
    private: Path, hub: Hub, slept: list[float], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fail("GET /api/models", times=100, status=500)
    assert account._list_own(request(ENGLISH), OWNER, token())[1].startswith("The Hub has trouble of its own")
    assert account._open_own("owner/mine", request(ENGLISH), OWNER, token())[0] is None
    monkeypatch.setattr(account, "open_own", lambda *_: 1 / 0)
    said = account._open_own("owner/mine", request(ENGLISH), OWNER, token())[1]
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
    built, served = page.build(catalog.folder)
    options = Service(built, served).launch_options
    _, url, _ = built.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **options)
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


def test_another_site_opens_nothing_in_the_name_of_whoever_is_logged_in(address: str, hub: Hub) -> None:
    """Browsers send the log-in's cookie from anywhere, since the page has to work in the Hub's frame."""
    cookie = log_in(address)
    evil = {"Cookie": cookie, "Origin": "https://evil.example"}
    assert httpx2.post(f"{address}/gradio_api/queue/join", json={}, headers=evil).status_code == 403
    inside = {"Cookie": cookie, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    for headers in (evil, inside):
        assert "set-cookie" not in httpx2.get(f"{address}/logout", headers=headers).headers, "not even log out"
    assert "is open below" in str(ask(address, "own-open", ["owner/mine"], "owner", cookie)["data"])


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
