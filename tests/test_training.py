"""The loop: it learns, resumes exactly, saves whole or not at all, and stops with a sentence."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT
from PIL import Image
from safetensors.torch import load_file
from test_methods import tiny

import i2i_models as i2i
from i2i_models.checkpoints import Domain
from i2i_models.errors import TrainingError
from i2i_models.images.palettes import LabelSet, write_palette
from i2i_models.networks.methods import METHODS
from i2i_models.networks.pix2pix import Pix2PixConfig, Pix2PixObjective
from train.data import sources
from train.data.augmentation import Augmentation
from train.data.dataset import Batch
from train.loop import precision, state
from train.loop.average import MovingAverage
from train.loop.options import Job, Options
from train.loop.trainer import Trainer, train
from ui.editor import input_spec

TINY = Pix2PixConfig(base_width=4, depth=4, discriminator_width=4, discriminator_layers=2)


def job(pairs: Path, folder: Path, **options: object) -> Job:
    """A tiny training with everything on: dropout, augmentation, growing, a falling learning rate."""
    settings: dict[str, object] = {
        "data": str(pairs), "output": folder / "out", "run": folder / "run", "size": 32, "grow_from": 16,
        "grow_until": 0.4, "steps": 12, "batch_size": 2, "save_every": 100, "sample_every": 100,
    }  # fmt: skip
    return Job(Options(**(settings | options)), TINY, Pix2PixObjective(), Augmentation(affine=0.5, hand_drawn=True))  # type: ignore[arg-type]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    whole = state.load_state(folder / "run")
    return {f"{part}.{k}": v for part in ("network", "discriminators", "average") for k, v in whole[part].items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_trains_samples_and_exports(pairs: Path, tmp_path: Path) -> None:
    train("pix2pix", job(pairs, tmp_path, sample_every=6))
    assert (tmp_path / "run" / "samples-0000006.png").stat().st_size > 500
    assert list((tmp_path / "run").rglob("events.out.tfevents*"))
    translator = i2i.load(tmp_path / "out")
    assert translator.info.training["steps"] == 12
    exported = load_file(tmp_path / "out" / "model.safetensors")
    assert all(v.dtype == torch.float16 for v in exported.values())
    averaged = weights(tmp_path)
    for key, value in exported.items():
        assert torch.equal(value, averaged[f"average.module.{key}"].half())


@pytest.mark.parametrize(("paired", "held_out"), [(True, 0), (False, 0), (True, 4)])
def test_every_image_is_opened_once(
    paired: bool, held_out: int, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(pairs / "train", tmp_path / "data" / "train")
    if held_out:
        shutil.copytree(pairs / "test", tmp_path / "data" / "val")
    opened: list[str] = []
    open_file = sources.open_image

    def counted(file: Path, *options: Any) -> Image.Image:
        opened.append(f"{file.parent.name}/{file.name}")
        return open_file(file, *options)

    monkeypatch.setattr(sources, "open_image", counted)
    method = METHODS["pix2pix" if paired else "munit"]
    started = job(tmp_path / "data", tmp_path, sample_every=2, steps=8, grow_from=None)
    train(method.method, dataclasses.replace(started, network=tiny(method.method).config, objective=method.Objective()))
    assert len(opened) == len(set(opened)) == 12 + held_out


@pytest.mark.parametrize("stop", [1, 5, 11])
def test_a_stopped_run_resumes_to_the_very_same_weights(pairs: Path, tmp_path: Path, stop: int, capsys) -> None:
    train("pix2pix", job(pairs, tmp_path / "whole"))
    trainer = Trainer("pix2pix", job(pairs, tmp_path / "parts"))
    train_step = trainer.train_step

    def interrupt(batch: Batch) -> dict[str, torch.Tensor]:
        if trainer.step == stop - 1:
            signal.raise_signal(signal.SIGINT)
        return train_step(batch)

    trainer.train_step = interrupt  # type: ignore[method-assign]
    with pytest.raises(SystemExit) as end:
        trainer.run()
    assert end.value.code == 130
    assert f"Saved at step {stop} of 12; the same command with --resume" in capsys.readouterr().out
    torch.manual_seed(99)  # the resumed process must not depend on chance drawn elsewhere
    train("pix2pix", job(pairs, tmp_path / "parts", resume=True))
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))


@pytest.mark.slow
def test_a_killed_process_resumes_to_the_very_same_weights(pairs: Path, tmp_path: Path) -> None:
    def command(name: str, *more: str) -> list[str]:
        return [
            sys.executable, "-m", "train", "pix2pix", "--data", str(pairs), "--output", str(tmp_path / name / "out"),
            "--run", str(tmp_path / name / "run"), "--size", "32", "--depth", "4", "--base-width", "4",
            "--discriminator-width", "4", "--steps", "150", "--batch-size", "2", "--save-every", "7",
            "--precision", "float32", *more,
        ]  # fmt: skip

    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole = subprocess.Popen(command("whole"), cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    killed = subprocess.Popen(command("parts"), cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    saved = tmp_path / "parts" / "run" / "state.pt"
    while not saved.exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    assert killed.wait() != 0
    step = state.load_state(saved.parent)["step"]
    assert 0 < step < 150
    subprocess.run(command("parts", "--resume"), cwd=ROOT, env=environment, check=True, stderr=subprocess.DEVNULL)
    assert whole.wait() == 0
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    exported = [(tmp_path / name / "out" / "model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert exported[0] == exported[1]


def test_a_full_disk_leaves_the_last_good_state(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train("pix2pix", job(pairs, tmp_path, steps=4))
    before = weights(tmp_path)
    write = torch.save

    def half_written(values: object, file) -> None:
        write({"half": 1}, file)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state.torch, "save", half_written)
    says = r"step 9 could not be saved.*No space left.*state saved before it is whole"
    with pytest.raises(TrainingError, match=says):
        state.save_state(tmp_path / "run", {"step": 9})
    monkeypatch.undo()
    assert same(before, weights(tmp_path))
    assert [p.name for p in (tmp_path / "run").glob("*.tmp")] == []


def test_a_loss_that_is_no_number_stops_with_step_part_and_state(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer("pix2pix", job(pairs, tmp_path, save_every=4))
    train_step = trainer.train_step

    def spoil(batch: Batch) -> dict[str, torch.Tensor]:
        losses = train_step(batch)
        return {**losses, "l1": losses["l1"] * float("nan")} if trainer.step == 5 else losses

    trainer.train_step = spoil  # type: ignore[method-assign]
    with pytest.raises(TrainingError, match=r"The loss l1 became nan at step 6; the last good state is in .*state\.pt"):
        trainer.run()
    assert state.load_state(tmp_path / "run")["step"] == 4


def test_options_that_cannot_work_are_sentences(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--steps must be at least 1"):
        Trainer("pix2pix", job(pairs, tmp_path, steps=0))
    with pytest.raises(TrainingError, match="--size 40: pix2pix of these settings needs a multiple of 16"):
        Trainer("pix2pix", job(pairs, tmp_path, size=40))
    with pytest.raises(TrainingError, match="nothing to resume"):
        Trainer("pix2pix", job(pairs, tmp_path, resume=True))
    train("pix2pix", job(pairs, tmp_path, steps=2))
    with pytest.raises(TrainingError, match="is there already: go on with --resume"):
        Trainer("pix2pix", job(pairs, tmp_path, steps=2))
    with pytest.raises(TrainingError, match="started with batch_size = 2, not 4"):
        Trainer("pix2pix", job(pairs, tmp_path, steps=2, batch_size=4, resume=True))
    (tmp_path / "run" / "state.pt").write_bytes(b"PK\x03\x04 no state")
    with pytest.raises(TrainingError, match="is damaged"):
        Trainer("pix2pix", job(pairs, tmp_path, steps=2, resume=True))


def test_a_palette_goes_from_its_file_through_the_checkpoint_to_the_page(pairs: Path, tmp_path: Path) -> None:
    labels = LabelSet({"ice": (250, 250, 250), "sea": (0, 0, 90), "sand": (200, 180, 90)}, "sea", "sand")
    write_palette(tmp_path / "palette.json", labels)
    painted = {"kind_a": "labels", "palette": tmp_path / "palette.json", "steps": 1}
    train("pix2pix", job(pairs, tmp_path, **painted))
    translator = i2i.load(tmp_path / "out")
    assert translator.info.domains["A"] == Domain.of_labels("A", labels)
    assert translator.info.domains["B"] == Domain("B")
    shown = input_spec(translator, "A2B")
    assert (shown["background"], shown["foreground"]) == ("#00005a", "#c8b45a")
    assert list(shown["palette"]) == ["ice", "sea", "sand"]
    train("pix2pix", job(pairs, tmp_path, **painted, resume=True))
    for wrong in ({"kind_a": "labels"}, {"palette": tmp_path / "palette.json"}):
        with pytest.raises(TrainingError, match="goes with --palette FILE"):
            Trainer("pix2pix", job(pairs, tmp_path, **wrong))


def test_schedule_and_sizes(pairs: Path, tmp_path: Path) -> None:
    o = job(pairs, tmp_path, steps=10, learning_rate=1.0, decay_from=0.5, grow_until=0.4).options
    assert [o.size_at(s) for s in (0, 3, 4, 9)] == [16, 16, 32, 32]
    assert [o.rate_at(s) for s in (0, 4, 5, 7, 9)] == pytest.approx([1, 1, 1, 0.6, 0.2])


def test_the_average_follows_its_formula() -> None:
    network = tiny("pix2pix")
    weights = next(network.parameters())
    torch.nn.init.constant_(weights, 0.0)
    average = MovingAverage(network, decay=0.5)
    expected = 0.0
    for updates, value in enumerate((4.0, 10.0, 3.0, 1.0, 7.0, 2.0, 8.0, 5.0, 6.0, 9.0, 0.5)):
        torch.nn.init.constant_(weights, value)
        average.update_parameters(network)
        # The first update copies; then the decay warms up: 2/11, 3/12 … 0.5.
        decay = min(0.5, (1 + updates) / (10 + updates)) if updates else 0.0
        expected = decay * expected + (1 - decay) * value
        assert next(average.network.parameters()).flatten()[0].item() == pytest.approx(expected)


def test_bfloat16_is_taken_only_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert precision.use_bfloat16("bfloat16")
    assert not precision.use_bfloat16("float32")
    for there in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda there=there: there)
        assert precision.use_bfloat16("auto") == there


def test_a_training_begins_where_a_checkpoint_ended(pairs: Path, tmp_path: Path) -> None:
    train("pix2pix", job(pairs, tmp_path / "first"))
    first = tmp_path / "first" / "out"
    trainer = Trainer("pix2pix", job(pairs, tmp_path / "second", start_from=first))
    for file, module in (("model", trainer.network), ("discriminator", trainer.discriminators)):
        begun = module.state_dict()
        assert all(torch.equal(begun[k].half(), v) for k, v in load_file(first / f"{file}.safetensors").items())
    judged = job(pairs, tmp_path / "judged", start_from=first)
    deeper = dataclasses.replace(TINY, discriminator_layers=TINY.discriminator_layers + 1)
    anew = Trainer("pix2pix", dataclasses.replace(judged, network=deeper))
    taken, other = anew.network.state_dict(), trainer.network.state_dict()
    assert all(torch.equal(taken[name], other[name]) for name in other)
    wider = job(pairs, tmp_path / "third", start_from=first)
    wider = dataclasses.replace(wider, network=dataclasses.replace(TINY, base_width=2 * TINY.base_width))
    with pytest.raises(TrainingError, match=r"--start-from .*base_width"):
        Trainer("pix2pix", wider)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is glibc that gives memory back at once")
def test_freed_memory_is_kept_for_the_next_step() -> None:
    code = """
import resource
from train.loop.heap import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    b'1' * (64 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
before = faults()
keep_freed_memory()
faults()
print(before > 10 * faults())
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "True"


def test_a_second_training_in_the_same_folder_is_refused(pairs: Path, tmp_path: Path) -> None:
    first, second = (Trainer("pix2pix", job(pairs, tmp_path)) for _ in range(2))
    with first._alone(), pytest.raises(TrainingError, match="Another training is writing"):
        second.run()
    with second._alone():
        pass
    elsewhere = Trainer("pix2pix", job(pairs, tmp_path, run=tmp_path / "elsewhere"))
    with first._alone(), pytest.raises(TrainingError, match=r"Another training is writing to .*out: "):
        elsewhere.run()
    assert not list(tmp_path.glob(".*.lock"))
    (tmp_path / "file").touch()
    nowhere = Trainer("pix2pix", job(pairs, tmp_path, output=tmp_path / "file" / "out", run=tmp_path / "other"))
    with pytest.raises(TrainingError, match=r"Nothing can be written in .*file \("):  # before the training, not after
        nowhere.run()
