"""Jobs: the queue, wishes, crashes, bounds, with a stand-in for the training; and a real training that is killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import ROOT
from PIL import Image

import i2i_models as i2i
from train.jobs import backends, disk, runner, supervisor
from train.jobs.folder import JOB, WISH, JobFolder, jobs, write_json
from train.loop.progress import PROGRESS

STAND_IN = """
import json, os, sys, time
from pathlib import Path

if "evaluate" in sys.argv:
    sys.exit("error: nothing to measure" if "unmeasured" in sys.argv[4] else 0)
option = lambda name: sys.argv[sys.argv.index(name) + 1]
run, behaviour = Path(option("--run")), option("--behaviour")
run.mkdir(exist_ok=True)
step = int((run / "state.pt").read_text()) if "--resume" in sys.argv else 0
if behaviour == "refuses":
    sys.exit(print("error: 3 images are too few.", file=sys.stderr) or 2)
while step < 1000:
    step += 1
    with (run / "progress.jsonl").open("a") as file:
        file.write(json.dumps({"step": step}) + "\\n")
    if behaviour == "crashes" or (behaviour == "crashes once" and step == 2 and "--resume" not in sys.argv):
        (run / "state.pt").write_text("1")
        os._exit(1)
    (run / "half").write_text(str(step))
    os.replace(run / "half", run / "state.pt")
    if (run / "pause").exists():
        sys.exit(130)
    if (run / "finish").exists() or (behaviour == "crashes once" and "--resume" in sys.argv):
        break
    time.sleep(0.01)
"""


TINY = [
    "--size", "32", "--depth", "4", "--base-width", "4", "--discriminator-width", "4", "--batch-size", "2",
    "--save-every", "5", "--precision", "float32",
]  # fmt: skip
"""Options of a training of a few seconds."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.setattr(backends, "POLITE", 0)  # a busy machine would keep the test waiting
    monkeypatch.setattr(backends, "launcher", lambda job: [sys.executable, str(tmp_path / "stand_in.py")])
    evaluation = JobFolder.evaluation
    monkeypatch.setattr(JobFolder, "evaluation", lambda job, _: evaluation(job, backends.launcher(job)))
    folder = tmp_path / "jobs"
    folder.mkdir()
    yield folder
    for job in jobs(folder):
        with contextlib.suppress(KeyError):
            backends.Local().kill(job, job.state["handle"])


def ask(root: Path, name: str, behaviour: str = "runs", **more: Any) -> JobFolder:
    """A new job, as the page makes one."""
    folder = root / name
    folder.mkdir()
    request = {"method": "pix2pix", "name": name, "output": str(root.parent / name), "data": "pictures"}
    arguments = ["--behaviour", behaviour]
    write_json(folder / JOB, {**request, "arguments": arguments, "created": len(list(root.iterdir())), **more})
    return JobFolder(folder)


def until(root: Path, done: Callable[[], bool]) -> None:
    """Tend the jobs until something is so."""
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end, {job.path.name: job.state for job in jobs(root)}
        supervisor.tend_all(root)
        time.sleep(0.01)


def states(root: Path) -> list[str]:
    return [job.state["state"] for job in jobs(root)]


def wish(job: JobFolder, word: str) -> None:
    (job.path / WISH).write_text(word)


def test_one_at_a_time_in_the_order_of_asking_and_as_wished(root: Path) -> None:
    first, second = ask(root, "first"), ask(root, "unmeasured")
    until(root, lambda: first.step() > 2)
    assert states(root) == ["running", "waiting"]
    wish(first, "pause")
    until(root, lambda: states(root) == ["paused", "running"])
    before = first.step()
    wish(first, "run")
    until(root, lambda: states(root) == ["waiting", "running"])
    wish(second, "finish")
    until(root, lambda: states(root)[1] == "done" and first.step() > before + 2)
    assert second.state["why"] == {"key": "not_measured", "said": "nothing to measure"}
    steps = [json.loads(line)["step"] for line in (first.run / PROGRESS).read_text().splitlines()]
    assert steps == list(range(1, len(steps) + 1))  # it went on where it was
    wish(first, "discard")
    until(root, lambda: not first.path.exists())
    assert states(root) == ["done"] and not supervisor.tend_all(root)


