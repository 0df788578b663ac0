"""What is pushed can be loaded by its id and does the same; repos that are no checkpoint are refused in a sentence."""

import json
from pathlib import Path

import pytest
from huggingface_hub import constants
from PIL import Image, ImageChops

import i2i_models as i2i
from i2i_models.errors import CheckpointError, HubError
from i2i_models.hub import is_hub_id, sources
from i2i_models.hub.push import push

from .conftest import make
from .server import READER, TOKEN, Hub

NAME = "owner/tiny"


def same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is None


def test_what_is_pushed_translates_the_same_when_loaded_by_its_id(hub: Hub, tiny: Path, drawing: Image.Image) -> None:
    url = push(tiny, NAME, "First")
    loaded = i2i.load(NAME)
    assert same(loaded.translate(drawing), i2i.load(tiny).translate(drawing))
    assert (loaded.info.name, loaded.info.title) == (NAME, "Tiny")
    assert [path.name for path in loaded.examples] == ["one.png"]
    assert f'i2i.load("{NAME}")' in loaded.card  # not the folder that it was pushed from
    assert url.endswith(hub.repo(NAME).main.sha) and hub.repo(NAME).main.message == "First"
    assert "discriminator.safetensors" in hub.repo(NAME).main.files
    assert not hub.leaks


def test_only_what_changed_is_uploaded_and_what_went_away_is_deleted(hub: Hub, tiny: Path) -> None:
    push(tiny, NAME)
    hub.put(NAME, {"notes.txt": b"mine"})
    before = hub.repo(NAME).main
    hub.seen.clear()
    push(tiny, NAME)
    assert hub.repo(NAME).main is before and not hub.asked("PUT")
    (tiny / "examples" / "one.png").unlink()
    (tiny / "metrics.json").write_text('{"metrics": [1]}')
    push(tiny, NAME)
    after = hub.repo(NAME).main
    assert {p for p in before.files if after.files.get(p) != before.files[p]} == {"metrics.json", "examples/one.png"}
    assert after.files["notes.txt"] == b"mine" and not hub.asked("PUT")


def test_branches_and_privacy(hub: Hub, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push(tiny, NAME, private=True, branch="step-100")
    assert hub.repo(NAME).private
    assert "config.json" not in hub.repo(NAME).main.files
    assert i2i.load(f"{NAME}@step-100").info.name == f"{NAME}@step-100"
    with pytest.raises(HubError, match=r"owner/tiny@v9 on the Hub has no such revision"):
        i2i.load(f"{NAME}@v9")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", constants.HF_HUB_CACHE + "2")
    with pytest.raises(HubError, match=r"is not on the Hub, or private: .* needs `hf auth login` or HF_TOKEN"):
        i2i.load(f"{NAME}@step-100")


def test_only_what_inference_needs_is_downloaded_and_only_once(hub: Hub, tiny: Path) -> None:
    push(tiny, NAME)
    hub.put(NAME, {"pytorch_model.bin": b"pickle", "setup.py": b"evil()", "examples/run.py": b"evil()"})
    folder = i2i.load(NAME).folder
    assert folder is not None
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"config.json", "model.safetensors", "README.md", "metrics.json", "examples/one.png"}
    hub.seen.clear()
    i2i.load(NAME)
    assert hub.seen and not hub.asked("cdn|resolve|tree")


