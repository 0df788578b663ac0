"""Every unpaired method through the one loop: it trains, shows, resumes, follows itself on two processes."""

import colorsys
import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT, free_port
from PIL import Image
from safetensors.torch import load_file
from test_command_line import command
from test_methods import TINY, UNPAIRED, images, tiny

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.errors import TrainingError
from i2i_models.images.tensors import from_bytes
from i2i_models.networks import cyclegan
from i2i_models.networks.discogan import DiscoGANObjective
from i2i_models.networks.methods import METHODS
from train import __main__ as commands
from train.data import augmentation
from train.data.augmentation import Augmentation
from train.data.dataset import Batch
from train.evaluation.grids import save_grid
from train.loop.options import Job, Options
from train.loop.state import load_state
from train.loop.trainer import Trainer, train


def job(method: str, data: Path, folder: Path, **options: Any) -> Job:
    cls = METHODS[method]
    config = {**TINY[method], **({"discriminator_scales": 1} if method == "munit" else {})}
    settings = {"steps": 3, "size": 32, "batch_size": 2, "output": folder / "out", "run": folder / "run"}
    return Job(
        Options(**{**cls.training_defaults, **settings, "data": str(data), **options}),
        cls.Config(**config),
        cls.Objective(),
        Augmentation(vary_hue=True),
    )


@pytest.mark.parametrize("method", UNPAIRED)
def test_trains_samples_and_exports(method: str, pairs: Path, tmp_path: Path) -> None:
    train(method, job(method, pairs, tmp_path, sample_every=2, grow_from=16 if method != "munit" else None))
    with Image.open(tmp_path / "run" / "samples-0000002.png") as grid:
        columns, rows = (grid.width - 4) // 36, (grid.height - 4) // 36
    assert (columns, rows) == (4, {"unit": 8, "munit": 12}.get(method, 6))
    translator = i2i.load(tmp_path / "out")
    assert translator.info.method == method
    picture = Image.new("RGB", (40, 30), "red")
    for direction in translator.directions:
        assert translator.translate(picture, direction, seed=1, temperature=0.5).size == (40, 30)
    trained = load_state(tmp_path / "run")["average"]
    for name, value in load_file(tmp_path / "out" / "model.safetensors").items():
        assert torch.equal(value, trained[f"module.{name}"].half())


@pytest.mark.parametrize("method", UNPAIRED)
@pytest.mark.parametrize(("first", "sign"), [("negative_steps", -1), ("alike_steps", 1)])
def test_copies_first_then_the_method_itself(method: str, first: str, sign: int, pairs: Path, tmp_path: Path) -> None:
    trainer = Trainer(method, job(method, pairs, tmp_path, **{first: 1}, precision="float32"))
    batch = Batch(*(torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8) for _ in "ab"))
    made: list[dict[str, torch.Tensor]] = []
    trainer.generator_outputs.register_forward_hook(lambda module, args, outputs: made.append(outputs))
    for step in range(2):
        trainer.step = step
        losses = trainer.train_step(batch)
        distance = sum(
            (fake - sign * from_bytes(real)).abs().mean()
            for fake, real in ((made[-1]["fake_b"], batch.a), (made[-1]["fake_a"], batch.b))
        )
        assert (step == 0) == torch.allclose(losses["gan"], 10 * distance)


def test_copies_are_for_unpaired_methods(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="pix2pix learns from pairs: leave --alike-steps and --negative-steps out"):
        Trainer("pix2pix", job("pix2pix", pairs, tmp_path, negative_steps=5))
    with pytest.raises(TrainingError, match="opposite starts"):
        Trainer("unit", job("unit", pairs, tmp_path, negative_steps=5, alike_steps=5))
    with pytest.raises(TrainingError, match="must not be negative, but is -1"):
        Trainer("unit", job("unit", pairs, tmp_path, negative_steps=-1))


