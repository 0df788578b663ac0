"""Compiled graphs are kept on disk: made once, never trusted, and doing without costs time at most."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from conftest import needs_unix
from test_engine import close
from torch import nn

from i2i_models.inference import graph
from i2i_models.inference.graph import Graph
from i2i_models.networks.layers import UpLayer
from i2i_models.networks.resnet import UpsampleReflectConv
from i2i_models.networks.unet import UNet

pytestmark = pytest.mark.usefixtures("graph_cache")


def layer(seed: int = 0) -> nn.Module:
    """The least that a graph can be made of."""
    torch.manual_seed(seed)
    return nn.Conv2d(3, 3, 3).requires_grad_(False)


X = torch.linspace(-1, 1, 300).reshape(1, 3, 10, 10)


def test_a_graph_is_made_once_and_then_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Graph(layer(), [X])(X)
    monkeypatch.setattr(graph, "_converted", lambda *_: pytest.fail("converted again"))
    assert torch.equal(Graph(layer(), [X])(X), first)


def test_other_weights_or_settings_are_another_graph() -> None:
    wider = nn.Conv2d(3, 3, 3, padding=1).requires_grad_(False)
    wider.load_state_dict(layer().state_dict())
    for module in (layer(), layer(1), wider):
        assert close(Graph(module, [X])(X), module(X))


@pytest.mark.parametrize("up_layers", ["transposed", "upsample"])
def test_graphs_normalise_maps_whose_size_is_free(up_layers: UpLayer) -> None:
    torch.manual_seed(0)
    unet = UNet(3, 3, 4, 3, dropout=False, up_layers=up_layers).eval().requires_grad_(False)
    for size in (16, 32):
        x = torch.rand(1, 3, size, size) * 2 - 1
        assert close(Graph(unet, [torch.rand(1, 3, 16, 16)], "f32")(x), unet(x))


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "a folder", "nonsense of the right digest"])
def test_a_damaged_cache_is_made_again(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    wanted = Graph(layer(), [X])(X)
    (file,) = graph.cache_folder().glob("*.graph")
    data = file.read_bytes()
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        flipped = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
        nonsense = graph._digest(b"no graph", file.parent) + b"no graph"
        damaged = {"cut": data[: len(data) // 2], "flipped": flipped, "emptied": b""}
        file.write_bytes(damaged.get(damage, nonsense))
    assert torch.equal(Graph(layer(), [X])(X), wanted)
    assert "making it again" in caplog.text
    if damage != "a folder":
        caplog.clear()
        assert torch.equal(Graph(layer(), [X])(X), wanted)
        assert not caplog.text


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "i2i_models").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert close(Graph(layer(), [X])(X), layer()(X))
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert close(Graph(layer(), [X])(X), layer()(X))


def test_the_cache_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(graph, "KEPT_FILES", 2)
    for seed in range(4):
        Graph(layer(seed), [X])
    assert len(list(graph.cache_folder().glob("*.graph"))) == 2


def test_bfloat16_that_computes_wrongly_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Graph(layer(7), [X], "bf16").precision == "bf16"
    converted = graph._converted
    monkeypatch.setattr(graph, "_converted", lambda _, *rest: converted(layer(8), *rest))
    assert Graph(layer(9), [X], "bf16").precision == "f32"
    assert "computes wrongly" in caplog.text


@needs_unix
def test_a_graph_that_another_user_put_there_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its digest is right but for the key; and where others may write or read the key, nothing is read or kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    wanted = Graph(layer(), [X])(X)
    folder = graph.cache_folder()
    (file,) = folder.glob("*.graph")
    planted = file.read_bytes()[graph.DIGEST_BYTES :]
    file.write_bytes(hashlib.sha256(planted).digest() + planted)
    monkeypatch.setattr(
        graph,
        "core",
        lambda core=graph.core(): SimpleNamespace(  # noqa: B008
            import_model=lambda *_: pytest.fail("it was read"),
            compile_model=core.compile_model,
            get_property=core.get_property,
        ),
    )
    assert torch.equal(Graph(layer(), [X])(X), wanted) and "wrong digest" in caplog.text
    for path, mode in ((folder, 0o777), (folder / graph.KEY, 0o644)):
        before = path.stat().st_mode
        path.chmod(mode)
        assert torch.equal(Graph(layer(), [X])(X), wanted) and "other users" in caplog.text
        path.chmod(before)


def test_layers_that_enlarge_are_folded_in_float32_alone() -> None:
    """Where bfloat16 makes products cheap, what folding needs beside them costs more than it saves."""
    layer, x = UpsampleReflectConv(2, 3), torch.randn(1, 2, 8, 8)
    made = {p: [op.get_type_name() for op in graph._converted(layer, [x], p).get_ops()] for p in ("f32", "bf16")}
    assert (made["f32"].count("Convolution"), made["bf16"].count("Convolution")) == (5, 1), "the map's and four sides'"
    torch.testing.assert_close(graph.Graph(layer, [x], "f32")(x), layer(x).detach(), atol=1e-4, rtol=1e-4)
