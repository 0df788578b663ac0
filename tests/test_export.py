"""Exported graphs draw what the network draws; what cannot be exported is a sentence."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import ROOT
from PIL import Image
from test_engine import build
from test_graph import X, layer
from tiny_munit import a_space, load_tiny

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.checkpoints.styles import save_styles
from i2i_models.errors import ExportError
from i2i_models.export import export, write_onnx
from i2i_models.inference.onnx_graph import check, to_onnx
from i2i_models.networks.methods import METHODS


def session(folder: Path, file: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(folder / file, providers=["CPUExecutionProvider"])


def run(folder: Path, file: str, *inputs: torch.Tensor) -> torch.Tensor:
    opened = session(folder, file)
    names = [value.name for value in opened.get_inputs()]
    feed = dict(zip(names, (x.numpy() for x in inputs), strict=True))
    return torch.from_numpy(opened.run(None, feed)[0])


def close(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    return float((found - wanted).abs().max()) < 1e-4 * max(1.0, float(wanted.abs().max()))


@pytest.mark.parametrize("method", METHODS)
def test_graphs_of_every_method_compute_what_its_network_does(method: str, tmp_path: Path) -> None:
    network = build(method)
    network.load_state_dict({name: value.half().to(value.dtype) for name, value in network.state_dict().items()})
    domains = {"A": checkpoints.Domain("a", "outline"), "B": checkpoints.Domain("b")}
    info = checkpoints.Info("tiny", "Tiny", method, 32, domains)
    model, worst = write_onnx(i2i.Translator(network, info), tmp_path)
    assert worst < 1e-4 and model == json.loads((tmp_path / "model.json").read_text())
    assert model["abilities"]["directions"] == list(network.directions) and model["domains"]["A"]["kind"] == "outline"
    assert {path.name for path in tmp_path.iterdir()} == {"model.json", *model["files"]}
    for name, file in model["files"].items():
        data = (tmp_path / name).read_bytes()
        assert file == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    parameters = sum(value.numel() for value in network.state_dict().values())
    assert sum(file["bytes"] for file in model["files"].values()) < 2 * parameters + 80_000 * len(model["files"])

    x = torch.rand(3, 3, 48, 64) * 2 - 1
    for direction, files in model["directions"].items():
        codes = run(tmp_path, files["encoder"], x) if files["encoder"] else x
        assert close(codes, network.encode(x, direction))
        more = [torch.randn(3, network.style_dim)] if network.style_dim else []
        chance = torch.Generator().manual_seed(5)
        noise = torch.Generator().manual_seed(5) if network.chance == "dropout" else None
        for dropout in model["dropout"]:
            shape = (3, dropout["channels"], 48 // dropout["divisor"], 64 // dropout["divisor"])
            more.append((torch.rand(shape, generator=chance) >= 0.5) * 2.0)
        wanted = network.decode(codes, direction, more[0] if network.style_dim else None, noise)
        assert close(run(tmp_path, files["decoder"], codes, *more), wanted)
        if noise is not None:
            assert not close(wanted, network.decode(codes, direction))
    for domain, file in model["style_encoders"].items():
        assert close(run(tmp_path, file, x), network.encode_style(x, domain))


def test_what_a_style_pad_needs_goes_with_it(tmp_path: Path) -> None:
    tiny = load_tiny(tmp_path)
    assert tiny.folder is not None
    spaces = {domain: a_space(examples=9) for domain in "AB"}
    spaces["B"].pictures[:] = (torch.arange(9) * 20).to(torch.uint8)[:, None, None, None]
    save_styles(tiny.folder, spaces)
    model, _ = write_onnx(i2i.load(tiny.folder), tmp_path / "out")
    described = model["styles"]["B"]
    for name in ("mean", "directions", "deviations", "styles"):
        torch.testing.assert_close(torch.tensor(described[name]), getattr(spaces["B"], name))
    pictures = described["pictures"]
    assert pictures == {"file": "styles-B.webp", "side": 8, "columns": 8} and pictures["file"] in model["files"]
    sheet = np.asarray(Image.open(tmp_path / "out" / pictures["file"])).astype(int)
    greys = [sheet[i // 8 * 8 + 4, i % 8 * 8 + 4, 1] for i in range(9)]
    assert np.abs(np.array(greys) - 20 * np.arange(9)).max() <= 8


def test_a_shipped_checkpoint_is_written_in_float16_and_loaded_in_float32(tmp_path: Path, capsys) -> None:
    export(str(ROOT / "checkpoints" / "facades-unit"), tmp_path)
    assert "4 files, 6.6 MB; ONNX Runtime differs from torch by at most" in capsys.readouterr().out
    stored = onnx.load(tmp_path / "decoder-A2B.onnx").graph
    assert {tensor.data_type for tensor in stored.initializer if len(tensor.dims) == 4} == {onnx.TensorProto.FLOAT16}
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
    onnxruntime.InferenceSession(tmp_path / "decoder-A2B.onnx", options, providers=["CPUExecutionProvider"])
    loaded = onnx.load(tmp_path / "loaded.onnx").graph
    assert {tensor.data_type for tensor in loaded.initializer if len(tensor.dims) == 4} == {onnx.TensorProto.FLOAT}


def test_a_graph_that_computes_something_else_is_refused() -> None:
    x = {"image": X}
    wide = torch.nn.Conv2d(3, 400, 3).requires_grad_(False)
    rounded, exact = (check("right.onnx", to_onnx(wide, x, "image", p), wide, [[X]]) for p in ("float16", "float32"))
    assert exact < 1e-5 < rounded < 1e-3
    assert check("small.onnx", to_onnx(layer(), x, "image"), layer(), [[X]]) < 1e-5
    with pytest.raises(ExportError, match=r"wrong\.onnx computes something else .* try --precision float32"):
        check("wrong.onnx", to_onnx(layer(1), x, "image"), layer(), [[X]])
    broken = layer()
    torch.nn.init.constant_(broken.weight, torch.nan)  # type: ignore[arg-type]
    with pytest.raises(ExportError, match="differs from torch by nan"):
        check("none.onnx", to_onnx(broken, x, "image"), broken, [[X]])


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_its_packages_it_says_what_to_install(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExportError, match=f"needs {package}, .*pip install onnx onnxruntime"):
        write_onnx(load_tiny(tmp_path), tmp_path / "out")
    assert not (tmp_path / "out" / "model.json").exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match=r"cannot be written: (Not a directory|File exists)"):
        write_onnx(load_tiny(tmp_path), tmp_path / "file")
