"""Public weights: what they compute is what public code computed; what is none is refused, never run."""

import os
import pickle
import runpy
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import GOLDEN
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

import i2i_models as i2i
from i2i_models.convert import convert, multi_scale_from, patchgan_from, read_weights
from i2i_models.errors import CheckpointError, DirectionError

TOLERANCE = 1e-4


def golden(name: str) -> tuple[Path, dict[str, Tensor]]:
    """The weights' path and the tensors that belong to them."""
    path = GOLDEN / f"{name}.pth"
    if not path.exists():
        pytest.skip(f"the reference tensors are not here: {path} is missing")
    with safe_open(GOLDEN / f"{name}.io.safetensors", "pt") as file:
        return path, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def differs(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return (found - expected).abs().max().item()


@pytest.mark.parametrize(
    "name", ["pix2pix_unet_256_batch", "pix2pix_unet_128_instance", "cyclegan_resnet_9blocks_instance"]
)
def test_generators_of_cyclegan_and_pix2pix(name: str, tmp_path: Path) -> None:
    path, io = golden(name)
    convert("cyclegan-and-pix2pix", path, tmp_path / "converted")
    network = i2i.load(tmp_path / "converted").network
    with torch.no_grad():
        assert differs(network.translate(io["input"]), io["output"]) <= TOLERANCE
    assert network.directions == ("A2B",)
    with pytest.raises(DirectionError, match="B2A"):
        network.translate(io["input"], "B2A")


def test_a_second_generator_adds_the_way_back(tmp_path: Path) -> None:
    path, io = golden("cyclegan_resnet_9blocks_instance")
    convert("cyclegan-and-pix2pix", path, tmp_path / "both", second=path)
    network = i2i.load(tmp_path / "both").network
    with torch.no_grad():
        assert differs(network.translate(io["input"], "B2A"), io["output"]) <= TOLERANCE
    assert network.directions == ("A2B", "B2A")


def test_pix2pix_discriminator(tmp_path: Path) -> None:
    path, io = golden("pix2pix_patchgan_batch")
    model, fields = patchgan_from(read_weights(path), 6)
    with torch.no_grad():
        assert differs(model.eval()(io["input"]), io["output"]) <= TOLERANCE
    assert fields == {"discriminator_width": 8, "discriminator_layers": 3, "discriminator_norm": "batch"}
    generator, _ = golden("pix2pix_unet_256_batch")
    convert("cyclegan-and-pix2pix", generator, tmp_path / "both", discriminator=path)
    again = i2i.load(tmp_path / "both").network.discriminators()
    again.load_state_dict(load_file(tmp_path / "both" / "discriminator.safetensors"))
    with torch.no_grad():
        assert differs(again.eval()(io["input"]), io["output"]) <= TOLERANCE


def test_munit(tmp_path: Path) -> None:
    path, io = golden("munit_gen")
    convert("munit", path, tmp_path / "munit", size=128)
    network: Any = i2i.load(tmp_path / "munit").network
    found = {
        "content_a": network.encode(io["x_a"], "A2B"),
        "content_b": network.encode(io["x_b"], "B2A"),
        "style_a": network.encode_style(io["x_a"], "A")[:, :, None, None],
        "style_b": network.encode_style(io["x_b"], "B")[:, :, None, None],
    }
    style_a, style_b, random = (io[key].flatten(1) for key in ("style_a", "style_b", "style_random"))
    found["a2b_guided"] = network.decode(io["content_a"], "A2B", style_b)
    found["a2b_random"] = network.translate(io["x_a"], "A2B", random)
    found["b2a_guided"] = network.decode(io["content_b"], "B2A", style_a)
    found["recon_a"] = network.decode(io["content_a"], "B2A", style_a)
    assert {key: differs(value, io[key]) for key, value in found.items() if differs(value, io[key]) > TOLERANCE} == {}


def test_unit(tmp_path: Path) -> None:
    path, io = golden("unit_gen")
    convert("unit", path, tmp_path / "unit", size=128)
    network: Any = i2i.load(tmp_path / "unit").network
    found = {
        "mean_a": network.encode(io["x_a"], "A2B"),
        "mean_b": network.encode(io["x_b"], "B2A"),
        "a2b": network.translate(io["x_a"], "A2B"),
        "b2a": network.translate(io["x_b"], "B2A"),
        "recon_a": network.reconstruct(io["x_a"], "A"),
    }
    assert {key: differs(value, io[key]) for key, value in found.items() if differs(value, io[key]) > TOLERANCE} == {}


def test_munit_discriminators(tmp_path: Path) -> None:
    path, io = golden("munit_dis")
    state = read_weights(path)["a"]
    model, fields = multi_scale_from(state)
    with torch.no_grad():
        maps = model(io["input"])
    assert max(differs(y, io[f"output_{i}"]) for i, y in enumerate(maps)) <= TOLERANCE
    assert fields == {"discriminator_width": 8, "discriminator_layers": 4, "discriminator_scales": 3}
    generator, _ = golden("munit_gen")
    with pytest.raises(CheckpointError, match="'a' and 'b'"):
        convert("munit", generator, tmp_path / "munit", discriminator=path)
    torch.save({"a": state, "b": state}, tmp_path / "dis.pt")
    for layout, name in (("munit", "munit_gen"), ("unit", "unit_gen")):
        convert(layout, golden(name)[0], tmp_path / layout, discriminator=tmp_path / "dis.pt")  # type: ignore[arg-type]
        judges = i2i.load(tmp_path / layout).network.discriminators()
        judges.load_state_dict(load_file(tmp_path / layout / "discriminator.safetensors"))
        with torch.no_grad():
            assert differs(judges["B"](io["input"])[2], io["output_2"]) <= TOLERANCE  # type: ignore[index]


class Public(nn.Sequential):
    """A small residual generator as public code builds it: 2 downs, 1 block, width 4."""

    class Block(nn.Module):
        def __init__(self, norm: type[nn.Module], bias: bool) -> None:
            super().__init__()
            conv = [nn.Conv2d(16, 16, 3, bias=bias) for _ in "ab"]
            self.conv_block = nn.Sequential(
                nn.ReflectionPad2d(1), conv[0], norm(16), nn.ReLU(), nn.ReflectionPad2d(1), conv[1], norm(16)
            )

        def forward(self, x: Tensor) -> Tensor:
            return x + self.conv_block(x)

    def __init__(self, norm: Any, bias: bool) -> None:
        up = {"stride": 2, "padding": 1, "output_padding": 1, "bias": bias}
        super().__init__(
            nn.ReflectionPad2d(3), nn.Conv2d(3, 4, 7, bias=bias), norm(4), nn.ReLU(),
            nn.Conv2d(4, 8, 3, 2, 1, bias=bias), norm(8), nn.ReLU(),
            nn.Conv2d(8, 16, 3, 2, 1, bias=bias), norm(16), nn.ReLU(),
            self.Block(norm, bias),
            nn.ConvTranspose2d(16, 8, 3, **up), norm(8), nn.ReLU(),
            nn.ConvTranspose2d(8, 4, 3, **up), norm(4), nn.ReLU(),
            nn.ReflectionPad2d(3), nn.Conv2d(4, 3, 7), nn.Tanh(),
        )  # fmt: skip

    def saved(self) -> dict[str, Tensor]:
        return {f"model.{name}": value for name, value in self.state_dict().items()}


def old_instance_norm(channels: int) -> nn.Module:
    """One that saves statistics, as torch's did before 0.4, and public code never used them."""
    norm = nn.InstanceNorm2d(channels, track_running_stats=True)
    norm.running_mean.fill_(99)  # type: ignore[union-attr]
    return norm


PUBLIC = {
    "instance": Public(nn.InstanceNorm2d, True),
    "batch": Public(nn.BatchNorm2d, False),
    "none": Public(lambda channels: nn.Identity(), False),
}


@pytest.mark.parametrize("norm", PUBLIC)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_norm_and_sizes_are_read_off_the_tensors(norm: str, prefix: str, tmp_path: Path) -> None:
    public = PUBLIC[norm].eval()
    state = {prefix + name: value for name, value in public.saved().items()}
    torch.save(dict(sorted(state.items())), tmp_path / "net.pth")  # the order in the file does not matter
    convert("cyclegan-and-pix2pix", tmp_path / "net.pth", tmp_path / "out")
    network = i2i.load(tmp_path / "out").network
    x = torch.randn(1, 3, 16, 24)
    with torch.no_grad():
        torch.testing.assert_close(network.translate(x), public(x), atol=1e-5, rtol=1e-4)
    config: Any = network.config
    assert (config.base_width, config.downs, config.blocks, config.norm) == (4, 2, 1, norm)


def test_statistics_of_old_instance_norms_are_dropped(tmp_path: Path) -> None:
    old = Public(old_instance_norm, True)
    assert "model.2.running_mean" in old.saved()
    torch.save(old.saved(), tmp_path / "net.pth")
    convert("cyclegan-and-pix2pix", tmp_path / "net.pth", tmp_path / "out")
    network = i2i.load(tmp_path / "out").network
    plain = Public(nn.InstanceNorm2d, True)
    plain.load_state_dict({k: v for k, v in old.state_dict().items() if "running" not in k and "tracked" not in k})
    x = torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(network.translate(x), plain(x), atol=1e-5, rtol=1e-4)


def some(**changes: Any) -> dict[str, Any]:
    return {**PUBLIC["instance"].saved(), **changes}


@pytest.mark.parametrize(
    ("layout", "content", "said"),
    [
        ("cyclegan-and-pix2pix", {"fc.weight": torch.zeros(3, 3)}, "hold fc; expected was a U-Net"),
        ("cyclegan-and-pix2pix", {"epoch": 7}, "epoch is a int"),
        ("cyclegan-and-pix2pix", [1, 2], "holds a list"),
        ("cyclegan-and-pix2pix", {}, "holds a dict"),
        (
            "cyclegan-and-pix2pix",
            some(**{"model.1.weight": torch.zeros(4, 1, 7, 7)}),
            r"\(4, 1, 7, 7\), but \(4, 3, 7, 7\)",
        ),
        ("cyclegan-and-pix2pix", some(**{"model.30.weight": torch.zeros(4)}), "layers"),
        ("munit", some(), "expected was 'a' and 'b', each with enc_style"),
        ("munit", {"a": some(), "b": some()}, "expected was 'a' and 'b', each with enc_style"),
        ("unit", {"a": some()}, "hold a; expected was 'a' and 'b'"),
    ],
)
def test_something_else_is_refused(layout: Any, content: Any, said: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=said):
        convert(layout, tmp_path / "net.pth", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("layout", "name"), [("munit", "unit_gen"), ("unit", "munit_gen"), ("munit", "munit_dis")])
def test_the_other_layout_is_refused(layout: Any, name: str, tmp_path: Path) -> None:
    path, _ = golden(name)
    with pytest.raises(CheckpointError, match="expected was 'a' and 'b', each with"):
        convert(layout, path, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04 cut short", b"\x80\x02}q\x00."])
def test_no_weights_at_all(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"net\.pth"):
        convert("cyclegan-and-pix2pix", tmp_path / "net.pth", tmp_path / "out")
    with pytest.raises(CheckpointError, match="does not exist"):
        convert("munit", tmp_path / "gone.pth", tmp_path / "out")


def test_files_that_do_not_go_together(tmp_path: Path) -> None:
    torch.save(some(), tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match="--second and --norm are of no use"):
        convert("munit", tmp_path / "net.pth", tmp_path / "out", norm="batch")
    with pytest.raises(CheckpointError, match="not with a residual generator"):
        convert("cyclegan-and-pix2pix", tmp_path / "net.pth", tmp_path / "out", discriminator=tmp_path / "net.pth")
    convert("cyclegan-and-pix2pix", tmp_path / "net.pth", tmp_path / "out")
    with pytest.raises(CheckpointError, match="already"):
        convert("cyclegan-and-pix2pix", tmp_path / "net.pth", tmp_path / "out")


class Malicious:
    """Asks the unpickler to make a folder."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("layout", ["cyclegan-and-pix2pix", "munit", "unit"])
def test_a_malicious_pickle_is_never_executed(layout: Any, zipped: bool, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    evil = {"model.0.weight": torch.zeros(1), "x": Malicious(trace)}
    torch.save(evil, tmp_path / "net.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match="only plain weights are read"):
        convert(layout, tmp_path / "net.pth", tmp_path / "out")
    assert not trace.exists()
    torch.load(tmp_path / "net.pth", weights_only=False)  # the file is what it pretends to be
    assert trace.exists()


def test_a_bare_malicious_pickle_is_never_executed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "net.pth").write_bytes(pickle.dumps(OrderedDict(x=Malicious(trace))))
    with pytest.raises(CheckpointError):
        convert("munit", tmp_path / "net.pth", tmp_path / "out")
    assert not trace.exists()


def test_from_the_command_line_to_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(some(), tmp_path / "net.pth")
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "other.pth")
    arguments = ["--from", "cyclegan-and-pix2pix", str(tmp_path / "net.pth"), "--output", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["i2i_models", "convert", *arguments, "--size", "32", "--name-b", "zebras"])
    runpy.run_module("i2i_models", run_name="__main__")
    translator = i2i.load(tmp_path / "out")
    assert translator.info.domains["B"].name == "zebras"
    assert translator.translate(Image.new("RGB", (50, 20))).size == (50, 20)
    monkeypatch.setattr(
        sys, "argv", ["i2i_models", "convert", *arguments[:2], str(tmp_path / "other.pth"), "--output", "x"]
    )
    with pytest.raises(SystemExit) as end:
        runpy.run_module("i2i_models", run_name="__main__")
    assert end.value.code == 2


def test_batch_norms_may_go_by_each_pictures_own_statistics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, io = golden("pix2pix_unet_256_batch")
    convert("cyclegan-and-pix2pix", path, tmp_path / "kept")
    assert "--norm batch_statistics" in capsys.readouterr().out
    convert("cyclegan-and-pix2pix", path, tmp_path / "own", norm="batch_statistics")
    kept, own = (i2i.load(tmp_path / name).network for name in ("kept", "own"))
    x = io["input"][:1]
    for module in kept.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train()
    with torch.inference_mode():
        assert differs(own.decode(x, "A2B"), kept.decode(x, "A2B")) < 1e-3
