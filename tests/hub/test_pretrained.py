"""The networks as the Hub's own mixin would have them."""

import inspect
from pathlib import Path

import huggingface_hub
import pytest
import torch

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.errors import CheckpointError, HubError
from i2i_models.networks.network import TranslationNetwork

from .conftest import make
from .server import TOKEN, Hub

NETWORKS = {
    i2i.Pix2Pix: i2i.Pix2PixConfig(base_width=4, depth=4, norm="batch"),
    i2i.DiscoGAN: i2i.DiscoGANConfig(),
    i2i.CycleGAN: i2i.CycleGANConfig(),
    i2i.UNIT: i2i.UNITConfig(),
    i2i.MUNIT: i2i.MUNITConfig(),
}


def small(cls: type[TranslationNetwork]) -> TranslationNetwork:
    config = NETWORKS[cls]
    if hasattr(config, "base_width"):
        config = type(config)(**{**vars(config), "base_width": 4})
    return cls(config)  # type: ignore[call-arg]


@pytest.mark.parametrize("cls", NETWORKS, ids=lambda cls: cls.__name__)
def test_what_is_saved_comes_back_the_same_and_ready_to_train(cls: type[TranslationNetwork], tmp_path: Path) -> None:
    network = small(cls).eval()
    assert network.save_pretrained(tmp_path / "saved") is None
    again = cls.from_pretrained(tmp_path / "saved")
    assert type(again) is cls and again.config == network.config and not again.training
    assert all(p.requires_grad for p in again.parameters())
    state = again.state_dict()
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in state.items())
    assert {p.name for p in (tmp_path / "saved").iterdir()} == {"config.json", "model.safetensors", "README.md"}
    assert i2i.load(tmp_path / "saved").network.config == network.config  # the page's own layout


@pytest.mark.parametrize("method", ["from_pretrained", "save_pretrained", "push_to_hub"])
def test_signatures_are_those_of_the_mixin(method: str) -> None:
    theirs = inspect.signature(getattr(huggingface_hub.PyTorchModelHubMixin, method)).parameters
    ours = inspect.signature(getattr(i2i.Pix2Pix, method)).parameters
    named = {name: (p.kind, p.default) for name, p in theirs.items() if p.kind is not p.VAR_KEYWORD}
    assert {name: (p.kind, p.default) for name, p in ours.items()}.items() >= named.items()


def test_to_the_hub_and_back(hub: Hub, tiny: Path, tmp_path: Path) -> None:
    network = i2i.Pix2Pix.from_pretrained(tiny)
    url = network.push_to_hub("named", private=True, commit_message="Mine")  # in the account that is logged in
    assert url.endswith(hub.repo("owner/named").main.sha) and hub.repo("owner/named").private
    assert hub.repo("owner/named").main.message == "Mine"
    again = i2i.Pix2Pix.from_pretrained("owner/named", revision=hub.repo("owner/named").main.sha)
    assert all(torch.equal(one, other) for one, other in zip(again.parameters(), network.parameters(), strict=True))
    loaded = i2i.load("owner/named")
    assert (loaded.info.title, loaded.info.size, loaded.info.domains["A"].kind) == ("Tiny", 32, "outline")
    assert 'from_pretrained("owner/named")' in loaded.card
    assert network.save_pretrained(tmp_path / "more", push_to_hub=True, repo_id="owner/more")
    hub.__exit__()
    i2i.Pix2Pix.from_pretrained("owner/named", local_files_only=True)


def test_of_another_method_or_damaged_is_refused(hub: Hub, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckpointError, match="a checkpoint of pix2pix, not of cyclegan: load it with the class"):
        i2i.CycleGAN.from_pretrained(tiny)
    with pytest.raises(HubError, match="owner/none is not on the Hub"):
        i2i.Pix2Pix.from_pretrained("owner/none")
    with pytest.raises(HubError, match="use a token with the right to write"):
        i2i.Pix2Pix.from_pretrained(tiny).push_to_hub("stranger/x")
    with pytest.raises(HubError) as caught:
        i2i.Pix2Pix.from_pretrained(tiny).push_to_hub("stranger/x", token=TOKEN)
    assert TOKEN not in str(caught.value)


def test_config_says_what_the_network_cannot_know(tmp_path: Path) -> None:
    network = small(i2i.Pix2Pix)
    domains = {"A": checkpoints.Domain("edges", "outline"), "B": checkpoints.Domain("shoe")}
    network.save_pretrained(tmp_path / "x", config={"title": "Edges → shoes", "size": 64, "domains": domains})
    info = i2i.load(tmp_path / "x").info
    assert (info.title, info.size, info.domains["B"].name) == ("Edges → shoes", 64, "shoe")
    with pytest.raises(CheckpointError, match="config has colour; it may have name, title"):
        network.save_pretrained(tmp_path / "x", config={"colour": 1})
    make(tmp_path / "y")
    i2i.Pix2Pix.from_pretrained(tmp_path / "y").save_pretrained(tmp_path / "y")
    assert (tmp_path / "y" / "README.md").read_text().startswith("---\nlicense: mit")  # a card that is there stays
