"""A training on HF Jobs, against the Hub of this machine, which keeps jobs; the test runs their commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.errors import HubError
from train.jobs import hub as hub_jobs
from train.jobs.folder import JOB, JobFolder, write_json

from .server import READER, TOKEN, Hub

ARGUMENTS = [
    "--size", "32", "--depth", "4", "--base-width", "4", "--discriminator-width", "4", "--steps", "3",
    "--precision", "float32",
]  # fmt: skip


@pytest.fixture
def job(pairs: Path, tmp_path: Path) -> JobFolder:
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4))
    domains = {key: checkpoints.Domain(key) for key in "AB"}
    checkpoints.save(tmp_path / "begin", network, checkpoints.Info("begin", "Begin", "pix2pix", 32, domains))
    folder = tmp_path / "jobs" / "0123456789abcdef"
    folder.mkdir(parents=True)
    request = {
        "method": "pix2pix", "name": "away", "output": str(tmp_path / "away"), "data": str(pairs), "backend": "hub",
        "arguments": [*ARGUMENTS, "--start-from", str(tmp_path / "begin")],
        "evaluate": False, "settings": {"flavor": "t4-small", "minutes": 5},
    }  # fmt: skip
    write_json(folder / JOB, request)
    return JobFolder(folder)


def test_a_training_runs_in_the_account_and_comes_back(hub: Hub, job: JobFolder, tmp_path: Path) -> None:
    hub_jobs.drive(job, "start")
    (asked,) = (entry["asked"] for entry in hub.jobs.values())
    assert asked["flavor"] == "t4-small" and asked["secrets"]["HF_TOKEN"] == TOKEN
    assert TOKEN not in "".join(path.read_text(errors="replace") for path in job.path.rglob("*") if path.is_file())
    repo = hub.repo("owner/away-training-012345", "dataset")
    assert repo.private and {"train/__main__.py", "data/train/0.png", "training.json"} <= repo.main.files.keys()
    hub.jobs["job0"]["logs"] = ["Installed 90 packages", "20 steps"]
    hub_jobs.drive(job, "sync")
    assert job.state["state"] == "running" and job.log.read_text() == "Installed 90 packages\n20 steps"

    command = asked["command"]
    assert command[:2] == ["uv", "run"]
    (tmp_path / "there").mkdir()
    environment = {
        **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, *command[command.index("python") + 1 :]],
        cwd=tmp_path / "there", env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert str(ROOT) not in ran.stderr
    hub.jobs["job0"].update(stage="COMPLETED", logs=ran.stdout.splitlines())
    hub_jobs.drive(job, "sync")
    assert job.state["state"] == "done" and "/commit/" in job.log.read_text()
    assert i2i.load(tmp_path / "away").info.training["step"] == 3 and hub.repo("owner/away").private
    lines = (job.run / "progress.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["step"] == 3 and (job.run / "samples-0000001.png").is_file()


def test_it_is_cancelled_and_what_the_hub_refuses_is_a_sentence(
    hub: Hub, job: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_jobs.drive(job, "start")
    hub.jobs["job0"]["stage"] = "ERROR"
    hub_jobs.drive(job, "sync")
    assert job.state["why"] == {"key": "said", "said": "ERROR"}
    monkeypatch.setenv("HF_TOKEN", READER)
    hub.fail("POST /api/jobs/reader", times=1, status=403)
    with pytest.raises(HubError) as refused:
        hub_jobs.drive(job, "start")
    assert READER not in str(refused.value) and job.state["why"]["key"] == "not_started"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub_jobs.drive(job, "start")
    assert "why" not in job.state and job.state["handle"] == "job1"  # tried once more
    hub_jobs.drive(job, "cancel")
    assert hub.jobs["job1"]["stage"] == "CANCELED" and not job.path.exists()
