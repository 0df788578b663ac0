"""What the page serves for networks in browsers: to whom, under which headers, and what of it is kept."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from tiny_munit import load_tiny

from ui.browser import browser_props, models
from ui.browser.files import RUNTIME, SCRIPTS
from ui.browser.models import BrowserModels
from ui.catalog import Catalog
from ui.own_models import OwnModel

pytest.importorskip("onnxruntime")


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A catalog of one tiny checkpoint, with a cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    load_tiny(tmp_path / "checkpoints")
    return Catalog(tmp_path / "checkpoints")


@pytest.fixture
def client(catalog: Catalog) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=BrowserModels(catalog).routes)) as client:
        yield client


def test_scripts_and_runtime_never_need_to_be_asked_for_again(client: TestClient) -> None:
    described = json.loads(client.get(f"/{RUNTIME.address}runtime.json").text)
    for address, name in ((RUNTIME.address, "ort.wasm"), (RUNTIME.address, "ort.mjs"), (SCRIPTS.address, "network.js")):
        answer = client.get(f"/{address}{name}")
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"], name
        assert answer.headers["content-encoding"] == "gzip"
        if name in described["files"]:  # the file is the one that npm has
            assert hashlib.sha256(answer.content).hexdigest() == described["files"][name]["sha256"]
            assert described["files"][name].get("packed") in (None, int(answer.headers["content-length"]))
    plain = client.get(f"/{SCRIPTS.address}network.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == gzip.decompress(SCRIPTS.files["network.js"])
    assert client.get(f"/{SCRIPTS.address}__init__.py").status_code == 404
    assert client.get("/browser/scripts/another/network.js").status_code == 404


def test_a_checkpoint_is_exported_once_and_served_as_files(
    client: TestClient, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = browser_props(catalog, catalog.translators.values())
    assert told is not None and told["models"] == {"tiny": "browser/models/tiny/"}
    answer = client.get("/browser/models/tiny/model.json")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-cache"
    known = {"if-none-match": answer.headers["etag"]}
    assert client.get("/browser/models/tiny/model.json", headers=known).status_code == 304
    model = answer.json()
    name, said = next(iter(model["files"].items()))
    file = client.get(f"/browser/models/tiny/{name}", params={"v": said["sha256"][:16]})
    assert hashlib.sha256(file.content).hexdigest() == said["sha256"]
    assert "immutable" in file.headers["cache-control"] and "content-encoding" not in file.headers
    assert client.get(f"/browser/models/tiny/{name}").headers["cache-control"] == "no-cache"
    for path in ("model.safetensors", "config.json", "..%2Fkey", "%2e%2e/tiny/model.json", ""):
        assert client.get(f"/browser/models/tiny/{path}").status_code == 404, path
    assert client.get("/browser/models/another/model.json").status_code == 404

    def fail(*command: str, **options: object) -> None:
        raise AssertionError("it was exported again")

    monkeypatch.setattr(models.asyncio, "create_subprocess_exec", fail)
    with TestClient(Starlette(routes=BrowserModels(catalog).routes)) as restarted:
        assert restarted.get("/browser/models/tiny/model.json").json() == model


def test_an_own_model_is_served_to_its_owner_alone(client: TestClient, catalog: Catalog, tmp_path: Path) -> None:
    public = load_tiny(tmp_path / "own")
    own = OwnModel(public.network, public.info, tmp_path / "own" / "tiny", lambda: None)
    told = browser_props(catalog.only(own), [own])
    assert told is not None
    address = told["models"]["tiny"]
    assert address.startswith("browser/own/") and len(address) > 50
    answer = client.get(f"/{address}model.json")
    assert answer.status_code == 200
    file = client.get(f"/{address}{next(iter(answer.json()['files']))}", params={"v": "0"})
    assert file.status_code == 200 and file.headers["cache-control"] == answer.headers["cache-control"] == "no-store"
    assert client.get("/browser/own/another/model.json").status_code == 404
    # The name of it means the public one to everybody else; and a model of a session that is nobody's own stays here.
    assert browser_props(catalog.only(public), [public])["models"] == {}  # type: ignore[index]
    own.close()
    assert client.get(f"/{address}model.json").status_code == 404


def test_what_cannot_be_exported_is_said_once(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (catalog.folder / "tiny" / "model.safetensors").write_bytes(b"no weights")
    with TestClient(Starlette(routes=BrowserModels(catalog).routes)) as client:
        for _ in range(2):
            assert client.get("/browser/models/tiny/model.json").status_code == 404
    assert sum("tiny does not run in browsers" in record.message for record in caplog.records) == 1
    monkeypatch.setenv("I2I_BROWSER", "off")
    assert browser_props(catalog, catalog.translators.values()) is None


def test_a_checkpoint_from_elsewhere_is_not_given_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a private repo, whose owner lets the page translate with it."""
    load_tiny(tmp_path / "elsewhere")
    catalog = Catalog(tmp_path / "none", [str(tmp_path / "elsewhere" / "tiny")])
    (translator,) = catalog.translators.values()
    told = browser_props(catalog, [translator])
    assert told is not None and told["models"] == {}
    with TestClient(Starlette(routes=BrowserModels(catalog).routes)) as client:
        assert client.get(f"/browser/models/{translator.info.name}/model.json").status_code == 404
    monkeypatch.setenv("I2I_BROWSER", "all")
    assert len(browser_props(catalog, [translator])["models"]) == 1  # type: ignore[index]
