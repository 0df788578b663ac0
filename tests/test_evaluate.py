"""The commands that judge: what is measured for which checkpoint, what they write, how they end."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import FACADES, PALETTE_FILE, ROOT, needs_unix
from huggingface_hub import ModelCard
from PIL import Image
from test_methods import tiny
from torch import nn

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.checkpoints import Domain
from i2i_models.errors import CheckpointError, DataError, DirectionError, TrainingError
from i2i_models.networks.methods import METHODS
from train import __main__ as commands
from train.data.held_out import held_out
from train.data.sources import spread
from train.evaluation import label_reader, measures
from train.evaluation.evaluate import evaluate
from train.evaluation.label_reader import LabelReader, labelreader
from train.evaluation.strip import strip
from train.loop.options import Job
from train.publish import card

RECIPES = sorted((ROOT / "train" / "recipes").glob("*-*.sh"))
OUTLINE, PICTURE, LABELS = Domain("outline", "outline"), Domain("emoji"), Domain("map", "labels", FACADES)


@pytest.fixture(autouse=True)
def nothing_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for extractor in ("lpips", "st_lpips", "inception", "lite_features"):
        monkeypatch.setattr(measures, extractor, lambda: None)


def export(folder: Path, method: str, a: Domain, b: Domain, **training: Any) -> Path:
    """An untrained checkpoint."""
    config = {"style_downs": 3} if method == "munit" else {}
    info = checkpoints.Info(folder.name, "A → B", method, 32, {"A": a, "B": b}, {"data_note": "Ours.", **training})
    checkpoints.save(folder, tiny(method, **config), info)
    return folder


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


@pytest.fixture(scope="session")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Label maps of two or three stripes | the same in darker colours, as a photo."""
    folder = tmp_path_factory.mktemp("maps")
    colours = np.array(list(FACADES.values()), np.uint8)
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("test", 4)):
        (folder / split).mkdir()
        for i in range(count):
            stripes = np.repeat(colours[rng.integers(0, 3, 4)], 8, axis=0)
            image = np.broadcast_to(stripes[:, None], (32, 32, 3))
            both = np.concatenate([image, image // 2 + 60], 1)
            Image.fromarray(both).save(folder / split / f"{i}.png")
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_a_checkpoint_is_measured_by_what_it_is(method: str, pairs: Path, tmp_path: Path, capsys) -> None:
    folder = export(tmp_path / "toy", method, OUTLINE, PICTURE, steps=7, odd="a|b\nc")
    evaluate(folder, str(pairs), batch_size=3)
    rows = rows_of(folder)
    found = {(row["metric"], row["direction"]) for row in rows}
    expected = {("truth", "A2B"), ("variety", "A2B"), ("fine detail", "A2B")}
    if method != "pix2pix":
        expected |= {
            ("round trip", "A2B"),
            ("truth", "B2A"),
            ("variety", "B2A"),
            ("round trip", "B2A"),
            ("strokes", "B2A"),
        }
    if method == "munit":
        expected |= {
            (name, direction) for name in ("styles", "guided", "guided to the truth") for direction in ("A2B", "B2A")
        }
    assert found == expected
    assert {"l1", "psnr", "ssim", "l1_of_mean_picture", "l1_of_input"} < rows[0].keys()
    for row in rows:
        assert (row["split"], row["size"], row["images"]) == ("test", 32, 4)
        assert all(np.isfinite(value) for value in row.values() if isinstance(value, float))
    for row in (row for row in rows if row["metric"] == "round trip"):
        assert ("reconstruction_l1" in row) == (method in ("unit", "munit"))
    text = i2i.load(folder).card
    data = ModelCard(text).data
    assert data.license == "mit" and len(data.eval_results or []) >= len(rows)
    assert METHODS[method].title in text and "Ours." in text
    assert all(str(value) in text for row in rows for value in row.values())
    assert all(f"- **{row['metric']}**: " in text for row in rows)
    assert "| odd | a\\|b c |" in text
    assert len(list((folder / "examples").glob("*.png"))) == 4
    assert Image.open(folder / "samples.png").width == 4 + 4 * 36
    assert "l1 " in capsys.readouterr().out


def test_the_numbers_do_not_depend_on_the_batch(pairs: Path, tmp_path: Path) -> None:
    folder = export(tmp_path / "toy", "cyclegan", OUTLINE, PICTURE)
    measured = []
    for size in (1, 4):
        evaluate(folder, str(pairs), batch_size=size)
        measured.append([v for row in rows_of(folder) for v in row.values()])
    assert measured[0] == pytest.approx(measured[1], abs=2e-4)


def test_unpaired_images_get_the_measures_that_need_no_truth(pairs: Path, tmp_path: Path) -> None:
    for side, count in (("A", 4), ("B", 2)):
        (tmp_path / "data" / f"test{side}").mkdir(parents=True)
        for i in range(count):
            shutil.copy(pairs / "train" / f"{i}.png", tmp_path / "data" / f"test{side}" / f"{side}{i}.png")
    folder = export(tmp_path / "toy", "munit", OUTLINE, PICTURE)
    evaluate(folder, str(tmp_path / "data"))
    rows = rows_of(folder)
    assert {row["metric"] for row in rows} == {
        "round trip",
        "variety",
        "styles",
        "fine detail",
    }  # two guides are too few
    assert {row["direction"]: row["images"] for row in rows} == {"A2B": 4, "B2A": 2}
    assert Image.open(folder / "samples.png").width == 4 + 2 * 36
    evaluate(export(tmp_path / "lone", "pix2pix", OUTLINE, PICTURE), str(tmp_path / "data"))


def test_labels_are_judged_both_ways(maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(label_reader, "READERS", tmp_path / "readers")
    folder = export(tmp_path / "toy", "discogan", LABELS, Domain("photo"))
    evaluate(folder, str(maps))
    assert "label score" not in {row["metric"] for row in rows_of(folder)}
    assert capsys.readouterr().out.count("Label score skipped") == 1
    LabelReader(FACADES, 16, 4).save(tmp_path / "readers" / "any.safetensors")
    evaluate(folder, str(maps))
    score, colours = (next(r for r in rows_of(folder) if r["metric"] == m) for m in ("label score", "label colours"))
    assert (score["direction"], score["size"]) == ("A2B", 16)
    assert {"pixel_accuracy", "class_accuracy_of_real", "class_iou_of_constant"} < score.keys()
    assert colours["direction"] == "B2A"
    assert colours["within_16_of_constant"] == colours["pixel_accuracy_of_constant"] > 0.3


def test_a_training_from_right_to_left_is_judged_that_way(pairs: Path, tmp_path: Path) -> None:
    folder = export(tmp_path / "toy", "pix2pix", PICTURE, OUTLINE, direction="B2A")
    evaluate(folder, str(pairs))
    right = np.asarray(Image.open(pairs / "test" / "0.png"))[:, 32:]
    assert np.array_equal(np.asarray(Image.open(folder / "examples" / "0.png")), right)
    assert {row["metric"] for row in rows_of(folder)} == {"truth", "variety", "strokes"}


def test_the_limit_spreads_and_examples_replace_those_before(pairs: Path, tmp_path: Path) -> None:
    folder = export(tmp_path / "toy", "pix2pix", OUTLINE, PICTURE)
    evaluate(folder, str(pairs), split="train")
    assert len(list((folder / "examples").glob("*.png"))) == 8
    evaluate(folder, str(pairs), limit=3)
    assert [path.name for path in sorted((folder / "examples").glob("*.png"))] == ["0.png", "2.png", "3.png"]
    assert [path.name for path in sorted((folder / "examples" / "truth").iterdir())] == ["0.png", "2.png", "3.png"]
    assert rows_of(folder)[0]["images"] == 3
    evaluate(folder, str(pairs), limit=1)
    assert [row["metric"] for row in rows_of(folder)] == ["truth", "fine detail"]
    assert spread(5, 3) == [0, 2, 4] and spread(2, 8) == [0, 1]


def test_what_cannot_be_judged_is_a_sentence(pairs: Path, tmp_path: Path) -> None:
    folder = export(tmp_path / "toy", "pix2pix", OUTLINE, PICTURE)
    with pytest.raises(DataError, match="val is not a folder"):
        evaluate(folder, str(pairs), split="val")
    with pytest.raises(TrainingError, match="must be at least 1"):
        evaluate(folder, str(pairs), batch_size=0)


def test_the_cards_text_takes_any_signs(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export(tmp_path / "toy", "unit", Domain("a $5 {note}"), Domain("b"))
    evaluate(folder, str(pairs))
    assert "A is a $5 {note}, B is b." in i2i.load(folder).card
    assert "a $5 {note} reconstructed, translated" in i2i.load(folder).card
    assert card._samples_rows(METHODS["munit"], {"A": "x", "B": "y"}).count("four random styles") == 2


def test_a_label_reader_learns_and_is_the_same_again(maps: Path, tmp_path: Path, capsys) -> None:
    for name in ("one", "two"):
        torch.manual_seed(hash(name) % 100)
        settings: dict[str, Any] = {
            "size": 16,
            "base_widths": (8, 4),
            "steps": 30,
            "batch_size": 4,
            "learning_rate": 0.02,
        }
        labelreader(str(maps), PALETTE_FILE, tmp_path / name, **settings)
    for i in (1, 2):
        one, two = ((tmp_path / f"{name}-{i}.safetensors").read_bytes() for name in ("one", "two"))
        assert one == two
    assert LabelReader.load(tmp_path / "two-2.safetensors").settings["base_width"] == 4
    read, constant = capsys.readouterr().out.splitlines()[:2]
    assert read.startswith("reader 1: pixel_accuracy") and constant.startswith("most frequent label: ")
    accuracy = [float(line.split("pixel_accuracy ")[1].split(",")[0]) for line in (read, constant)]
    assert accuracy[0] > accuracy[1] + 0.2
    with pytest.raises(TrainingError, match="multiple of 16"):
        labelreader(str(maps), PALETTE_FILE, tmp_path / "x", size=100)


def test_the_strip_has_a_column_each_and_one_for_each_style(pairs: Path, tmp_path: Path) -> None:
    folders = [export(tmp_path / method, method, OUTLINE, PICTURE) for method in METHODS]
    strip(folders, str(pairs), tmp_path / "new" / "strip.png", count=3, side=32)
    with Image.open(tmp_path / "new" / "strip.png") as sheet:
        assert sheet.size == (6 + (1 + 4 + 2 + 1) * 38, 26 + 3 * 38)
        pixels = np.asarray(sheet)
    left = np.asarray(Image.open(pairs / "test" / "0.png"))
    assert np.array_equal(pixels[26:58, 6:38], left[:, :32])
    assert np.array_equal(pixels[26:58, -38:-6], left[:, 32:])
    result = i2i.load(folders[1]).translate(Image.fromarray(left[:, :32]))
    assert np.array_equal(pixels[26:58, 6 + 2 * 38 : 38 + 2 * 38], np.asarray(result))


def test_a_strip_of_what_cannot_be_compared_is_a_sentence(pairs: Path, tmp_path: Path) -> None:
    one = export(tmp_path / "one", "pix2pix", OUTLINE, PICTURE)
    other = export(tmp_path / "other", "unit", LABELS, PICTURE)
    with pytest.raises(CheckpointError, match="other does not translate from the same kind of images as one"):
        strip([one, other], str(pairs), tmp_path / "x.png")
    with pytest.raises(DirectionError, match="'B2A'"):
        strip([one], str(pairs), tmp_path / "x.png", direction="B2A")
    with pytest.raises(TrainingError, match="at least 1"):
        strip([one], str(pairs), tmp_path / "x.png", count=0)


def test_held_out_images_keep_pairs_together(pairs: Path) -> None:
    info = checkpoints.Info("x", "x", "unit", 32, {"A": OUTLINE, "B": PICTURE})
    images = held_out(info, str(pairs), "test", 32, limit=2)
    assert [Path(s.name).name for s in images.a.sources] == [Path(s.name).name for s in images.b.sources]
    assert images.paired and len(images) == 2


def test_there_is_a_recipe_for_every_checkpoint_and_every_method_on_both_first_data_sets() -> None:
    names = {recipe.stem for recipe in RECIPES}
    assert names >= {f"{data}-{method}" for data in ("emoji", "facades") for method in METHODS}
    assert names >= {folder.name for folder in i2i.find_checkpoints(ROOT / "checkpoints")}


@needs_unix
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_commands_that_can_start(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = re.findall(r"\[ -[df] (data/\S+) \]", recipe.read_text())
    for name in prepared:
        (tmp_path / name).mkdir(parents=True)
    shutil.copytree(ROOT / "train" / "palettes", tmp_path / "train" / "palettes")
    shutil.copy(
        ROOT / "train" / "palettes" / "earth.json", tmp_path / prepared[-1].removesuffix("/train") / "palette.json"
    )
    monkeypatch.chdir(tmp_path)
    python = tmp_path / "python"
    python.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    python.chmod(0o755)
    environment = {**os.environ, "PYTHON": str(python), "DATA": "raw"}
    shell = ["sh", "-eu", str(recipe), "--resume"]
    printed = subprocess.run(shell, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    training, judging = (json.loads(line) for line in printed.splitlines()[-2:])
    started: dict[str, Job] = {}
    monkeypatch.setattr(commands, "train", lambda method, job: started.update({method: job}))
    monkeypatch.setattr(sys, "argv", ["train", *training[2:]])
    commands.main()
    (method, job), options = next(iter(started.items())), next(iter(started.values())).options
    assert recipe.stem == options.output.name
    assert recipe.stem.endswith(f"-{method}")
    options.check()
    turned = not recipe.stem.startswith(("toy3d-", "avatar-", "glasses-"))
    assert job.augment.mirror == turned, "renders are lit from one side, heads look to one"
    assert options.resume, "what is asked for beside the recipe must arrive"
    assert judging == ["-m", "train", "evaluate", str(options.output), "--data", options.data]
    network = METHODS[method](job.network)
    for size in (options.size, options.grow_from or options.size):
        with torch.no_grad():
            for direction in network.directions:
                assert network.eval().translate(torch.zeros(1, 3, size, size), direction).shape[-1] == size
    state = network.state_dict().values()
    assert sum(t.numel() for t in state) * 2 < 32 * 2**20, "model.safetensors would be too large to ship"
    assert isinstance(network.discriminators(), nn.Module)
