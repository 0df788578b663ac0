"""The Space: what is uploaded, how it is described, and that it starts by itself."""

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import gradio
import pytest
import yaml
from conftest import ROOT, free_port

from i2i_models.errors import HubError
from train.publish.space import bundle, space

from .conftest import make
from .server import Hub

NAME = "owner/app"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folder as it is, with one tiny checkpoint in place of those that are large."""
    root = tmp_path_factory.mktemp("project")
    for path in ROOT.iterdir():
        if path.name != "checkpoints":
            (root / path.name).symlink_to(path)
    make(root / "checkpoints" / "tiny")
    (root / "checkpoints" / "tiny" / "extra.pt").write_bytes(b"a pickle")
    return root


def front_matter(readme: bytes) -> dict:
    return yaml.safe_load(readme.decode().split("---\n")[1])


def test_the_bundle_is_what_the_app_imports_and_each_checkpoint_as_it_is_read(project: Path) -> None:
    files = bundle(project, [])
    assert {"app.py", "requirements.txt", "README.md", "ui/page.py", "i2i_models/hub/download.py"} <= files.keys()
    assert {name.split("/")[0] for name in files} <= {
        "app.py", "requirements.txt", "README.md", "LICENSE", "ui", "i2i_models", "train", "checkpoints", "docs",
    }  # fmt: skip
    assert {name.removeprefix("checkpoints/tiny/") for name in files if name.startswith("checkpoints")} == {
        "config.json", "model.safetensors", "README.md", "metrics.json", "examples/one.png",
    }  # fmt: skip
    assert not any(name.endswith((".pyc", ".pt")) or "test" in name for name in files)
    whole = bundle(ROOT, ["owner/a"])
    assert {f"checkpoints/{p.name}/config.json" for p in (ROOT / "checkpoints").iterdir()} <= whole.keys()


def test_the_front_matter_is_what_this_app_needs(project: Path) -> None:
    readme = bundle(project, ["owner/a"])["README.md"]
    assert isinstance(readme, bytes)
    settings = front_matter(readme)
    assert (settings["sdk"], settings["sdk_version"]) == ("gradio", gradio.__version__)
    assert (settings["app_file"], settings["python_version"]) == ("app.py", "3.12")
    assert settings["hf_oauth"] is True and "read-repos" in settings["hf_oauth_scopes"]
    assert settings["models"] == ["owner/a"] and settings["title"] == "Image to image"


@pytest.fixture
def upload(hub: Hub, project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.setattr("train.publish.space.ROOT", project)
    monkeypatch.setattr("i2i_models.hub.push.WAITS", ())
    return lambda **options: space(NAME, **options)


def test_one_command_makes_the_space_and_the_same_updates_it(hub: Hub, upload: Callable[..., None]) -> None:
    slug = "owner/mine-0123456789abcdef01234567"
    hub.collections[slug] = ["owner/b"]
    upload(hardware="t4-small", private=True, offer=("owner/a@v1", slug))
    made = hub.repo(NAME, "space")
    assert made.private and made.hardware == "t4-small"
    assert made.variables == {"I2I_CHECKPOINTS": f"owner/a@v1,{slug}"}
    assert front_matter(made.main.files["README.md"])["models"] == ["owner/a", "owner/b"]
    hub.put(NAME, {"old.py": b"gone", ".gitattributes": b"lfs"}, kind="space")
    hub.seen.clear()
    upload(hardware="cpu-basic")
    assert made.hardware == "cpu-basic" and not hub.asked("PUT")
    assert "old.py" not in made.main.files and ".gitattributes" in made.main.files


def test_a_static_space_is_the_page_without_a_server(
    hub: Hub, upload: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    upload(static=True, private=True)
    made = hub.repo(NAME, "space")
    files = made.main.files
    assert made.private and made.sdk == "static" and made.hardware is None and not hub.leaks
    settings = front_matter(files["README.md"])
    assert (settings["sdk"], settings["app_file"]) == ("static", "index.html")
    # What makes a page cross-origin isolated, so that networks have several threads.
    headers = settings["custom_headers"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert b"sdk_version" not in files["README.md"] and b"[tiny](models/tiny/README.md)" in files["README.md"]
    model = json.loads(files["models/tiny/model.json"])
    for name, file in model["files"].items():
        assert hashlib.sha256(files[f"models/tiny/{name}"]).hexdigest() == file["sha256"]
    there = sum(map(len, files.values()))
    assert f"{len(files)} files, {there / 1e6:.1f} MB" in capsys.readouterr().out
    assert not any(name.endswith((".py", ".safetensors")) for name in files)
    monkeypatch.setattr("train.publish.space.make_static", lambda *_: {"README.md": b"made once"})
    for name, said in (("app", "is no name on the Hub"), ("stranger/app", "right to write")):
        with pytest.raises(HubError, match=said):
            space(name, static=True)
    monkeypatch.setattr("train.publish.space.make_static", None)  # nothing is made in vain
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="Nobody is logged in to the Hub: run `hf auth login`"):
        upload(static=True)
    assert hub.repo(NAME, "space").main.files == files


def test_faults_leave_the_space_as_it_was(hub: Hub, upload: Callable[..., None]) -> None:
    upload()
    before = hub.repo(NAME, "space").main
    hub.put(NAME, {"app.py": b"older"}, kind="space")
    broken = hub.fail("POST .*/commit/", times=100, status=503)
    with pytest.raises(HubError, match="trouble of its own"):
        upload()
    assert hub.repo(NAME, "space").main.files["app.py"] == b"older"
    broken.times = 0
    upload()
    assert hub.repo(NAME, "space").main.files == before.files
    with pytest.raises(HubError, match="right to write"):
        space("stranger/app")
    with pytest.raises(HubError, match="is no name on the Hub"):
        space("app")


def test_a_project_without_checkpoints_is_refused(tmp_path: Path, project: Path) -> None:
    for name in ("app.py", "requirements.txt", "LICENSE", "README.md"):
        (tmp_path / name).write_text("x")
    with pytest.raises(HubError, match=r"holds no checkpoint: train one, or offer some of the Hub with --offer"):
        bundle(tmp_path, [])
    assert "README.md" in bundle(tmp_path, ["owner/a"])
    (tmp_path / "app.py").unlink()
    with pytest.raises(HubError, match=r"app\.py is missing: run this command in a clone"):
        bundle(tmp_path, [])


def test_the_bundle_alone_starts_and_serves_without_network(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "app"
    for name, content in bundle(project, []).items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    assert (home / "train" / "jobs" / "__main__.py").is_file() and not (home / "tests").exists()
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "I2I_CHECKPOINTS_DIR")}
    environment = {
        **kept, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "I2I_CHECKPOINTS": "owner/not-cached",
        "PORT": str(free_port()), "GRADIO_ANALYTICS_ENABLED": "False",
    }  # fmt: skip
    log = tmp_path / "log"
    with open(log, "w") as out:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=home, env=environment, stdout=out, stderr=out)
    try:
        page = answer(f"http://127.0.0.1:{environment['PORT']}/config", process, log)
        assert "Tiny" in page
        said = log.read_text()
        assert said.count("left out") == 1 and "left out owner/not-cached: " in said and "Traceback" not in said
    finally:
        process.terminate()
        process.wait(20)


def answer(url: str, process: subprocess.Popen, log: Path) -> str:
    """What the page says once it is up."""
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=20) as response:
                return response.read().decode()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(log.read_text())
