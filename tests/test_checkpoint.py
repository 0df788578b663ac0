"""Checkpoints: saved, loaded, and refused with the file and the field when something is wrong."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.errors import CheckpointError
from i2i_models.networks import methods

CONFIG = i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    network = i2i.Pix2Pix(CONFIG)
    labels = checkpoints.Domain("labels", "labels", {"x": (1, 2, 3)})
    domains = {"A": checkpoints.Domain("outline", "outline"), "B": labels}
    info = checkpoints.Info("tiny", "Tiny", "pix2pix", 32, domains)
    checkpoints.save(tmp_path / "tiny", network, info, network.discriminators())
    return tmp_path / "tiny"


def test_what_is_saved_is_loaded(folder: Path) -> None:
    network, info = methods.read(folder)
    assert network.config == CONFIG
    assert info.domains["B"].palette == {"x": (1, 2, 3)}
    assert not network.training
    assert all(p.dtype == torch.float32 and not p.requires_grad for p in network.parameters())
    again = folder.parent / "again"
    checkpoints.save(again, network, info)
    assert (again / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert not (again / "discriminator.safetensors").exists()
    assert checkpoints.find_checkpoints(folder.parent) == [again, folder]
    assert checkpoints.find_checkpoints(folder / "nowhere") == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 99}, "format 99 is newer"),
        ({"format": "1"}, "'format' is missing or not of type int"),
        ({"method": "styletransfer"}, "method 'styletransfer' is unknown"),
        ({"network": None}, "'network' is missing or not of type dict"),
        ({"network": {"base_width": 4, "dept": 4}}, "network.dept is not a field"),
        ({"network": {"base_width": 4.5}}, r"network.base_width must be of type int"),
        ({"network": {"base_width": 10**9}}, "must lie in 1 … 512"),
        ({"network": {"base_width": 8, "depth": 4}}, "has shape .* describes"),
        ({"network": {"base_width": 4, "depth": 5}}, "tensor .* (is missing|has shape)"),
        ({"size": -1}, "size must lie in"),
        ({"size": 40}, "size 40 is no multiple of 16"),
        ({"domains": {"A": {"name": "a"}}}, "domains must be A and B"),
        ({"domains": {"A": {"name": "a"}, "B": {"kind": "sound", "name": "b"}}}, "domains.B needs a name"),
    ],
)
def test_a_wrong_config_names_the_field(folder: Path, change: dict[str, object], says: str) -> None:
    config = json.loads((folder / "config.json").read_text()) | change
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=says) as error:
        i2i.load(folder)
    assert "config.json" in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\x00\x01", "[" * 100_000])
def test_a_config_that_is_no_json_object(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        i2i.load(folder)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.5, 0.999])
def test_weights_cut_short(folder: Path, share: float) -> None:
    path = folder / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged"):
        i2i.load(folder)


def test_other_weights_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    state = load_file(path)
    first = next(iter(state))
    save_file({**state, "extra": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="tensor extra is not part"):
        i2i.load(folder)
    save_file({**state, first: state[first] * float("nan")}, path)
    with pytest.raises(CheckpointError, match=f"{first} holds NaN"):
        i2i.load(folder)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors is missing"):
        i2i.load(folder)


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        i2i.load(tmp_path)
    with pytest.raises(CheckpointError, match="is not a folder: give the path of a checkpoint, or a Hub id"):
        i2i.load("nowhere")


def test_without_network_a_hub_id_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match=r"owner/none@v1 .*(cannot|could not) be"):
        i2i.load("owner/none@v1")
