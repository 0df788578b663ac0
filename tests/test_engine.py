"""Engines give what the network gives: at every size and batch, from several threads, whatever the cache holds."""

import functools
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT, free_port
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

import app
import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.checkpoints import Domain, Info
from i2i_models.errors import DirectionError, EngineError, ShapeError
from i2i_models.inference import engine, graph
from i2i_models.inference.engine import OpenVINOEngine, TorchEngine
from i2i_models.inference.graph import Graph, best_precision
from i2i_models.networks.layers import init_normal
from i2i_models.networks.methods import METHODS
from i2i_models.networks.network import TranslationNetwork

pytestmark = pytest.mark.usefixtures("graph_cache")

SETTINGS: dict[str, dict[str, Any]] = {
    "pix2pix": {"base_width": 4, "depth": 4},
    "discogan": {"base_width": 4, "depth": 4, "norm": "batch", "last_layer": "transposed"},
    "cyclegan": {"base_width": 4, "blocks": 1},
    "unit": {"base_width": 4, "blocks": 1},
    "munit": {"base_width": 4, "blocks": 1, "mlp_width": 16, "style_downs": 2},
}
CASES = [*((name, "A2B") for name in SETTINGS), ("discogan", "B2A"), ("munit", "B2A")]
"""All methods; and both ways, with an encoder and without one."""


def build(name: str) -> TranslationNetwork:
    torch.manual_seed(0)
    cls = METHODS[name]
    network = cls(cls.Config(**SETTINGS[name])).eval().requires_grad_(False)
    init_normal(network, 0.2)  # the methods' own beginnings are nearly grey pictures, which prove little
    return network


def float32(name: str) -> OpenVINOEngine:
    """In bfloat16 random weights, unlike trained ones, give other pictures."""
    return OpenVINOEngine(build(name), exact=("A2B", "B2A"))


@pytest.fixture(scope="module")
def engines() -> dict[str, OpenVINOEngine]:
    """One for each method, so that a graph is made once."""
    return {name: float32(name) for name in SETTINGS}


def image(batch: int, height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def close(a: Tensor, b: Tensor) -> bool:
    """Within what the issue of rounding allows: 2/255 in the mean, 8/255 anywhere."""
    difference = (a.float() - b.float()).abs() * 127.5
    return a.shape == b.shape and a.dtype == b.dtype == torch.float32 and difference.mean() < 2 and difference.max() < 8


@pytest.mark.parametrize(("name", "direction"), CASES)
def test_graphs_give_what_the_network_gives_at_every_size_and_batch(engines: Any, name: str, direction: Any) -> None:
    one, network = engines[name], engines[name].network
    for shape in ((1, 32, 32), (3, 48, 16), (2, 16, 64)):
        x = image(*shape)
        with torch.inference_mode():
            codes = network.encode(x, direction)
            wanted = network.decode(codes, direction)
        assert close(one.encode(x, direction), codes)
        assert close(one.decode(codes, direction), wanted)
        assert wanted.std() > 0.01


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "discogan" and name != "cyclegan"])
def test_a_seed_means_the_same_in_both_engines(engines: Any, name: str) -> None:
    one = engines[name]
    codes = one.encode(image(2, 32, 32), "A2B")

    def drawn(by: Any, seed: int, temperature: float = 1.0) -> Tensor:
        return by.decode(codes, "A2B", None, torch.Generator().manual_seed(seed), temperature)

    assert close(drawn(one, 1), drawn(one.torch, 1))
    assert torch.equal(drawn(one, 1), drawn(one, 1))
    assert (drawn(one, 1) - drawn(one, 2)).abs().max() > 0.01
    assert (drawn(one, 1) - one.decode(codes, "A2B")).abs().max() > 0.01
    if one.network.chance != "dropout":
        assert close(drawn(one, 1, 0.0), one.decode(codes, "A2B"))


