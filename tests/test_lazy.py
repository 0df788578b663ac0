"""A lazy translator says what it is before its weights are read, and refuses damage as early as it can be seen."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from test_engine import save_tiny

import i2i_models as i2i
from i2i_models.errors import CheckpointError
from i2i_models.inference import translator
from i2i_models.networks import methods


def test_a_lazy_translator_is_described_before_its_weights_are_read(tmp_path: Path) -> None:
    lazy = i2i.load(save_tiny(tmp_path), lazy=True)
    assert (lazy.info.title, lazy.card, lazy.examples) == ("Munit", "", [])
    able = lazy.capabilities
    assert (able.directions, able.chance, able.style_dim, able.paired) == (("A2B", "B2A"), "style", 8, False)
    assert not lazy.is_loaded
    assert lazy.network.capabilities == able


def test_a_lazy_translator_translates_as_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_ENGINE", "torch")
    folder = save_tiny(tmp_path)
    read, reads = methods.read, []
    monkeypatch.setattr(translator, "read", lambda path: reads.append(path) or read(path))
    lazy = i2i.load(folder, lazy=True)
    assert reads == []
    picture = Image.linear_gradient("L").resize((40, 30))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: lazy.translate(picture).tobytes(), range(8)))
    assert reads == [folder]  # once, although eight asked
    assert set(results) == {i2i.load(folder).translate(picture).tobytes()}


def test_a_checkpoint_that_does_not_say_what_it_can_is_asked(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path, "pix2pix")
    config = json.loads((folder / "config.json").read_text())
    del config["abilities"]
    (folder / "config.json").write_text(json.dumps(config))
    assert i2i.load(folder, lazy=True).capabilities == i2i.load(folder).network.capabilities


@pytest.mark.parametrize(
    "change",
    [{"chance": "luck"}, {"directions": ["A2C"]}, {"style_dim": -1}, {"paired": 1}, {"more": 1}, {"title": None}],
)
def test_damaged_abilities_are_refused_at_once(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = save_tiny(tmp_path, "pix2pix")
    config = json.loads((folder / "config.json").read_text())
    config["abilities"] |= change
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"config\.json: abilities are not as they are saved"):
        i2i.load(folder, lazy=True)


def test_weights_that_cannot_be_whole_are_refused_at_once_and_others_when_read(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path, "pix2pix")
    path = folder / "model.safetensors"
    data = path.read_bytes()
    for damaged in (b"", data[:7], data[:100], data[: len(data) // 2], data[:-1], data + b"x", b"\xff" * 8 + data[8:]):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged"):
            i2i.load(folder, lazy=True)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors is missing"):
        i2i.load(folder, lazy=True)
    path.write_bytes(data)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"network": config["network"] | {"base_width": 8}}))
    lazy = i2i.load(folder, lazy=True)
    for _ in range(2):
        with pytest.raises(CheckpointError, match=r"has shape .* describes"):
            lazy.translate(Image.new("RGB", (32, 32)))
    config["abilities"]["chance"] = "none"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="abilities are not those of its network"):
        i2i.load(folder)
