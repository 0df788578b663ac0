"""`python deploy/ray_serve.py` on a Ray cluster that runs already, each replica with half a graphics processor."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from tiny_checkpoints import PAIRED

import i2i_models as i2i

from .conftest import Started, drawing, pixels

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install -r deploy/requirements.txt")
pytest.importorskip("ray.serve", reason="Ray came without Serve: pip install -r deploy/requirements.txt")
psutil = pytest.importorskip("psutil")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STARTS = 400
"""Seconds for Ray, Serve and a replica to start, each a process or several, on a busy machine."""


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of one that takes the machine to have a graphics processor, which lends it without looking."""
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled", RAY_agent_register_timeout_ms="120000")
    ray.shutdown()
    context = ray.init(
        address="local", num_cpus=2, num_gpus=1, include_dashboard=False, object_store_memory=80_000_000,
        log_to_driver=False,
    )  # fmt: skip
    yield context.address_info["gcs_address"]
    ray.shutdown()


def test_the_command_joins_a_cluster_and_has_it_set_half_a_processor_aside(
    cluster: str, start: Callable[..., Started], folder: Path, tmp_path: Path
) -> None:
    options = ("--address", cluster, "--gpus", "0.5", "--cpus", "0.5", "--max-replicas", "1")
    page = start("deploy/ray_serve.py", *options, HOME=str(tmp_path)).answers(STARTS)
    drawing(1).save(tmp_path / "drawing.png")
    program = Client(page.url, verbose=False)
    made = program.predict(handle_file(str(tmp_path / "drawing.png")), PAIRED, api_name="/translate")
    assert abs(pixels(Path(made).read_bytes()) - pixels(i2i.load(folder / PAIRED).translate(drawing(1)))).max() <= 1
    assert free_processors(0.5)
    replicas = [p for p in psutil.Process().children(recursive=True) if "ServeReplica" in "".join(p.cmdline()[:1])]
    assert len(replicas) == 1, "it runs in the cluster, which the test started, and not below the page"

    page.process.send_signal(signal.SIGTERM)
    assert page.process.wait(60) == 0
    assert free_processors(1.0), "the cluster goes on without the page's replicas"


def free_processors(count: float) -> bool:
    """Whether the cluster has so many to lend, which it says a moment later."""
    until = time.monotonic() + 30
    while (same := ray.available_resources().get("GPU", 0) == count) is False and time.monotonic() < until:
        time.sleep(0.2)
    return same