def test_discogan_takes_pairs_for_its_pixelwise_term(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a and b of a batch belong together and are turned alike; without it, and without pairs, they are not."""
    apart = tmp_path / "data"
    for domain, half in (("trainA", (0, 0, 32, 32)), ("trainB", (32, 0, 64, 32))):
        (apart / domain).mkdir(parents=True)
        for i, path in enumerate(sorted((pairs / "train").iterdir())):
            Image.open(path).crop(half).save(apart / domain / f"{domain}{i}.png")
    paired = dataclasses.replace(job("discogan", pairs, tmp_path), objective=DiscoGANObjective(lambda_pixel=1.0))
    trainer = Trainer("discogan", paired)
    assert trainer.data.paired and set(trainer.train_step(next(iter(trainer._batches())))) >= {"pixel", "gan"}
    assert not Trainer("discogan", job("discogan", pairs, tmp_path)).data.paired
    with pytest.raises(TrainingError, match=r"--lambda-pixel needs pairs, but .* holds two folders"):
        Trainer("discogan", dataclasses.replace(paired, options=dataclasses.replace(paired.options, data=str(apart))))


def test_a_grid_shows_what_the_method_can_do(tmp_path: Path) -> None:
    a, b = images(2, 16, 16), images(2, 16, 16)
    network = tiny("munit").eval()
    rows = network.grid(a, b)
    styles = network.sample_styles(4, torch.Generator().manual_seed(0))
    assert torch.equal(rows[3], network.translate(a, "A2B", styles[2]))
    assert torch.equal(rows[5], network.translate(a, "A2B", network.encode_style(b, "B")))
    network = tiny("unit").eval()
    rows = network.grid(a, b)
    assert torch.equal(rows[1], network.decode(network.encode(a, "A2B"), "B2A"))
    assert torch.equal(rows[7], network.translate(network.translate(b, "B2A"), "A2B"))
    lone = cyclegan.CycleGAN(cyclegan.CycleGANConfig(base_width=4, blocks=1, one_way=True))
    save_grid(lone, *(torch.zeros(3, 3, 16, 16, dtype=torch.uint8) for _ in "ab"), tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as grid:
        assert grid.size == (4 + 3 * 20, 4 + 2 * 20)


def test_the_pool_of_fakes_is_resumed(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cyclegan.ImagePool.__init__, "__defaults__", (6,))
    whole = job("cyclegan", pairs, tmp_path / "whole", steps=10)
    train("cyclegan", whole)
    stopped = Trainer("cyclegan", job("cyclegan", pairs, tmp_path / "parts", steps=10))
    monkeypatch.setattr(stopped.stop, "asked", lambda: stopped.step == 6)
    stopped.train()
    stopped._save()
    assert load_state(tmp_path / "parts" / "run")["discriminators"]["pool_A.images"].shape == (6, 3, 32, 32)
    train("cyclegan", job("cyclegan", pairs, tmp_path / "parts", steps=10, resume=True))
    one, two = (load_state(tmp_path / name / "run") for name in ("whole", "parts"))
    for part in ("network", "discriminators", "average"):
        assert all(torch.equal(value, two[part][name]) for name, value in one[part].items())
    exported = load_file(tmp_path / "parts" / "out" / "discriminator.safetensors")
    assert not any("pool" in name for name in exported)


def test_the_learning_rate_is_halved(pairs: Path, tmp_path: Path) -> None:
    trainer = Trainer("munit", job("munit", pairs, tmp_path, steps=300_000))
    assert [trainer.options.rate_at(step) for step in (0, 99_999, 100_000, 250_000)] == [1e-4, 1e-4, 5e-5, 2.5e-5]
    assert trainer.generator_optimizer.param_groups[0]["weight_decay"] == 1e-4


def test_hues_turn_and_white_stays_white() -> None:
    image = np.full((2, 3, 3), 255, np.uint8)
    image[0, 0], image[0, 1], image[0, 2] = (255, 0, 0), (0, 0, 0), (128, 128, 128)
    turned = [augmentation.vary_hue(image, np.random.default_rng(seed)) for seed in range(20)]
    hues = {round(colorsys.rgb_to_hsv(*(t[0, 0] / 255))[0], 1) for t in turned}
    assert len(hues) > 6
    for t in turned:
        assert np.array_equal(t[0, 1:], image[0, 1:])
        assert np.array_equal(t[1], image[1])
        assert colorsys.rgb_to_hsv(*(t[0, 0] / 255))[1:] == (1, 1)


@pytest.mark.parametrize("method", UNPAIRED)
def test_each_method_has_a_command_with_its_own_defaults(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = {}
    monkeypatch.setattr(commands, "train", lambda name, job: started.update({name: job}))
    arguments = ["--data", "d", "--output", "o", "--base-width", "16", "--gan", "least_squares", "--vary-hue"]
    monkeypatch.setattr(sys, "argv", ["train", method, *arguments])
    commands.main()
    cls = METHODS[method]
    assert started[method].options == Options(data="d", output=Path("o"), **cls.training_defaults)
    assert started[method].network == cls.Config(base_width=16)  # type: ignore[call-arg]
    assert started[method].objective == cls.Objective(gan="least_squares")
    assert started[method].augment == Augmentation(vary_hue=True)


@pytest.mark.slow
def test_two_processes_follow_one(pairs: Path, tmp_path: Path) -> None:
    port = str(free_port())
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", port]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    running = []
    for folder, how in ((tmp_path / "one", []), (tmp_path / "two", launch)):
        folder.mkdir()
        command = [sys.executable, *how, str(ROOT / "tests" / "two_processes.py"), str(pairs), str(folder)]
        with open(folder / "log", "w") as log:
            running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT))
    for process, folder in zip(running, ("one", "two"), strict=True):
        assert process.wait(240) == 0, (tmp_path / folder / "log").read_text()[-3000:]
    one, two = (json.loads((tmp_path / folder / "losses.json").read_text()) for folder in ("one", "two"))
    assert (one.pop("processes"), two.pop("processes")) == (1, 2)
    assert set(one) == set(METHODS)
    for method, steps in one.items():
        # From the third step on, Adam has turned the last bits of gradients next to 0 into steps of full length.
        for step, tolerance in zip(range(3), (1e-5, 1e-5, 1e-3), strict=True):
            assert two[method][step] == pytest.approx(steps[step], rel=tolerance, abs=1e-6), (method, step)


def test_a_student_learns_what_its_teacher_draws(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    domains = {"A": checkpoints.Domain("box", "outline"), "B": checkpoints.Domain("colour")}
    info = checkpoints.Info("teacher", "Teacher", "munit", 32, domains, {"data_note": "Boxes: free."})
    checkpoints.save(tmp_path / "teacher", tiny("munit").eval(), info)
    student = ("distill", tmp_path / "teacher", "--data", pairs, "--base-width", 2)
    apart = []
    for steps in (1, 60):
        output = tmp_path / str(steps)
        options = ("--output", output, "--steps", steps, "--batch-size", 2, "--learning-rate", 0.01)
        assert command(monkeypatch, "train", *student, *options) == 0
        apart.append(float(re.findall(r"([0-9.]+) of 255 \(A2B\)", capsys.readouterr().out)[0]))
        loaded = i2i.load(output)
        assert (loaded.network.config.base_width, loaded.info.size) == (2, 32)
        assert loaded.translate(Image.new("RGB", (40, 30), "red"), "B2A", seed=1).size == (40, 30)
        card = (output / "README.md").read_text()
        assert f"Boxes: free. Distilled from teacher (base width 4) in {steps} steps: on images held out" in card
    assert apart[1] < 0.7 * apart[0]
    for options, says in (
        (("--output", tmp_path / "1"), "is a checkpoint already"),
        (("--output", tmp_path / "x", "--base-width", 4), "must lie in 1 … 3, less than the teacher's, not 4"),
        (("--output", tmp_path / "x", "--steps", 0), "must be positive"),
    ):
        assert command(monkeypatch, "train", *student, *options) == 2
        assert says in capsys.readouterr().err