def test_many_styles_are_one_call_and_the_encoder_is_not_in_it(engines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = engines["munit"]
    codes = one.encode(image(1, 32, 32), "A2B")
    one.decode(codes, "A2B")
    calls: list[tuple[int, ...]] = []
    run = Graph.__call__
    monkeypatch.setattr(
        Graph, "__call__", lambda self, *inputs: calls.append(tuple(map(len, inputs))) or run(self, *inputs)
    )
    styles = one.network.sample_styles(5, torch.Generator().manual_seed(3))
    together = one.decode(codes, "A2B", styles)
    assert calls == [(5, 5)]
    assert close(together, one.torch.decode(codes, "A2B", styles))
    for style, result in zip(styles, together, strict=True):
        assert close(one.decode(codes, "A2B", style)[0], result)
    assert (together[0] - together[1]).abs().max() > 0.01


def test_exact_directions_are_drawn_in_float32_but_for_drafts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "best_precision", lambda: "bf16")  # as on a processor that has it
    monkeypatch.setattr(engine, "SLOW_DRAFT", 9.0)  # seconds, on a machine that others keep busy, too
    one = OpenVINOEngine(build("munit"), exact=("B2A",))
    for direction in ("A2B", "B2A"):
        codes = one.encode(image(1, 32, 32), direction)
        assert not one.is_kept()
        final, draft = one.decode(codes, direction), one.decode(codes, direction, draft=True)
        assert torch.equal(final, draft) or direction == "B2A"
        assert torch.equal(final, one.decode(codes, direction))
    assert one.is_kept()
    made = {(part, direction, made.precision) for (part, direction, _), made in one._graphs.items()}
    assert made == {
        ("encoder", "A2B", "bf16"), ("decoder", "A2B", "bf16"),
        ("encoder", "B2A", "f32"), ("decoder", "B2A", "f32"), ("decoder", "B2A", "bf16"),
    }  # fmt: skip


def test_drafts_of_slow_decoders_are_drawn_at_half_size(monkeypatch: pytest.MonkeyPatch) -> None:
    for slow, worth_it, is_half in ((1.0, 9.0, False), (0.0, 0.0, False), (0.0, 9.0, True)):
        monkeypatch.setattr(engine, "SLOW_DRAFT", slow)
        monkeypatch.setattr(engine, "WORTH_IT", worth_it)
        one = float32("munit")
        codes = one.encode(image(1, 32, 32), "A2B")
        final = one.decode(codes, "A2B")
        with engine._building:  # a graph is being made: nothing is measured yet
            one.decode(codes, "A2B", draft=True)
        one.decode(codes, "A2B", draft=True)
        draft = one.decode(codes, "A2B", draft=True)
        assert ("draft", "A2B", best_precision()) in one._graphs or not is_half
        assert draft.shape == final.shape
        assert torch.equal(draft, one.decode(codes, "A2B", draft=True))
        wanted = F.avg_pool2d(final, 2) if is_half else final
        ours = F.avg_pool2d(draft, 2) if is_half else draft
        assert (ours - wanted).abs().mean() < 0.5 * (wanted - wanted.mean((2, 3), keepdim=True)).abs().mean()
    assert not torch.equal(draft, final)
    pix2pix = float32("pix2pix")  # has no drafts
    x = image(1, 32, 32)
    assert torch.allclose(pix2pix.decode(x, "A2B", draft=True), pix2pix.decode(x, "A2B"), atol=0.05)


