"""Rendered cars and DiscoGAN's azimuth experiment, small: what is measured, who learns from what, and what is told."""

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from i2i_models.errors import DataError, TrainingError
from train.experiments.azimuth import AXES, TABLE, azimuth, read_cars, turned
from train.experiments.report import report
from train.experiments.results import read
from train.experiments.turning import TurningObjective, networks
from train.prepare import cars as rendering
from train.prepare.renderings import read_split


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "cars"
    rendering.cars(folder, 24)
    return folder


def test_cars_are_turned_by_the_angles_that_are_told(cars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = read_split(cars)
    assert (len(split.train_a), len(split.train_b), len(split.test)) == (11, 11, 2)
    assert len({*split.train_a, *split.train_b, *split.test}) == 24
    with (cars / "attributes.csv").open(newline="") as file:
        angles = [float(row["angle"]) for row in csv.DictReader(file)]
    assert len(set(angles)) == 24 and min(angles) < -40 and max(angles) > 40
    with Image.open(cars / "car" / "00003.webp") as picture:
        assert picture.size == (64, 64)
    libraries = rendering.libraries()
    car = rendering.random_car(np.random.default_rng(3))

    def seen(angle: float) -> np.ndarray:
        return rendering.render(*libraries, rendering.solids(libraries[0], car), angle).astype(int)

    assert np.abs(seen(40) - seen(-40)[:, ::-1]).mean() < 0.5  # mirrored but for rays along an edge
    assert np.abs(seen(40) - seen(-40)).mean() > 5
    assert (seen(0) < 250).any(2).sum() < (seen(75) < 250).any(2).sum()  # the front is narrower than a side
    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(DataError, match="pip install trimesh embreex"):
        rendering.cars(cars.parent / "others", 24)


def test_a_relation_and_a_collapse_are_told_apart_by_numbers() -> None:
    angles = torch.linspace(-75, 75, 101)
    assert turned(angles, -angles) == {"rmse": 0.0, "reached": 10, "correlation": 1.0}
    assert turned(angles, angles + 3)["rmse"] == 3.0
    collapsed = turned(angles, torch.zeros(101))
    assert collapsed == {"rmse": 43.73, "reached": 1, "correlation": 0.0}
    assert turned(angles, angles.abs())["correlation"] < 0.01


@pytest.mark.parametrize(
    ("model", "terms"),
    [
        ("gan", {"gan_b"}),
        ("gan-reconstruction", {"gan_b", "reconstruction_a"}),
        ("discogan", {"gan_a", "gan_b", "reconstruction_a", "reconstruction_b"}),
    ],
)
def test_each_model_learns_from_its_own_terms(model: Any, terms: set[str]) -> None:
    generators, discriminators = networks(model, 32, 4)
    objective = TurningObjective()
    a, b = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    outputs = objective.outputs(generators, a, b, model == "discogan")
    assert all(x.shape == a.shape for x in outputs.values())
    judged = objective.discriminator_loss(discriminators, a, b, outputs)
    torch.stack(list(judged.values())).sum().backward()
    assert all(p.grad is None for p in generators.parameters())
    assert all(p.grad is not None for p in discriminators.parameters())
    made = objective.generator_loss(discriminators, a, b, outputs)
    torch.stack(list(made.values())).sum().backward()
    assert set(made) == terms and all(p.grad is not None for p in generators.parameters())


def test_the_three_models_become_a_table_with_a_plot(cars: Path, tmp_path: Path) -> None:
    small: dict[str, Any] = {"steps": 2, "reader_steps": 2, "batch_size": 4, "width": 4, "size": 32}
    folders = {"runs": tmp_path / "runs", "results": tmp_path / "results"}
    azimuth(cars, **small, **folders)
    rows = read(tmp_path / "results", TABLE.name)["rows"]
    for row in rows.values():
        (run,) = row["runs"]
        assert set(run["values"]) == set(TABLE.columns) and len(run["scatter"][AXES[1]]) == 2
    assert (tmp_path / "runs/discogan/1/translations.png").is_file()
    report(tmp_path / "results", tmp_path / "page.md")
    assert "DiscoGAN" in (tmp_path / "page.md").read_text() and (tmp_path / "results/azimuth.png").is_file()
    (tmp_path / "runs").rename(tmp_path / "done")
    azimuth(cars, **small, **folders)  # nothing is left to do
    assert not (tmp_path / "runs").exists()
    with pytest.raises(TrainingError, match="multiple of 16"):
        azimuth(cars, size=40)
    (cars / "attributes.csv").write_text("number,angle\n00000,80\n")
    with pytest.raises(DataError, match="no angle from -75 to 75 for 00000"):
        read_cars(cars, 32)
    (cars / "attributes.csv").unlink()
    with pytest.raises(DataError, match=r"python -m train\.prepare cars"):
        read_cars(cars, 32)
