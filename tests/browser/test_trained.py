"""A training's model in the other tabs, without a restart of the page: opened by a click, gone once thrown away."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

import i2i_models as i2i
from i2i_models import checkpoints

from .translation_view import PHONE, TranslationView

ID = "abc0000000000001"
DOMAINS = {"A": checkpoints.Domain("outlines", "outline"), "B": checkpoints.Domain("pictures")}


def save(folder: Path, title: str) -> None:
    """A tiny untrained pix2pix."""
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4))
    checkpoints.save(folder, network, checkpoints.Info(folder.name, title, "pix2pix", 32, DOMAINS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of checkpoints with one in it, and beside it one of jobs with a training that runs elsewhere."""
    save(tmp_path / "served" / "one", "Lines to boxes")
    job = tmp_path / "jobs" / ID
    (job / "run").mkdir(parents=True)
    output = str(tmp_path / "served" / "mine")
    request = {"method": "pix2pix", "name": "mine", "output": output, "data": "boxes", "arguments": [], "created": 1}
    (job / "job.json").write_text(json.dumps({**request, "backend": "hub"}))
    (job / "state.json").write_text('{"state": "running"}')
    return tmp_path


def test_a_trained_model_is_opened_in_its_tab_and_thrown_away(
    folder: Path,
    start_page: Callable[..., tuple[str, list[str]]],
    open_view: Callable[..., TranslationView],
) -> None:
    jobs = folder / "jobs"
    address, _ = start_page(folder / "served", I2I_TRAIN="on", I2I_JOBS_DIR=str(jobs), I2I_ENGINE="torch")
    early, view = open_view(address), open_view(address, **PHONE)
    page = view.page
    page.locator("#tab-train-button").click()
    run = page.locator("#train-runs article")
    expect(run).to_be_visible()
    expect(run.get_by_role("button", name="Open in its tab")).to_have_count(0)

    save(folder / "served" / "mine", "Lines to mine")
    request = json.loads((jobs / ID / "job.json").read_text())
    (jobs / ID / "job.json").write_text(json.dumps({**request, "backend": "local"}))
    (jobs / ID / "state.json").write_text('{"state": "done"}')
    run.get_by_role("button", name="Open in its tab").click()
    expect(page.locator("#paired-model input[value=mine]")).to_be_checked()
    view.ready()
    view.draw([[(0.2, 0.2), (0.8, 0.2), (0.8, 0.8)]])
    expect(view.result).to_have_attribute("data-state", "done")
    assert early.page.locator("#paired-model input").count() == 1
    early.draw([[(0.2, 0.2), (0.8, 0.2), (0.8, 0.8)]])  # opened before, it goes on
    expect(early.result).to_have_attribute("data-state", "done")

    page.locator("#tab-train-button").click()
    for words in ("Throw away", "Really throw the model away, too?"):
        run.get_by_role("button", name=words).click()
    expect(run).to_have_count(0)
    assert not (folder / "served" / "mine").exists()
    end = time.monotonic() + 60
    while '"mine"' in httpx.get(f"{address}/config").text:
        assert time.monotonic() < end
        time.sleep(0.2)
    page.goto(address)  # without the link to what is gone
    expect(page.locator("#paired-model input")).to_have_count(1)
    expect(page.locator("#paired-model input")).to_have_attribute("value", "one")