@pytest.mark.parametrize("how", ["gone", "offline", "trouble"])
def test_works_from_the_cache_without_the_hub(
    hub: Hub, tiny: Path, drawing: Image.Image, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(tiny, NAME)
    expected = i2i.load(NAME).translate(drawing)
    if how == "gone":
        hub.__exit__()
    elif how == "offline":
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    else:
        hub.fail("GET|HEAD", times=1000, status=503)
    assert same(i2i.load(NAME).translate(drawing), expected)
    with pytest.raises(HubError, match=r"(reached|trouble).* owner/other|owner/other .* reached"):
        i2i.load("owner/other")


def test_a_damaged_copy_is_fetched_again_and_never_used(
    hub: Hub, tiny: Path, drawing: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(tiny, NAME)
    first = i2i.load(NAME)
    assert first.folder is not None
    weights = (first.folder / "model.safetensors").resolve()
    flipped = bytearray(weights.read_bytes())
    flipped[-5] ^= 1
    weights.write_bytes(flipped)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="is not what owner/tiny holds: delete"):
        i2i.load(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert same(i2i.load(NAME).translate(drawing), first.translate(drawing))


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"README.md": b"# hi"}, "has no config.json: it is no checkpoint of this program"),
        ({"config.json": b"{"}, "config.json is not readable JSON"),
        ({"config.json": b'{"model_type": "bert", "architectures": []}'}, "the field 'format' is missing"),
        ({"format": 99}, "format 99 is newer than this program reads: update it"),
        ({"method": "stargan"}, "method 'stargan' is unknown"),
        ({"model.safetensors": None, "pytorch_model.bin": b"x"}, "no model.safetensors: .* never from pickles"),
        ({"model.safetensors": b"x" * 20_000}, "model.safetensors is damaged"),
    ],
)
def test_repos_that_are_none_of_ours(hub: Hub, tiny: Path, files: dict, says: str) -> None:
    whole = {p.relative_to(tiny).as_posix(): p.read_bytes() for p in tiny.rglob("*") if p.is_file()}
    if "README.md" in files:
        whole = {}
    fields = {key: files.pop(key) for key in ("format", "method") if key in files}
    if fields:
        whole["config.json"] = json.dumps({**json.loads(whole["config.json"]), **fields}).encode()
    whole.update(files)
    hub.put(NAME, {path: content for path, content in whole.items() if content is not None})
    with pytest.raises(CheckpointError, match=says) as caught:
        i2i.load(NAME)
    assert NAME in str(caught.value) or "models--owner--tiny" in str(caught.value)
    if "model.safetensors" not in says:
        assert not hub.asked("safetensors|/cdn/")  # refused before anything large is fetched


@pytest.mark.parametrize("name", ["owner/tiny@", "a/b/c", "own er/tiny", "/tiny", "owner/", "tiny", "owner/ti--ny..x"])
def test_names_that_are_none(hub: Hub, tiny: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match=r"is no name on the Hub|is not a folder"):
        i2i.load(name)
    with pytest.raises(HubError, match="is no name on the Hub"):
        push(tiny, name, waits=())


def test_what_is_a_hub_id() -> None:
    assert is_hub_id("owner/name") and is_hub_id("o/n-1.x_y@refs/pr/1")
    assert not any(map(is_hub_id, ["name", "a/b/c", "owner/name@", "../x", "-a/b"]))


def test_collections_stand_for_their_models_and_are_left_out_if_unreachable(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    slug = "owner/mine-0123456789abcdef01234567"
    hub.collections[slug] = ["owner/a", "owner/b"]
    assert sources(f" checkpoints/x, {slug} ,owner/a,,owner/c") == ["checkpoints/x", "owner/a", "owner/b", "owner/c"]
    assert sources(f"https://huggingface.co/collections/{slug}") == ["owner/a", "owner/b"]
    assert sources("owner/gone-0123456789abcdef01234567,owner/c") == ["owner/c"]
    assert any(r.getMessage().startswith("left out the collection owner/gone-") for r in caplog.records)
    hub.__exit__()
    assert sources(f"{slug},owner/c") == ["owner/c"]


def test_somebody_elses_repo_is_refused_with_a_sentence(hub: Hub, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push(tiny, NAME)
    before = hub.repo(NAME).main
    monkeypatch.setenv("HF_TOKEN", READER)
    with pytest.raises(HubError, match="use a token with the right to write"):
        push(make(tiny, seed=1), NAME)
    with pytest.raises(HubError, match=r"use a token with the right to write .*rights to create"):
        push(tiny, "stranger/tiny")
    assert hub.repo(NAME).main is before
    monkeypatch.setenv("HF_TOKEN", "hf_wrongwrongwrong")
    with pytest.raises(HubError, match=r"does not accept the token|may not do"):
        push(tiny, NAME)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="Nobody is logged in to the Hub: run `hf auth login`"):
        push(tiny, NAME)


def test_a_folder_that_is_no_whole_checkpoint_is_not_pushed(hub: Hub, tiny: Path) -> None:
    (tiny / "model.safetensors").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="damaged"):
        push(tiny, NAME)
    assert not hub.seen and TOKEN not in str(hub.repos)
