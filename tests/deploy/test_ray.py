"""Translators on a local Ray with two replicas: the same answers, and none missing when a replica is killed."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT
from gradio_client import Client, handle_file
from tiny_checkpoints import PAIRED, STYLED

import i2i_models as i2i
from i2i_models.errors import CheckpointError, ShapeError
from i2i_models.inference.remote import RemoteNetworks
from ui.answers import Answers
from ui.catalog import Catalog
from ui.payload import to_data_url

from .conftest import Started, drawing, pixels

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install -r deploy/requirements.txt")
serve = pytest.importorskip("ray.serve", reason="Ray came without Serve: pip install -r deploy/requirements.txt")
psutil = pytest.importorskip("psutil")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SECONDS = 8.0
"""Of load, a replica killed in their middle."""


@pytest.fixture(scope="module")
def elsewhere(folder: Path) -> Iterator[RemoteNetworks]:
    # No reports to Ray's makers, no token left in the home folder, and patience where the machine is busy.
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled", RAY_agent_register_timeout_ms="120000")
    sys.path.insert(0, str(ROOT / "deploy"))
    import ray_serve

    ray.shutdown()  # of this module's tests before, if others came between
    ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=80_000_000, log_to_driver=False)
    try:
        sources = [str(folder / name) for name in (PAIRED, STYLED)]
        started = ray_serve.start(sources, min_replicas=2, max_replicas=2, cpus=0.5)
        # As the page, not from the main thread: there the browser tests may run a loop, in which Ray does not wait.
        with ThreadPoolExecutor(8) as pool:
            yield started._replace(call=lambda *asked: pool.submit(started.call, *asked).result())
    finally:
        serve.shutdown()
        ray.shutdown()
        sys.path.remove(str(ROOT / "deploy"))


@pytest.fixture
def catalog(folder: Path, elsewhere: RemoteNetworks) -> Catalog:
    return Catalog(folder, elsewhere=elsewhere)


def replicas() -> list[Any]:
    """The processes of this test's replicas, by the titles that Ray gives them."""
    return [p for p in psutil.Process().children(recursive=True) if "ServeReplica" in "".join(p.cmdline()[:1])]


def test_a_remote_translator_answers_as_one_here(catalog: Catalog, folder: Path) -> None:
    for name in (PAIRED, STYLED):
        here, there = i2i.load(folder / name), catalog.named(name)
        for seed in (None, 3):
            expected = pixels(here.translate(drawing(), seed=seed))
            assert abs(pixels(there.translate(drawing(), seed=seed)) - expected).max() <= 1
        codes = here.encode(drawing())
        assert torch.allclose(there.encode(drawing()).tensor, codes.tensor, atol=1e-5)
    styles = torch.randn(5, 8)
    pairs = zip(there.decode_each(codes, styles), here.decode_each(codes, styles), strict=True)
    assert max(abs(pixels(a) - pixels(b)).max() for a, b in pairs) <= 1
    assert torch.allclose(there.encode_style(drawing(), "B"), here.encode_style(drawing(), "B"), atol=1e-4)
    assert "network" not in vars(there.engine)  # nothing of this needed it here


def test_an_error_is_the_one_that_it_is_here(catalog: Catalog, folder: Path, elsewhere: RemoteNetworks) -> None:
    codes = catalog.named(STYLED).encode(drawing())
    with pytest.raises(ShapeError) as caught:
        catalog.named(STYLED).decode(codes, torch.zeros(3))
    assert "Traceback" not in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(CheckpointError, match="nothing-here"):
        elsewhere.call("encode", str(folder / "nothing-here"), np.zeros((1, 3, 32, 32), np.float32), "A2B")


def test_codes_are_kept_by_the_page(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    engine = catalog.named(STYLED).engine
    call = engine._call
    monkeypatch.setattr(engine, "_call", lambda method, *rest: asked.append(method) or call(method, *rest))
    payload = {"checkpoint": STYLED, "direction": "A2B"}
    answers = Answers(catalog)
    key = answers.translate({**payload, "image": to_data_url(drawing())})["key"]
    for number in range(3):
        answers.translate({**payload, "key": key, "style": [float(number)] * 8})
    assert asked == ["encode", "decode", "decode", "decode", "decode"]


def test_a_replica_killed_under_load_loses_no_request(
    catalog: Catalog, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = {p.pid for p in replicas()}
    assert len(before) == 2
    expected = {seed: pixels(i2i.load(folder / PAIRED).translate(drawing(seed))) for seed in range(4)}
    killed = threading.Event()
    end = time.monotonic() + SECONDS

    def visit(visitor: int) -> tuple[int, int]:
        """Translations before and after the kill; each must be right."""
        counts = [0, 0]
        while time.monotonic() < end:
            after = killed.is_set()
            seed = sum(counts) % 4
            made = catalog.named(PAIRED).translate(drawing(seed))
            assert abs(pixels(made) - expected[seed]).max() <= 1, visitor
            counts[after] += 1
        return counts[0], counts[1]

    with ThreadPoolExecutor(6) as pool:
        visits = [pool.submit(visit, visitor) for visitor in range(6)]
        time.sleep(SECONDS / 2)
        os.kill(min(before), signal.SIGKILL)
        killed.set()
        counts = [visit.result(60) for visit in visits]
    print(f"translations before and after: {np.sum(counts, axis=0).tolist()}")
    assert all(min(both) > 0 for both in counts)
    assert "another is asked" in caplog.text  # some were being answered when it died

    deadline = time.monotonic() + 60
    while len({p.pid for p in replicas()} - {min(before)}) < 2:
        assert time.monotonic() < deadline, "no replica took the dead one's place"
        time.sleep(0.5)


def test_the_command_serves_and_nobody_but_this_machine_reaches_its_ray(
    start: Callable[..., Started], folder: Path, tmp_path: Path
) -> None:
    """`python deploy/ray_serve.py` as the README has it: it asks for a token, and listens on loopback alone."""
    options = ("--max-replicas", "1", "--cpus", "0.5")
    page = start("deploy/ray_serve.py", *options, HOME=str(tmp_path), RAY_AUTH_MODE="").answers(400)
    program = Client(page.url, verbose=False)
    drawing(1).save(tmp_path / "drawing.png")
    made = program.predict(handle_file(str(tmp_path / "drawing.png")), PAIRED, api_name="/translate")
    assert abs(pixels(Path(made).read_bytes()) - pixels(i2i.load(folder / PAIRED).translate(drawing(1)))).max() <= 1
    assert (tmp_path / ".ray" / "auth_token").stat().st_mode & 0o077 == 0
    processes = [psutil.Process(page.process.pid), *psutil.Process(page.process.pid).children(recursive=True)]
    heard = {c.laddr.ip for p in processes for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    assert heard and all(ip_address(ip).is_loopback for ip in heard)