def test_what_ends_early_goes_on_or_says_why(root: Path) -> None:
    once, never, refuses = (ask(root, name.replace(" ", "-"), name) for name in ("crashes once", "crashes", "refuses"))
    until(root, lambda: states(root) == ["done", "failed", "failed"])
    assert once.step() == 2 and never.state["why"]["key"] == "crashed"
    assert refuses.state["why"] == {"key": "said", "said": "3 images are too few."}
    killed = ask(root, "killed")
    for _ in range(supervisor.CRASHES):
        until(root, lambda: killed.state["state"] == "running" and killed.step() > killed.state["step"] + 1)
        handle, step = killed.state["handle"], killed.step()
        os.killpg(int(handle), signal.SIGKILL)
        until(root, lambda handle=handle: killed.state.get("handle") not in (handle, None))
        assert killed.step() >= step  # each start brought new steps, so it does not give up
    wish(killed, "discard")
    until(root, lambda: not killed.path.exists())
    (root / "odd").mkdir()
    (root / "odd" / JOB).write_text("{")
    unknown = ask(root, "unknown", backend="moon")
    assert not supervisor.tend_all(root) or unknown.state["state"] == "waiting"


def test_a_finished_training_goes_on_longer_and_stays_what_it_was_where_it_cannot(root: Path) -> None:
    job = ask(root, "longer", arguments=["--behaviour", "runs", "--minutes", "5", "--batch-size", "4"])
    until(root, lambda: job.step() > 1)
    wish(job, "finish")
    until(root, lambda: states(root) == ["done"])
    done = job.step()
    with (job.run / PROGRESS).open("a") as file:  # stopped after 93 seconds of training
        file.write(json.dumps({"step": done, "seconds": 93.0}) + "\n")
    wish(job, 'longer {"--minutes": "10", "--learning-rate": "0.001", "--batch-size": "2"}')
    until(root, lambda: states(root) == ["running"] and job.step() > done)
    (arguments,) = job.state["rounds"]
    assert arguments[2:] == ["--minutes", "11.7", "--batch-size", "2", "--learning-rate", "0.001"]
    assert job.training(["python"])[-2:] == ["--resume", "--change"]
    wish(job, "finish")
    until(root, lambda: states(root) == ["done"])
    wish(job, 'longer {"--minutes": "1", "--behaviour": "refuses"}')
    until(root, lambda: "why" in job.state)
    assert job.state["why"]["said"] == "3 images are too few." and job.state["state"] == "done"
    assert job.state["rounds"] == [arguments]
    for meaningless in ("longer {", "longer {}"):
        wish(job, meaningless)
        supervisor.tend_all(root)
        assert states(root) == ["done"]
    model = root.parent / "longer"
    model.mkdir()
    wish(job, "forget")
    until(root, lambda: not job.path.exists())
    assert model.exists()


def test_scratch_makes_room_oldest_first_and_a_job_too_large_pauses(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer, runs = ask(root, "older"), ask(root, "newer"), ask(root, "runs")
    for job in (older, newer, runs):
        (job.run / "snapshots" / "step-0000001").mkdir(parents=True)
        for name in ("snapshots/step-0000001/model.safetensors", "state.pt", "samples-0000001.png", "samples-2.png"):
            (job.run / name).write_bytes(b"0" * 10_000)
        job.update(state="done")
    runs.update(state="paused")
    draft = root / "drafts" / "forgotten"
    draft.mkdir(parents=True)
    os.utime(draft, (0, 0))
    gone = disk.tidy(root, max_all=95_000)
    assert gone == ["drafts/forgotten", "older/run/snapshots", "newer/run/snapshots", "older/run/state.pt"]
    assert (newer.run / "state.pt").exists() and (runs.run / "snapshots").exists()
    monkeypatch.setattr(disk, "MAX_JOB", 1)
    runs.update(state="running", handle="0")
    supervisor.pause_if_too_large(runs)
    assert (runs.state["state"], runs.state["why"]["key"]) == ("pausing", "job_too_large")
    runs.update(state="running", why=None)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=disk.LEAST_FREE - 1))
    supervisor.pause_if_too_large(runs)
    assert (runs.state["state"], runs.state["why"]["key"]) == ("pausing", "disk_full")
    supervisor.ended(runs, supervisor.STOPPED)  # paused, it still says why, and keeps what it has learned
    assert (runs.state["state"], runs.state["why"]["key"]) == ("paused", "disk_full")
    assert (runs.run / "state.pt").exists()


