"""A training as a job of a local Ray cluster."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import i2i_models as i2i
from train.jobs import backends, supervisor
from train.jobs.folder import JOB, WISH, JobFolder, write_json

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install -r deploy/requirements.txt")
pytest.importorskip("ray.dashboard.modules.job.sdk", reason="Ray came without jobs: pip install 'ray[default]'")


@pytest.fixture
def address() -> Iterator[str]:
    """Of a cluster's dashboard, which takes jobs."""
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled", RAY_agent_register_timeout_ms="120000")
    ray.shutdown()
    context = ray.init(
        address="local", num_cpus=2, include_dashboard=True, dashboard_port=0, object_store_memory=80_000_000,
        log_to_driver=False,
    )  # fmt: skip
    yield f"http://{context.dashboard_url}"
    ray.shutdown()


def until(job: JobFolder, *states: str) -> None:
    """Tend the job until it is in one of these states."""
    end = time.monotonic() + 240
    while job.state["state"] not in states:
        assert time.monotonic() < end, (job.state, job.log.read_text() if job.log.exists() else "")
        supervisor.tend_all(job.path.parent)
        time.sleep(0.3)


def test_a_job_of_the_cluster_is_paused_goes_on_and_is_kept(address: str, pairs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "jobs" / "0123456789abcdef"
    folder.mkdir(parents=True)
    request = {
        "method": "pix2pix", "name": "far", "output": str(tmp_path / "far"), "data": str(pairs), "backend": "ray",
        "evaluate": False, "settings": {"address": address}, "created": 1.0,
        "arguments": [
            "--size", "32", "--depth", "4", "--base-width", "4", "--discriminator-width", "4", "--steps", "20000",
            "--save-every", "5", "--precision", "float32",
        ],
    }  # fmt: skip
    write_json(folder / JOB, request)
    job = JobFolder(folder)
    until(job, "running")
    end = time.monotonic() + 200
    while job.step() < 5:
        supervisor.tend_all(folder.parent)
        assert time.monotonic() < end and job.state["state"] == "running", (job.state, job.log.read_text())
        time.sleep(0.3)
    (folder / WISH).write_text("pause")
    until(job, "paused")
    step = job.step()
    (folder / WISH).write_text("finish")
    until(job, "done", "failed")
    assert job.state["state"] == "done", job.log.read_text()
    assert i2i.load(tmp_path / "far").info.training["step"] >= step > 0
    log = job.log.read_text()
    assert "--resume goes on" in log and "Wrote" in log  # both starts of it, on whichever machine

    cancelled = JobFolder(tmp_path / "jobs" / "00000000cancelled")
    cancelled.path.mkdir()
    write_json(cancelled.path / JOB, {**request, "name": "cancelled", "output": str(tmp_path / "cancelled")})
    until(cancelled, "running")
    handle, backend = cancelled.state["handle"], backends.of(cancelled)
    assert backend is not None and backend.poll(cancelled, handle) is None
    (cancelled.path / WISH).write_text("discard")
    supervisor.tend_all(folder.parent)
    end = time.monotonic() + 60
    while backend.poll(cancelled, handle) is None:
        assert time.monotonic() < end
        time.sleep(0.3)
    assert not cancelled.path.exists() and not (tmp_path / "cancelled").exists()
    assert not backends.processes_of(cancelled)

    nowhere = JobFolder(tmp_path / "jobs" / "fedcba9876543210")
    nowhere.path.mkdir()
    write_json(nowhere.path / JOB, {**request, "settings": {"address": "http://127.0.0.1:9"}})
    supervisor.tend_all(folder.parent)
    assert nowhere.state["why"]["key"] == "not_started"
