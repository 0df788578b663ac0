"""Machines as people have them: temporary files on another disk, a cache that cannot be written, a clock set back."""

import errno
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from test_look import pictures
from test_training import job as training

import i2i_models as i2i
from i2i_models.inference import graph
from train.jobs import runner
from train.jobs.folder import JobFolder
from train.jobs.look import look
from train.loop.trainer import train
from train.prepare.renderings import place
from ui.browser import models
from ui.training import jobs


@pytest.fixture
def two_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Temporary files lie on a disk of their own, from which nothing can be moved or linked to this one."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))

    def on_one_disk(real: Callable[..., None]) -> Callable[..., None]:
        def move(source: Any, target: Any, *more: Any, **options: Any) -> None:
            if len({Path(path).absolute().is_relative_to(temporary) for path in (source, target)}) == 2:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source), None, str(target))
            real(source, target, *more, **options)

        return move

    for name in ("replace", "rename", "link"):
        monkeypatch.setattr(os, name, on_one_disk(getattr(os, name)))
    yield temporary


def test_nothing_is_moved_from_where_temporary_files_lie(
    two_disks: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = pictures(two_disks / "uploads", 9, (80, 40))  # as the page's uploads lie
    with pytest.raises(OSError, match="cross-device"):
        os.replace(dropped[0][0], tmp_path / "moved.png")
    place(Path(dropped[0][0]), tmp_path / "linked" / "0.png")
    assert (tmp_path / "linked" / "0.png").is_file()

    monkeypatch.setenv("I2I_JOBS_DIR", str(tmp_path / "jobs"))
    monkeypatch.setattr(jobs, "see_to_it", lambda: None)
    draft = jobs.new_draft({"a": dropped})
    look(draft)
    assert json.loads((draft / "look.json").read_text())["side_by_side"]
    request = {"method": "pix2pix", "name": "mine", "output": str(tmp_path / "mine"), "data": str(draft / "data")}
    job = jobs.start(draft, {**request, "arguments": [], "backend": "local", "settings": {}, "evaluate": False})
    job.wish("pause")
    folder = JobFolder(job.path)
    folder.update(state="paused")
    runner.main(job.path / "exit", 0, [sys.executable, "-c", ""])
    assert (job.path / "exit").read_text() == "0"
    train("pix2pix", training(pairs, tmp_path, steps=2))
    assert i2i.load(tmp_path / "out").info.training["step"] == 2 and (tmp_path / "run" / "state.pt").is_file()
    assert folder.delete() and not job.path.exists()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert graph._digest(b"graph", _made(graph.cache_folder()))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, mode=0o700)
    return folder


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(
    tmp_path: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    network = torch.nn.Conv2d(3, 3, 3)
    assert not graph.is_kept(network, "f32")
    graph._to_cache(None, graph._cache_file(network, "f32", "a processor"))
    assert "the compiled graph cannot be kept" in caplog.text
    train("pix2pix", training(pairs, tmp_path, steps=1))
    kept = models._kept_folder(tmp_path / "out")
    assert kept is not None and kept.is_dir() and kept.parent == tmp_path
    assert "models for browsers cannot be kept" in caplog.text
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert models._kept_folder(tmp_path / "out") is None


def test_a_clock_set_back_stops_no_question_to_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_JOBS_DIR", str(tmp_path))
    (tmp_path / "aaa0000000000001").mkdir()
    job, asked, now = jobs.Job(tmp_path / "aaa0000000000001"), [], [2_000_000_000.0]
    monkeypatch.setattr(jobs.time, "time", lambda: now[0])
    monkeypatch.setattr(jobs, "_start", lambda *arguments, **_: asked.append(now[0]))

    def look_at(clock: float) -> None:
        now[0] = clock
        before = len(asked)
        jobs.on_hub(job, "sync", None)
        if len(asked) > before:
            os.utime(job.path / "asked-hub", (clock, clock))

    for clock in (2e9, 2e9 + 1, 2e9 + jobs.SYNC_SECONDS + 1, 1e9, 1e9 + 1, 1e9 + jobs.SYNC_SECONDS + 1):
        look_at(clock)
    assert asked == [2e9, 2e9 + jobs.SYNC_SECONDS + 1, 1e9, 1e9 + jobs.SYNC_SECONDS + 1]
