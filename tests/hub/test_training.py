"""Trainings that push as they go, and the command `push`, in this process and as a user runs it."""

import errno
import json
import os
import runpy
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import ROOT
from huggingface_hub import ModelCard
from PIL import Image

import i2i_models as i2i
from i2i_models.errors import HubError, TrainingError
from train import loop
from train.options import Augment, Job, Options
from train.push import Pusher

from .conftest import make
from .server import TOKEN, Hub

NAME = "owner/tiny"


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try alone."""
    monkeypatch.setattr("i2i_models.hub.push.WAITS", ())


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run `python -m train …` in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["train", *map(str, arguments)])
    try:
        runpy.run_module("train", run_name="__main__", alter_sys=False)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def job(pairs: Path, folder: Path, **options: object) -> Job:
    """A training of four steps."""
    plain = Options(
        data=str(pairs), output=folder / "tiny", run=folder / "run", size=32, steps=4, save_every=2, sample_every=4,
        precision="float32", **{"push_to_hub": NAME, **options},  # type: ignore[arg-type]
    )  # fmt: skip
    network = i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4, discriminator_layers=2)
    return Job(plain, network, i2i.Pix2Pix.Objective(), Augment(enlarge=1.0))


def test_a_training_ends_on_the_hub_and_what_is_loaded_from_there_is_what_it_wrote(
    hub: Hub, pairs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    loop.train("pix2pix", job(pairs, tmp_path, push_private=True, license="cc-by-4.0"))
    image = Image.open(next((pairs / "test").iterdir())).crop((0, 0, 32, 32))
    there, here = i2i.load(NAME).translate(image), i2i.load(tmp_path / "tiny").translate(image)
    assert there.tobytes() == here.tobytes()
    assert hub.repo(NAME).private and hub.repo(NAME).main.message == "Step 4 of 4"
    said = capfd.readouterr()
    assert "/commit/" in said.out and TOKEN not in said.out + said.err
    card = ModelCard.load(tmp_path / "tiny" / "README.md")
    assert card.data.license == "cc-by-4.0" and "Not measured yet" in card.text
    saved = json.loads((tmp_path / "tiny" / "config.json").read_text())
    assert not any(key.startswith("push") for key in saved["training"])


def test_pushes_on_the_way_are_whole_and_named_by_their_step(
    hub: Hub, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = Pusher.offer

    def offer_and_wait(self: Pusher, folder: Path, message: str) -> None:
        offer(self, folder, message)
        while folder.exists():
            time.sleep(0.02)

    monkeypatch.setattr(Pusher, "offer", offer_and_wait)
    loop.train("pix2pix", job(pairs, tmp_path, push_every=2))
    commits = {commit.message: commit for commit in hub.repo(NAME).commits.values()}
    assert set(commits) == {"initial commit", "Step 2 of 4", "Step 4 of 4"}
    steps = {m: json.loads(c.files["config.json"])["training"]["step"] for m, c in commits.items() if c.files}
    assert steps == {"Step 2 of 4": 2, "Step 4 of 4": 4}
    i2i.load(f"{NAME}@{commits['Step 2 of 4'].sha}")
    assert b"# tiny" in commits["Step 2 of 4"].files["README.md"]
    assert not (tmp_path / "run" / "push").exists()


def test_a_hub_in_trouble_does_not_end_a_training_and_the_way_out_is_said(
    hub: Hub, pairs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fail("POST /api/repos/create", times=10_000, status=503)
    loop.train("pix2pix", job(pairs, tmp_path, push_every=2, push_private=True))
    said = capfd.readouterr().err
    assert "The training is complete, but pushing it failed: The Hub has trouble of its own (503)" in said
    assert f"Try again: python -m train push {tmp_path / 'tiny'} {NAME} --private" in said
    hub.faults.clear()
    assert command(monkeypatch, "push", tmp_path / "tiny", NAME, "--private") == 0
    assert hub.repo(NAME).private and i2i.load(NAME).info.size == 32


def test_a_snapshot_that_finds_no_room_does_not_end_a_training(
    hub: Hub, pairs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    export = loop.Trainer.export

    def full(self: loop.Trainer, folder: Path) -> None:
        if "push" in folder.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        export(self, folder)

    monkeypatch.setattr(loop.Trainer, "export", full)
    loop.train("pix2pix", job(pairs, tmp_path, push_every=1))
    assert "Step 1 is not pushed, the training goes on: [Errno 28] No space left" in capfd.readouterr().err
    assert hub.repo(NAME).main.message == "Step 4 of 4"


def test_snapshots_never_wait_for_each_other_and_the_newest_wins(hub: Hub, tmp_path: Path) -> None:
    pusher = Pusher(NAME, private=False, scratch=tmp_path / "scratch")
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go.wait(30)

    hub.fail("POST /api/repos/create", before=hold)
    start = time.monotonic()
    for step in (1, 2, 3):
        folder = make(pusher.folder(step, "tiny"), seed=step)
        offered = time.monotonic()
        pusher.offer(folder, f"Step {step}")
        assert time.monotonic() - offered < 0.5
        assert held.wait(30)
    go.set()
    while folder.exists() and time.monotonic() - start < 60:
        time.sleep(0.02)
    pusher.stop()
    assert [c.message for c in hub.repo(NAME).commits.values()] == ["initial commit", "Step 1", "Step 3"]
    assert not pusher.scratch.exists()


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"push_to_hub": "tiny"}, HubError, "is no name on the Hub"),
        ({"push_to_hub": None, "push_every": 5}, TrainingError, "needs --push-to-hub"),
        ({"push_every": -1}, TrainingError, "is a number of steps"),
    ],
)
def test_what_cannot_be_pushed_to_is_said_before_the_training(
    hub: Hub, pairs: Path, tmp_path: Path, options: dict, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        loop.train("pix2pix", job(pairs, tmp_path, **options))


def test_a_missing_login_is_said_before_the_training(
    hub: Hub, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="Nobody is logged in to the Hub: run `hf auth login`, or set HF_TOKEN"):
        loop.train("pix2pix", job(pairs, tmp_path))
    assert not (tmp_path / "run").exists()


def test_the_command_fails_with_one_line(
    hub: Hub, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "push", tmp_path / "none", NAME) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert command(monkeypatch, "push", tiny, "stranger/tiny") == 2
    said = capsys.readouterr().err
    assert said.startswith("error: This login may not do that with stranger/tiny") and said.count("\n") == 1


def test_push_and_translate_with_the_client_set_up_by_the_environment(
    hub: Hub, tiny: Path, tmp_path: Path, drawing: Image.Image
) -> None:
    drawing.save(tmp_path / "drawing.png")
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": TOKEN,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
    }

    both = (
        "import sys, pathlib; from train.push import push; from i2i_models.__main__ import translate\n"
        "folder, name, drawing, out = sys.argv[1:]\n"
        "push(pathlib.Path(folder), name, message='By hand')\n"
        "translate(name, [pathlib.Path(drawing)], pathlib.Path(out))"
    )
    done = subprocess.run(
        [sys.executable, "-c", both, tiny, NAME, tmp_path / "drawing.png", tmp_path / "out"],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "/commit/" in done.stdout and TOKEN not in done.stdout + done.stderr
    assert hub.repo(NAME).main.message == "By hand" and hub.asked("GET /cdn/")
    expected = i2i.load(tiny).translate(drawing)
    assert Image.open(tmp_path / "out" / "drawing.png").tobytes() == expected.tobytes()
