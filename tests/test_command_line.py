"""Commands: what they print, what they write, how they end."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from PIL import Image

import i2i_models as i2i
from i2i_models import checkpoints


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4))
    domains = {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("emoji")}
    checkpoints.save(folder, network, checkpoints.Info("tiny", "Tiny", "pix2pix", 32, domains))
    return folder


def command(monkeypatch: pytest.MonkeyPatch, module: str, *arguments: object) -> int:
    """Run `python -m module …` in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", [module, *map(str, arguments)])
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=False)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_translates_files_and_folders_and_names_what_it_skips(
    tiny: Path, tmp_path: Path, odd_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("RGB", (40, 30), "white").save(folder / "one.jpg")
    shutil.copy(odd_files["text.png"], folder)
    single = tmp_path / "two.png"
    Image.new("LA", (20, 20)).save(single)
    arguments = ("translate", tiny, folder, single, "--output", tmp_path / "out")
    assert command(monkeypatch, "i2i_models", *arguments) == 0
    printed = capsys.readouterr()
    assert "2 results in" in printed.out
    assert "1 files skipped" in printed.out
    assert "skipped: text.png is not an image" in printed.err
    sizes = {p.name: Image.open(p).size for p in (tmp_path / "out").iterdir()}
    assert sizes == {"one.png": (40, 30), "two.png": (20, 20)}


@pytest.mark.parametrize(
    ("module", "arguments", "says"),
    [
        ("i2i_models", ["translate", "{nowhere}", "{image}", "--output", "{out}"], "is not a folder"),
        ("i2i_models", ["translate", "{tiny}", "{image}", "--output", "{out}", "--direction", "B2A"], "not 'B2A'"),
        ("i2i_models", ["translate", "{tiny}", "{nowhere}", "--output", "{out}"], "None of the files"),
        ("train", ["pix2pix", "--data", "{nowhere}", "--output", "{out}"], "does not exist"),
        ("train", ["evaluate", "{tiny}", "--data", "{nowhere}"], "does not exist"),
        ("train.prepare", ["outlines", "{nowhere}", "{out}"], "is not a folder"),
        ("train.prepare", ["facades", "{nowhere}", "{out}"], "is not a folder"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    module: str, arguments: list[str], says: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "image.png")
    places = {"tiny": tiny, "nowhere": tmp_path / "nowhere", "image": tmp_path / "image.png", "out": tmp_path / "out"}
    assert command(monkeypatch, module, *(a.format(**places) for a in arguments)) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert says in line
    assert not (tmp_path / "out").exists()


def test_the_shell_sees_exit_code_2_and_no_trace(tmp_path: Path) -> None:
    end = subprocess.run(
        [sys.executable, "-m", "i2i_models", "translate", str(tmp_path / "no"), "x.png", "--output", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert end.returncode == 2
    assert end.stderr.startswith("error: ")
    assert "Traceback" not in end.stderr


def test_help_explains_every_option(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert command(monkeypatch, "train", "pix2pix", "--help") == 0
    text = capsys.readouterr().out
    for option in ("--data", "--output", "--resume", "--lambda-l1", "--base-width", "--precision", "--hand-drawn"):
        assert option in text
    assert "the weight of L1 beside the adversarial term" in text
