"""Going on longer, with other options, for so many minutes; and what a run tells and is told on the way."""

import dataclasses
from pathlib import Path

import pytest
import torch
from test_training import TINY, job

import i2i_models as i2i
from i2i_models.errors import TrainingError
from i2i_models.networks.methods import METHODS
from train.data.dataset import Batch
from train.loop import budget, memory
from train.loop.options import Job
from train.loop.progress import EXPORT, FINISH, read_progress
from train.loop.trainer import Trainer, train
from train.publish.card import write_card


def test_a_finished_training_goes_on_and_its_card_says_what_changed(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train("pix2pix", job(pairs, tmp_path, steps=4))
    train("pix2pix", job(pairs, tmp_path, steps=6, resume=True))
    assert i2i.load(tmp_path / "out").info.training["step"] == 6
    faster = {"steps": 8, "resume": True, "learning_rate": 1e-3, "batch_size": 4}
    with pytest.raises(TrainingError, match=r"started with batch_size = 2, not 4: .*take this one with --change"):
        Trainer("pix2pix", job(pairs, tmp_path, **faster))
    train("pix2pix", job(pairs, tmp_path, **faster, change=True))
    history = ["From step 4: steps 4 → 6", "From step 6: steps 6 → 8, batch_size 2 → 4, learning_rate 0.0002 → 0.001"]
    assert i2i.load(tmp_path / "out").info.training["history"] == history
    write_card(tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert all(f"- {line}\n" in card for line in history) and "| history |" not in card
    assert "; the learning rate goes on from 0.0005." in capsys.readouterr().out
    trainer = Trainer("pix2pix", job(pairs, tmp_path, **faster))
    assert trainer.seen == 6 * 2 + 2 * 4 and trainer.generator_optimizer.param_groups[0]["betas"][0] == 0.5
    wider = dataclasses.replace(TINY, base_width=8)
    for changed, says in (
        ({"steps": 7}, "--steps 7 lies behind: .* at step 8 already"),
        ({"direction": "B2A"}, "direction = 'A2B', not 'B2A': that cannot change on the way"),
    ):
        with pytest.raises(TrainingError, match=says):
            Trainer("pix2pix", job(pairs, tmp_path, **{**faster, **changed}, change=True))
    with pytest.raises(TrainingError, match=r"network\.base_width = 4, not 8: that cannot change"):
        Trainer("pix2pix", dataclasses.replace(job(pairs, tmp_path, **faster, change=True), network=wider))
    with pytest.raises(TrainingError, match="--change goes with --resume"):
        Trainer("pix2pix", job(pairs, tmp_path / "new", change=True))


def test_a_run_tells_how_it_goes_and_answers_while_it_runs(pairs: Path, tmp_path: Path) -> None:
    trainer = Trainer("pix2pix", job(pairs, tmp_path, steps=40, save_every=5))
    run = tmp_path / "run"
    train_step = trainer.train_step

    def ask(batch: Batch) -> dict[str, torch.Tensor]:
        if trainer.step in (2, 4, 6):
            (run / EXPORT).touch()
        if trainer.step == 11:
            (run / FINISH).touch()
        return train_step(batch)

    trainer.train_step = ask  # type: ignore[method-assign]
    trainer.run()
    assert i2i.load(tmp_path / "out").info.training["step"] == 12
    snapshots = sorted((run / "snapshots").iterdir())
    assert [folder.name for folder in snapshots] == ["step-0000005", "step-0000007"]
    assert i2i.load(snapshots[-1]).info.training["step"] == 7
    assert not (run / EXPORT).exists() and not (run / FINISH).exists()
    assert (run / "samples-0000001.png").exists()
    train("pix2pix", job(pairs, tmp_path, steps=40, save_every=5, resume=True))
    last = read_progress(run)[-1]
    assert (last["step"], last["steps"]) == (40, 40) and last["images"] > 0
    assert set(last["losses"]) == {"d_real", "d_fake", "gan", "l1"} and last["seconds"] > 0


@pytest.mark.parametrize(
    ("minutes", "width", "grows", "depth"),
    [(2000.0, 64, False, 7), (500.0, 64, True, 6), (60.0, 32, True, 6), (20.0, 16, True, 6)],
)
def test_minutes_decide_width_growing_and_steps(
    pairs: Path, tmp_path: Path, minutes: float, width: int, grows: bool, depth: int
) -> None:
    """On a machine where a step takes a second at width 64 and 128 px, and by the square less below."""
    asked = job(pairs, tmp_path, minutes=minutes, size=128, grow_from=None, grow_until=0.5, batch_size=1)
    method = METHODS["pix2pix"]
    asked = dataclasses.replace(asked, network=method.Config())

    def measure(candidate: Job, size: int) -> float:
        return (candidate.network.base_width / 64) ** 2 * (size / 128) ** 2

    found = budget.plan(method, asked, measure)
    o, network = found.options, found.network
    assert (network.base_width, network.discriminator_width, network.depth) == (width, width, depth)
    assert o.grow_from == (64 if grows else None)
    spent = sum(measure(found, o.size_at(step)) for step in range(o.steps))
    assert 0.9 * minutes * 60 < spent <= 0.94 * minutes * 60
    assert budget.plan(method, dataclasses.replace(asked, network=TINY), measure).network.base_width == 4
    # Half way it turns out that everything takes twice as long: the rest of the time is for as many steps as fit.
    step = o.steps // 2
    done = 2 * sum(measure(found, o.size_at(s)) for s in range(step))
    longer = budget.corrected(dataclasses.replace(o, minutes=2 * minutes), step, done)
    assert longer == pytest.approx(o.steps, rel=0.02)
    with pytest.raises(TrainingError, match=r"--minutes 0\.01 is too short: a step takes .* give at least --minutes"):
        budget.plan(method, dataclasses.replace(asked, options=dataclasses.replace(o, minutes=0.01)), measure)


def test_a_budget_is_kept_resumed_and_raised(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainer = Trainer("pix2pix", job(pairs, tmp_path, minutes=0.05, grow_from=None))
    steps = trainer.options.steps
    assert f"0.05 minutes: {steps} steps of 2, width 4." in capsys.readouterr().out
    train_step = trainer.train_step

    def finish(batch: Batch) -> dict[str, torch.Tensor]:
        if trainer.step == 4:
            (tmp_path / "run" / FINISH).touch()
        return train_step(batch)

    trainer.train_step = finish  # type: ignore[method-assign]
    trainer.run()
    again = Trainer("pix2pix", job(pairs, tmp_path, minutes=0.05, grow_from=None, resume=True))
    assert (again.options.steps, again.history) == (steps, [])
    longer = Trainer("pix2pix", job(pairs, tmp_path, minutes=50, grow_from=None, resume=True))
    assert longer.options.steps > 10 * steps and "for 50 minutes in all" in longer.history[0]
    with pytest.raises(TrainingError, match=r"--minutes must lie in 0 … 100,000, not -1"):
        Trainer("pix2pix", job(pairs, tmp_path, minutes=-1))


def test_memory_too_small_is_said_with_what_fits(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    method = METHODS["cyclegan"]
    asked = dataclasses.replace(job(pairs, tmp_path, size=512, batch_size=4), network=method.Config(base_width=32))
    assert memory.available() > 1e8
    monkeypatch.setattr(memory, "available", lambda: 9e9)
    needs = r"At 512 px this needs about 28\.\d GB of memory, and 9\.0 are free: "
    with pytest.raises(TrainingError, match=needs + "--size 512 --batch-size 1 fits"):
        memory.check(method, asked)
    planned = dataclasses.replace(asked, network=method.Config())
    planned = dataclasses.replace(planned, options=dataclasses.replace(asked.options, minutes=1e5, batch_size=1))
    assert budget.plan(method, planned, lambda *_: 1.0).network.base_width == 32
    monkeypatch.setattr(memory, "available", lambda: 1e8)
    with pytest.raises(TrainingError, match="smaller --base-width"):
        memory.check(method, asked)
