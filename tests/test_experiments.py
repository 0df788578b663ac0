"""The papers' tables: results on file, the page made of them, and the experiments that measure them."""

import dataclasses
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from conftest import ROOT
from scipy.io import savemat

from i2i_models.checkpoints import load_weights
from i2i_models.errors import DataError, TrainingError
from i2i_models.inference.digits import DigitCrossing
from i2i_models.networks.digits import DigitUNIT, ReadingDiscriminators
from train import __main__ as commands
from train.experiments import ablate as ablating
from train.experiments import adapt as adapting
from train.experiments import invariance
from train.experiments import run as running
from train.experiments.ablations import ABLATIONS, Ablation
from train.experiments.adaptation import AdaptationObjective, varied
from train.experiments.digits import read_digits
from train.experiments.report import markdown, read_all, report
from train.experiments.results import Column, Row, Table, done, read, record
from ui import results as results_view

TABLE = Table(
    "toy", "A toy", "Nobody 1999, table 1", "Made smaller.", "python -m train toy",
    {"accuracy": Column("accuracy", 2), "other": Column("other", 1)},
    [Row("full", "everything", {"accuracy": 0.9}), Row("less", "less of it", {"accuracy": 0.5})],
)  # fmt: skip


def test_runs_of_a_row_are_kept_once_a_seed_and_become_the_tables_of_the_page(tmp_path: Path) -> None:
    for seed, accuracy in ((2, 0.6), (1, 0.1), (1, 0.8)):
        record(tmp_path, TABLE, "full", {"seed": seed, "values": {"accuracy": accuracy, "other": 3.0}, "minutes": 1.0})
    assert done(tmp_path, TABLE, "full", 1) and not done(tmp_path, TABLE, "full", 3)
    assert not done(tmp_path, TABLE, "less", 1)
    path = tmp_path / "toy.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"findings": ["Somebody looked."]}))
    changed = dataclasses.replace(TABLE, here="Made larger.")
    record(tmp_path, changed, "full", {"seed": 3, "values": {"accuracy": 0.7}, "minutes": 4.0})
    page = markdown(read_all(tmp_path), "results")
    assert "| everything | 0.90 | 0.70 ± 0.10 | 3.0 ± 0.0 | 1, 2, 3 | 2.0 |" in page
    assert "| less of it | 0.50 | not run yet | not run yet |  |  |" in page
    assert "Made larger." in page and "Somebody looked." in page and "cores" in page
    report(tmp_path, tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text() == markdown(read_all(tmp_path), tmp_path.name)
    assert (tmp_path / "toy.png").stat().st_size > 2000
    path.write_text("{")
    with pytest.raises(DataError, match="damaged"):
        read(tmp_path, "toy")
    with pytest.raises(DataError, match="python -m train adapt"):
        read_all(tmp_path / "nowhere")


def test_the_page_of_results_is_what_report_makes_of_the_committed_tables() -> None:
    assert (ROOT / "docs" / "results.md").read_text(encoding="utf-8") == markdown(
        read_all(ROOT / "docs" / "results"), "results"
    ), "run python -m train report"
    shown = results_view.results_html()
    assert "<table>" in shown and 'src="data:image/webp;base64,' in shown


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Twenty digits of each data set: bright squares whose place is their label."""
    labels = np.arange(20) % 10

    def squares(side: int) -> np.ndarray:
        pixels = np.zeros((20, side, side), np.uint8)
        for i, label in enumerate(labels):
            pixels[i, label : label + 6, label : label + 6] = 255
        return pixels

    for name, array in (("images-idx3", squares(28)), ("labels-idx1", labels.astype(np.uint8))):
        shape = b"".join(n.to_bytes(4, "big") for n in array.shape)
        data = bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()
        (tmp_path / f"t10k-{name}-ubyte.gz").write_bytes(gzip.compress(data))
    with h5py.File(tmp_path / "usps.h5", "w") as file:
        for split in ("train", "test"):
            file[f"{split}/data"] = squares(16).reshape(20, 256).astype(np.float32) / 255
            file[f"{split}/target"] = labels.astype(np.int32)
    for split in ("train", "test"):
        pixels = squares(32).transpose(1, 2, 0)[:, :, None].repeat(3, 2)
        savemat(tmp_path / f"{split}_32x32.mat", {"X": pixels, "y": np.where(labels, labels, 10)[:, None]})
    return tmp_path


def test_digits_are_read_as_published_and_what_is_none_is_told(digits: Path) -> None:
    for name, held_out in (("mnist", 4), ("usps", 20), ("svhn", 20)):
        found = read_digits(digits, name)  # type: ignore[arg-type]
        assert (len(found.train), len(found.test)) == (16 if name == "mnist" else 20, held_out)
        assert found.test.images.shape[1:] == (1, 32, 32)
        assert (float(found.test.images.min()), round(float(found.test.images.max()), 3)) == (-1, 1)
        assert sorted(set(found.train.labels.tolist())) == (
            [*range(4), *range(5, 9)] if name == "mnist" else [*range(10)]
        )
    with h5py.File(digits / "usps.h5", "a") as file:
        del file["test/target"]
        file["test/target"] = np.zeros(19, np.int32)
    with pytest.raises(DataError, match="a label for each"):
        read_digits(digits, "usps")
    (digits / "usps.h5").write_bytes(b"no HDF5")
    with pytest.raises(DataError, match="there anew"):
        read_digits(digits, "usps")
    (digits / "usps.h5").unlink()
    with pytest.raises(DataError, match="--data names the folder"):
        read_digits(digits, "usps")
    (digits / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x0d\x01" + bytes(8)))
    with pytest.raises(DataError, match="no IDX file of bytes"):
        read_digits(digits, "mnist")


def test_the_losses_of_adaptation_reach_whom_they_are_for() -> None:
    network, readers, objective = DigitUNIT(4), ReadingDiscriminators(4), AdaptationObjective()
    a, b, labels = torch.rand(3, 1, 32, 32), torch.rand(3, 1, 32, 32), torch.tensor([1, 2, 3])
    for k in ("encoders", "decoders"):  # begun alike: a translation is a reconstruction
        own = getattr(network, k)
        assert all(torch.equal(x, y) for x, y in zip(own["A"].parameters(), own["B"].parameters(), strict=True))
    outputs = objective.outputs(network, a, b)
    judged = objective.discriminator_loss(readers, a, b, labels, outputs)
    torch.stack(list(judged.values())).sum().backward()
    assert all(p.grad is None for p in network.parameters())
    assert all(p.grad is not None for p in readers.parameters())
    readers.requires_grad_(False)
    made = objective.generator_loss(readers, a, b, labels, outputs)
    torch.stack(list(made.values())).sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    of_pair = (readers(outputs["fake_b"], "B").features - readers(a, "A").features).abs().mean()
    of_other = (readers(outputs["fake_a"], "A").features - readers(b, "B").features).abs().mean()
    torch.testing.assert_close(judged["features"], of_pair + of_other)
    assert varied(a).shape == a.shape


def test_an_interrupted_adaptation_goes_on_and_comes_out_the_same(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SAVE_EVERY", 2)
    small: dict[str, Any] = {"seeds": 1, "steps": 4, "batch_size": 4, "width": 4, "discriminator_width": 4}

    def run(name: str, **options: Any) -> dict[str, Any]:
        folders = {"runs": tmp_path / name, "results": tmp_path / f"{name}-results"}
        adapting.adapt("mnist", "usps", digits, **{**small, **folders, **options})
        return read(folders["results"], adapting.TABLE.name)["rows"]

    whole = run("whole")
    assert {key: len(row["runs"]) for key, row in whole.items() if "mnist-usps" in key} == {
        "mnist-usps-source_only": 1, "mnist-usps-unit": 1, "mnist-usps-target_trained": 1,
    }  # fmt: skip
    alone, trained = (
        whole[key]["runs"][0]["values"] for key in ("mnist-usps-source_only", "usps-mnist-target_trained")
    )
    assert (alone["target"], alone["source"]) == (trained["source"], trained["target"])  # one reader, seen both ways
    assert (tmp_path / "whole/mnist-usps-unit/1/translations.png").is_file()
    run("whole", output=tmp_path / "digits")
    crossing = DigitCrossing.load(tmp_path / "digits")
    assert crossing.domains == {"A": "MNIST", "B": "USPS"}
    reader = crossing.networks.readers.state_dict()
    kept = load_weights(tmp_path / "whole/mnist-usps-unit/1/reader.safetensors")
    assert all(torch.allclose(reader[name], kept[name].float(), atol=1e-3) for name in kept)
    with pytest.raises(TrainingError, match="no finished run"):
        adapting.export("mnist", "usps", tmp_path / "nowhere", {}, tmp_path / "others")
    steps = iter(range(3))
    unhindered = adapting.Adaptation._adapt

    def stopping(self: Any, trained: Any) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        unhindered(self, trained)

    monkeypatch.setattr(adapting.Adaptation, "_adapt", stopping)
    with pytest.raises(KeyboardInterrupt):
        run("cut", methods=("unit",))
    monkeypatch.setattr(adapting.Adaptation, "_adapt", unhindered)
    with pytest.raises(TrainingError, match="begun with other settings"):
        run("cut", methods=("unit",), steps=6)
    again = run("cut", methods=("unit",))
    assert again["mnist-usps-unit"]["runs"][0]["values"] == whole["mnist-usps-unit"]["runs"][0]["values"]
    weights = [(tmp_path / name / "mnist-usps-unit/1/reader.safetensors").read_bytes() for name in ("whole", "cut")]
    assert weights[0] == weights[1]
    monkeypatch.setattr(adapting, "Adaptation", None)  # nothing is left to do
    assert run("cut", methods=("unit",)) == again
    with pytest.raises(TrainingError, match="as in the paper"):
        adapting.adapt("mnist", "mnist", digits)


def start(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["train", *arguments])
    monkeypatch.setattr(commands, "keep_freed_memory", lambda: None)  # of the whole test process
    commands.main()


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_row_of_an_ablation_is_an_ordinary_training(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ablation = ABLATIONS[name]
    seen: list[Any] = []
    monkeypatch.setattr(commands, "train", lambda method, job: seen.append((method, job)))
    for options in ablation.options.values():
        arguments = ["--data", "nowhere", "--output", "out", *ablation.common, *options]
        start(ablation.method, *arguments, monkeypatch=monkeypatch)
    settings = [json.dumps(job.settings(), default=str) for _, job in seen]
    assert len(set(settings)) == len(ablation.table.rows) and {method for method, _ in seen} == {ablation.method}
    for _, job in seen:
        discriminator = commands.METHODS[ablation.method](job.network).discriminators()
        x = torch.zeros(1, 6 if getattr(job.network, "conditional", False) else 3, job.options.size, job.options.size)
        for one in discriminator.values() if isinstance(discriminator, torch.nn.ModuleDict) else [discriminator]:
            one(x)


def test_a_row_is_trained_measured_and_never_done_twice(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = ["--size", "32", "--depth", "3", "--base-width", "4", "--discriminator-width", "4", "--save-every", "1"]
    toy = Ablation(
        TABLE, "pix2pix", [*common, "--discriminator-layers", "1", "--steps", "3"],
        {"full": [], "less": ["--lambda-gan", "0"]}, {"other": ("variety", "ratio")},
    )  # fmt: skip
    monkeypatch.setitem(ABLATIONS, "toy", toy)
    called: list[list[str]] = []

    @dataclasses.dataclass
    class Ended:
        returncode: int

    def run(command: list[str], check: bool) -> Ended:
        called.append(command)
        start(*command[3:], monkeypatch=monkeypatch)
        return Ended(0)

    monkeypatch.setattr(ablating.subprocess, "run", run)
    folders = ["--data", str(pairs), "--runs", str(tmp_path / "runs"), "--results", str(tmp_path / "results")]
    for _ in range(2):
        start("ablate", "toy", *folders, "--rows", "less", monkeypatch=monkeypatch)
    runs = read(tmp_path / "results", "toy")["rows"]["less"]["runs"]
    assert len(called) == 1 and len(runs) == 1 and runs[0]["values"]["other"] > 0
    assert not (tmp_path / "runs/toy/less/1").exists()
    monkeypatch.setattr(ablating.subprocess, "run", lambda command, check: Ended(130))
    with pytest.raises(TrainingError, match="goes on where it was"):
        ablating.ablate("toy", str(pairs), ("full",), runs=tmp_path / "runs", results=tmp_path / "results")
    with pytest.raises(TrainingError, match="pix2pix-losses"):
        ablating.ablate("nothing", str(pairs))
    with pytest.raises(TrainingError, match="no row 'nothing'"):
        ablating.ablate("toy", str(pairs), ("nothing",))


def test_instance_norm_takes_a_gain_and_an_offset_out_of_the_distance() -> None:
    x = torch.rand(4, 3, 8, 8)
    gained, other = 2 * x + 0.5, torch.rand(4, 3, 8, 8)
    found = invariance.distances(lambda maps: maps, x, (gained, other))
    assert float(found["plain"][0].min()) > 0.1 and float(found["normed"][0].max()) < 1e-3
    assert float(found["normed"][1].min()) > 0.5
    for face, recoloured, another in invariance.triples(12, 1):
        colours = [(one.hair_colour, one.skin, one.background) for one in (face, recoloured, another)]
        assert colours[0] == colours[2] and not any(map(str.__eq__, *colours[:2]))
        assert (face.hair, face.eyes, face.mouth) == (recoloured.hair, recoloured.eyes, recoloured.mouth)
        assert face.number != another.number
