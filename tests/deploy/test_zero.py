"""ZeroGPU: many pictures go to another process in plain data, all else stays, and the GPU's absence is no error."""

import importlib
import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest
import torch
from conftest import ROOT
from tiny_checkpoints import STYLED

import i2i_models as i2i
from i2i_models.inference.engine import make_engine
from ui import zero
from ui.answers import Answers
from ui.catalog import Catalog
from ui.multimodal.answers import StyleAnswers
from ui.payload import to_data_url

from .conftest import drawing, pixels

MANY = 20
IS_AVAILABLE = torch.cuda.is_available


class Spaces(ModuleType):
    """As the package does on ZeroGPU: CUDA seems to be there; functions run in a forked process, through a queue."""

    def __init__(self) -> None:
        super().__init__("spaces")
        self.functions: list[str] = []
        self.pids: list[int] = []
        self.refusal: Exception | None = None

    def GPU(self, duration: int) -> Callable[[Callable], Callable]:
        """The decorator."""

        def decorate(task: Callable) -> Callable:
            self.functions.append(task.__name__)
            return lambda *arguments: self.lend(task, arguments)

        return decorate

    def lend(self, task: Callable, arguments: tuple[Any, ...]) -> Any:
        """A call, as the page sees it."""
        if self.refusal is not None:
            raise self.refusal
        fork = multiprocessing.get_context("fork")
        here, there = fork.Pipe()
        sent = pickle.dumps(arguments)

        def work() -> None:
            torch.cuda.is_available = IS_AVAILABLE
            try:
                answer = (os.getpid(), task(*pickle.loads(sent)))
            except Exception as error:
                answer = (os.getpid(), error)
            there.send_bytes(pickle.dumps(answer))

        def run() -> None:  # in a new thread, as the package: the forked one holds a pool of threads that are gone
            thread = Thread(target=work)
            thread.start()
            thread.join()

        process = fork.Process(target=run)
        process.start()
        assert here.poll(60)
        pid, value = pickle.loads(here.recv_bytes())
        process.join(10)
        self.pids.append(pid)
        if isinstance(value, Exception):
            raise RuntimeError(type(value).__name__)
        return value


@pytest.fixture
def spaces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spaces]:
    package = Spaces()
    monkeypatch.setitem(sys.modules, "spaces", package)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    importlib.reload(zero)
    yield package
    monkeypatch.undo()
    importlib.reload(zero)


@pytest.fixture
def catalog(folder: Path) -> Catalog:
    return Catalog(folder)


def asked(catalog: Catalog) -> tuple[i2i.Translator, i2i.Codes]:
    translator = catalog.named(STYLED)
    return translator, translator.encode(drawing(), "A2B")


def test_many_pictures_are_drawn_in_one_call_of_another_process(spaces: Spaces, catalog: Catalog) -> None:
    translator, codes = asked(catalog)
    styles = torch.randn(MANY, translator.capabilities.style_dim)
    lent = zero.decode_each(catalog.pool, translator, codes, styles)
    assert len(spaces.pids) == 1 and spaces.pids[0] != os.getpid()
    here = translator.decode_each(codes, styles)
    assert len(lent) == MANY and lent[0].size == drawing().size
    assert max(abs(pixels(a) - pixels(b)).max() for a, b in zip(lent, here, strict=True)) <= 1
    assert (pixels(lent[0]) != pixels(lent[1])).any()


def test_an_animation_is_and_a_live_answer_is_not(spaces: Spaces, catalog: Catalog) -> None:
    answers = Answers(catalog)
    styles = StyleAnswers(answers)
    ends = {"start": [0.0] * 8, "end": [1.0] * 8}
    payload = {"checkpoint": STYLED, "direction": "A2B", "image": to_data_url(drawing())}
    assert answers.translate(payload)["image"]
    assert styles.draw_each({**payload, **ends, "count": 12, "side": 32})["images"]
    assert not spaces.pids
    assert styles.animate({**payload, **ends, "format": next(iter(styles.encoders))})["file"]
    assert len(spaces.pids) == 1


@pytest.mark.parametrize("choice", ["auto", "torch", "openvino"])
def test_no_network_of_the_page_itself_touches_cuda(spaces: Spaces, folder: Path, choice: Any) -> None:
    network = i2i.load(folder / STYLED).network
    assert make_engine(network, choice).device == "cpu"
    assert next(network.parameters()).device.type == "cpu"


def test_without_a_gpu_to_lend_the_processor_draws(
    spaces: Spaces, catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    translator, codes = asked(catalog)
    styles = torch.randn(MANY, translator.capabilities.style_dim)
    spaces.refusal = RuntimeError("You have exceeded your free ZeroGPU quota")
    drawn = zero.decode_each(catalog.pool, translator, codes, styles)
    here = translator.decode_each(codes, styles)
    assert max(abs(pixels(a) - pixels(b)).max() for a, b in zip(drawn, here, strict=True)) <= 1
    assert "exceeded your free ZeroGPU quota" in caplog.text


def test_elsewhere_nothing_is_lent_and_slots_are_short(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spaces", Spaces())  # the package alone is no ZeroGPU
    assert importlib.reload(zero).draw_on_gpu is None
    translator, codes = asked(catalog)
    slots = []
    whole = translator.decode_each
    monkeypatch.setattr(translator, "decode_each", lambda c, styles: slots.append(len(styles)) or whole(c, styles))
    assert (
        len(zero.decode_each(catalog.pool, translator, codes, torch.randn(10, translator.capabilities.style_dim))) == 10
    )
    assert slots == [4, 4, 2]


def test_the_page_has_its_function_before_it_is_launched(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "spaces.py").write_text("found = []\ndef GPU(duration):\n    return lambda f: found.append(f) or f\n")
    code = "import ui.page, spaces, torch; print(len(spaces.found), torch.cuda.is_initialized())"
    environment = {**os.environ, "SPACES_ZERO_GPU": "true", "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert said.stdout.split() == ["1", "False"], said.stderr