@pytest.mark.slow
def test_a_real_training_is_killed_with_its_supervisor_and_both_go_on(pairs: Path, tmp_path: Path) -> None:
    root = tmp_path / "jobs"
    root.mkdir()
    job = ask(root, "real", data=str(pairs), arguments=[*TINY, "--steps", "40"], evaluate=False)
    impatient = "from train.jobs import backends, supervisor as s; backends.POLITE = 0; s.serve(s.Path(sys.argv[1]))"
    command = [sys.executable, "-c", f"import sys; {impatient}", str(root)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    one = subprocess.Popen(command, cwd=ROOT, env=environment)
    end = time.monotonic() + 250
    while not (job.run / "state.pt").exists():
        assert time.monotonic() < end, job.log.read_text()
        time.sleep(0.02)
    assert subprocess.run(command, cwd=ROOT, env=environment).returncode == 0  # a second one has nothing to do
    one.kill()
    one.wait()
    os.killpg(int(job.state["handle"]), signal.SIGKILL)
    two = subprocess.Popen(command, cwd=ROOT, env=environment)
    while job.state["state"] != "done":
        assert time.monotonic() < end and job.state["state"] != "failed", job.log.read_text()
        time.sleep(0.05)
    two.kill()
    two.wait()
    assert i2i.load(tmp_path / "real").info.training["step"] == 40
    assert job.state.get("crashes") and "Wrote" in job.log.read_text()


@pytest.mark.slow
def test_two_processes_of_accelerate_share_a_training_which_pauses_goes_on_and_is_kept(
    root: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the launcher itself
    monkeypatch.setattr(backends, "POLITE", 0)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    two: dict[str, Any] = {"data": str(pairs), "settings": {"gpus": 2}, "evaluate": False}
    job = ask(root, "shared", arguments=[*TINY, "--steps", "20000"], **two)
    odd = ask(root, "odd", arguments=[*TINY, "--batch-size", "3"], **two)
    until(root, lambda: job.step() >= 5)
    workers = [p for p in backends.processes_of(job) if "train.jobs.launch" not in p.cmdline()]
    assert len(workers) == 2
    wish(job, "pause")
    until(root, lambda: job.state["state"] == "paused")
    step = job.step()
    until(root, lambda: odd.state["state"] == "failed")
    assert odd.state["why"] == {"key": "said", "said": "--batch-size 3 cannot be shared by 2 processes."}
    wish(job, "finish")
    until(root, lambda: job.state["state"] == "done")
    assert "crashes" not in job.state
    made = i2i.load(root.parent / "shared")
    assert made.info.training["step"] >= step and made.translate(Image.new("RGB", (32, 32))).size == (32, 32)


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="needs Linux that groups processes by session")
def test_a_training_gives_way_to_other_sessions(tmp_path: Path) -> None:
    """It has a session of its own, and niceness says nothing between sessions: its group has to be nice, too."""
    told = "import os; print(os.nice(0), open('/proc/self/autogroup').read())"
    command = [sys.executable, "-m", "train.jobs.runner", str(tmp_path / "exit"), "19", sys.executable, "-c", told]
    ran = subprocess.run(command, cwd=ROOT, start_new_session=True, capture_output=True, text=True)
    assert (tmp_path / "exit").read_text() == "0"
    assert ran.stdout.split()[0] == ran.stdout.split()[-1] == "19", ran.stderr


def test_jobs_do_without_what_windows_lacks_and_wait_for_who_reads_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("killpg", "nice"):
        monkeypatch.delattr(os, name)
    priorities: list[int] = []
    windows = SimpleNamespace(IDLE_PRIORITY_CLASS=64, Process=lambda: SimpleNamespace(nice=priorities.append))
    monkeypatch.setattr(runner, "psutil", windows)
    monkeypatch.setattr(sys, "platform", "win32")
    runner.give_way(19)
    monkeypatch.setattr(sys, "platform", "linux")
    assert priorities == [64]

    replace, refused = os.replace, []

    def held(source: Path, target: Path) -> None:
        """As there where somebody has the target open just then: every second time."""
        refused.append(target)
        if len(refused) % 2:
            raise PermissionError(13, "Access is denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", held)
    job = ask(root, "held")
    until(root, lambda: job.step() > 2)
    handle = job.state["handle"]
    assert backends.Local().poll(job, handle) is None
    wish(job, "discard")
    refused.clear()
    supervisor.tend_all(root)
    assert job.path.exists() and (job.path / WISH).read_text() == "discard"  # its folder could not be moved
    until(root, lambda: not job.path.exists())
    assert not backends.is_alive(int(handle), str(job.path))
