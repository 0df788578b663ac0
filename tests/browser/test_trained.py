"""The Train tab: from a folder to a job, what is asked of one that has ended, its model in the other tabs at once."""

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


def test_from_a_folder_of_pictures_to_a_job_with_options_of_the_drawer(
    folder: Path,
    pairs: Path,
    start_page: Callable[..., tuple[str, list[str]]],
    open_view: Callable[..., TranslationView],
) -> None:
    jobs = folder / "jobs"
    (jobs / ID / "job.json").unlink()
    address, _ = start_page(folder / "served", I2I_TRAIN="on", I2I_JOBS_DIR=str(jobs), I2I_ENGINE="torch")
    page = open_view(address, **PHONE).page
    page.locator("#tab-train-button").click()
    for pile in "ab":  # one below the other: no label lies over what is below it
        box = page.locator(f"#train-files-{pile}").bounding_box()
        assert box is not None and box["width"] > 300
    page.locator("#train-named").locator("input, textarea").fill(str(pairs))
    page.get_by_role("button", name="Look at them").click()
    expect(page.locator("#train-sheet figcaption")).to_contain_text("pairs side by side to learn from")
    page.get_by_role("button", name="Everything else").click()
    drawer = page.locator("#train-options")
    drawer.get_by_label("--lambda-l1").fill("much")
    drawer.get_by_label("--gan").select_option("least_squares")
    page.locator("#train-start").click()
    expect(page.locator("#train-said")).to_contain_text("--lambda-l1 cannot be much")
    drawer.get_by_label("--lambda-l1").fill("50")
    expect(drawer.get_by_label("--gan")).to_have_value("least_squares")
    page.locator("#train-start").click()
    run = page.locator("#train-runs article")
    expect(run).to_be_visible()
    (job,) = jobs.glob("*/job.json")
    arguments = json.loads(job.read_text())["arguments"]
    assert arguments[-4:] == ["--gan", "least_squares", "--lambda-l1", "50"]
    run.get_by_role("button", name="Throw away").click()
    run.get_by_role("button", name="Really throw it away?").click()
    expect(run).to_have_count(0)
    assert not job.exists()


def test_a_finished_training_is_asked_to_go_on_longer_says_why_it_cannot_and_leaves_the_list_alone(
    folder: Path,
    start_page: Callable[..., tuple[str, list[str]]],
    open_view: Callable[..., TranslationView],
) -> None:
    job, model = folder / "jobs" / ID, folder / "served" / "mine"
    save(model, "Lines to mine")
    request = json.loads((job / "job.json").read_text())
    (job / "job.json").write_text(json.dumps({**request, "backend": "local"}))
    (job / "state.json").write_text('{"state": "done"}')
    (job / "run" / "state.pt").touch()
    (job / "log.txt").write_text("10%|#\r20%|##\nWrote mine.\n")
    address, _ = start_page(folder / "served", I2I_TRAIN="on", I2I_JOBS_DIR=str(job.parent), I2I_ENGINE="torch")
    page = open_view(address, **PHONE).page
    page.locator("#tab-train-button").click()
    run = page.locator("#train-runs article")
    run.get_by_text("What it says").click()
    expect(run.locator(".log pre")).to_have_text("20%|##\nWrote mine.")
    run.get_by_role("button", name="Train longer").click()
    run.get_by_label("Minutes more").fill("0")
    run.get_by_role("button", name="Start").click()
    expect(page.locator("#train-runs .toast")).to_contain_text("--minutes cannot be 0: it takes 1 to 240.")
    run.get_by_label("Minutes more").fill("5")
    run.get_by_label("--learning-rate").fill("0.001")
    run.get_by_role("button", name="Start").click()
    expect(run.locator(".why")).to_contain_text("boxes does not exist", timeout=200_000)
    expect(run).to_have_attribute("data-state", "done")
    run.get_by_role("button", name="Take out of the list").click()
    expect(run).to_have_count(0)
    assert (model / "config.json").is_file() and not job.exists()