def test_torch_does_what_openvino_cannot(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    one = OpenVINOEngine(build("unit"))
    monkeypatch.setattr(graph, "_converted", lambda *_: (_ for _ in ()).throw(RuntimeError("no such operator")))
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere")
    x = image(2, 32, 32)
    codes = one.encode(x, "A2B")
    assert torch.equal(codes, one.torch.encode(x, "A2B"))
    assert torch.equal(one.decode(codes, "A2B"), one.torch.decode(codes, "A2B"))
    assert caplog.text.count("OpenVINO cannot run this network") == 2


@pytest.mark.parametrize("kind", [OpenVINOEngine, TorchEngine])
def test_wrong_calls_end_in_the_network_s_own_errors(engines: Any, kind: Any) -> None:
    munit, pix2pix = (engines[n] if kind is OpenVINOEngine else engines[n].torch for n in ("munit", "pix2pix"))
    with pytest.raises(DirectionError, match="not 'B2A'"):
        pix2pix.encode(image(1, 32, 32), "B2A")
    with pytest.raises(DirectionError, match="not 'A2C'"):
        munit.encode(image(1, 32, 32), "A2C")
    with pytest.raises(DirectionError, match="not 'B2A'"):
        pix2pix.decode(image(1, 32, 32), "B2A")
    with pytest.raises(ShapeError, match="sides from"):
        munit.encode(image(1, 33, 32), "A2B")
    with pytest.raises(ShapeError, match="A style here has 8 numbers, not 3"):
        munit.decode(munit.encode(image(1, 32, 32), "A2B"), "A2B", torch.zeros(3))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pix2pix", "munit"])
def test_a_compiled_network_gives_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Dynamo's own backend: which kernels come behind it is torch's affair, and takes a C++ compiler.
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    plain, compiled = TorchEngine(build(name)), TorchEngine(build(name), compiled=True)
    for x in (image(1, 32, 32), image(2, 16, 48)):
        codes = plain.encode(x, "A2B")
        assert close(compiled.encode(x, "A2B"), codes)
        for seed in (None, 1):
            a, b = (
                one.decode(codes, "A2B", None, seed and torch.Generator().manual_seed(seed))
                for one in (plain, compiled)
            )
            assert close(a, b)


@pytest.mark.parametrize("name", ["munit", "pix2pix"])
def test_eight_threads_get_what_one_gets(name: str) -> None:
    one = float32(name)
    images = [image(1, 32, 32, seed) for seed in range(24)]

    def translate(x: Tensor) -> Tensor:
        return one.decode(one.encode(x, "A2B"), "A2B")

    with ThreadPoolExecutor(8) as pool:
        early = list(pool.map(translate, images))  # the graphs are made while all of them ask
        parallel = list(pool.map(translate, images))
    assert len({x.sum().item() for x in parallel}) == len(images)
    alone = [translate(x) for x in images]
    assert all(torch.equal(a, b) for a, b in zip(parallel, alone, strict=True))
    assert all(close(a, b) for a, b in zip(early, alone, strict=True))


def test_nobody_waits_for_a_graph_that_another_makes() -> None:
    one = OpenVINOEngine(build("pix2pix"))
    x = image(1, 32, 32)
    with engine._building:  # another thread is at work on one
        assert torch.equal(one.decode(x, "A2B"), one.torch.decode(x, "A2B"))
    assert not one._graphs
    one.decode(x, "A2B")
    assert one._graphs


def test_which_engine_is_taken(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    network = build("pix2pix")
    monkeypatch.setattr(engine, "_torch_device", lambda: "cpu")
    monkeypatch.setenv("I2I_ENGINE", "torch")
    assert engine.make_engine(network).name == "torch"
    monkeypatch.setenv("I2I_ENGINE", "")
    assert engine.make_engine(network).name == "openvino"
    monkeypatch.setenv("I2I_ENGINE", "onnx")
    with pytest.raises(EngineError, match="I2I_ENGINE must be auto, openvino or torch, not 'onnx'"):
        engine.make_engine(network)
    monkeypatch.setitem(sys.modules, "openvino", None)  # an import of it fails from here on
    engine._warn_once.cache_clear()
    for choice in ("auto", "openvino"):
        monkeypatch.setenv("I2I_ENGINE", choice)
        assert engine.make_engine(network).name == "torch"
    assert caplog.text.count("OpenVINO cannot be imported") == 1
    assert "pip install openvino" in caplog.text


def test_a_wrong_engine_is_one_sentence_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    from test_command_line import command

    monkeypatch.setenv("I2I_ENGINE", "gpu")
    arguments = ("translate", ROOT / "checkpoints" / "emoji-pix2pix", tmp_path, "--output", tmp_path / "out")
    assert command(monkeypatch, "i2i_models", *arguments) == 2
    assert capsys.readouterr().err == "error: I2I_ENGINE must be auto, openvino or torch, not 'gpu'.\n"


def test_the_page_does_not_start_with_a_wrong_engine(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    # As in a process of its own, but that nothing of this one's is set for good.
    monkeypatch.setattr(app, "M_ARENA_MAX", 0)
    for name, value in {"I2I_ENGINE": "gpu", "PORT": str(free_port()), "OMP_WAIT_POLICY": "PASSIVE"}.items():
        monkeypatch.setenv(name, value)
    assert app.main() == 2
    assert capsys.readouterr() == ("", "I2I_ENGINE must be auto, openvino or torch, not 'gpu'.\n")


def test_a_translator_decodes_many_styles_to_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    # Labels, which are drawn in float32: see there.
    info = Info("tiny", "Tiny", "munit", 32, {"A": Domain("photo"), "B": Domain("labels", "labels")})
    pictures = {}
    for choice in ("openvino", "torch"):
        monkeypatch.setenv("I2I_ENGINE", choice)
        translator = i2i.Translator(build("munit"), info)
        assert translator.engine.name == choice
        codes = translator.encode(Image.linear_gradient("L").resize((40, 30)))
        styles = translator.network.sample_styles(3, torch.Generator().manual_seed(0))
        pictures[choice] = translator.decode_each(codes, styles)
        assert [p.size for p in pictures[choice]] == [(40, 30)] * 3
    for a, b in zip(*pictures.values(), strict=True):
        assert np.abs(np.asarray(a, int) - np.asarray(b, int)).max() <= 8


@pytest.mark.slow
@pytest.mark.parametrize("folder", i2i.find_checkpoints(ROOT / "checkpoints"), ids=lambda path: path.name)
def test_shipped_checkpoints_translate_alike_in_both_engines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_ENGINE", "torch")
    reference = i2i.load(folder)
    monkeypatch.setenv("I2I_ENGINE", "auto")
    translator = i2i.load(folder)
    domains = {"A2B": reference.examples_of("A"), "B2A": reference.examples_of("B")}
    for direction in reference.directions:
        for path in domains[direction][:2]:
            picture = i2i.open_image(path)
            for seed in (None, 1) if reference.network.chance == "style" else (None,):
                a, b = (np.asarray(t.translate(picture, direction, seed=seed), int) for t in (reference, translator))
                assert np.abs(a - b).mean() <= 2
                assert np.abs(a - b).max() <= 8


def save_tiny(folder: Path, name: str = "munit") -> Path:
    domains = {"A": Domain("outline"), "B": Domain("emoji")}
    checkpoints.save(folder / name, build(name), Info(name, name.title(), name, 32, domains))
    return folder / name


def test_the_benchmark_measures_every_part_of_every_checkpoint(tmp_path: Path, capsys: Any) -> None:
    from benchmarks.inference import inference, multiply_adds

    assert multiply_adds(nn.Conv2d(3, 5, 3, padding=1), (torch.zeros(2, 3, 8, 8),)) == 2 * 8 * 8 * 5 * 3 * 3 * 3
    save_tiny(tmp_path)
    save_tiny(tmp_path, "pix2pix")
    inference(tmp_path, papers=False, rounds=1)
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if " at 32, " in line]
    assert [row[0] for row in rows] == [
        "| munit at 32, encoder",
        "| munit at 32, decoder",
        "| pix2pix at 32, decoder",
    ]
    for row in rows:
        assert "(1.00×)" in row[2]
        assert float(row[5].split(" (")[0]) > 0
        assert "% (" in row[-1]


def test_the_benchmarks_say_which_goals_are_met(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import goals

    assert re.search(r": .*FP32.*; \d+ cores, \d+\.\d of them free\. Goals .* with(out)? bfloat16\.$", goals.opening())
    at = goals.TRAINING_AT
    assert goals.judge_training("pix2pix", 1.9, False, **at) == "missed (≥ 2)"
    assert goals.judge_training("munit", 1.9, False, **at) == "met (≥ 1.6)"
    assert goals.judge_training("munit", 1.9, True, **at) == "none"
    assert goals.judge_training("munit", 1.9, False, **{**at, "width": 8}) == "none"
    assert goals.judge_crowd(50, 60.2, 0, 0.9).startswith("met")
    assert goals.judge_crowd(50, 60.2, 1, 0.9).startswith("missed")
    assert goals.judge_crowd(50, 60.2, 0, 1.1).startswith("missed")
    assert goals.judge_crowd(10, 60.2, 0, 0.9).startswith("none")
    for precision, style, stroke, large in (("f32", 40, 60, 80), ("bf16", 30, 30, 30)):
        monkeypatch.setattr(goals, "best_precision", lambda precision=precision: precision)
        found = [goals.waits(*case).p50 for case in (("style", 256), ("stroke", 128), ("stroke", 256))]
        assert found == [style, stroke, large]
    assert goals.WITH_BF16.judge(30, 55) == "met (30 / 55 ms)"
    assert goals.WITH_BF16.judge(30, 56) == "missed (30 / 55 ms)"
