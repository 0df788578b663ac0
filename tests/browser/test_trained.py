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
    expect(page.locator("#train-sheet figcaption")).to_contain_text("pairs side by side to learn from", timeout=200_000)
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


def test_of_two_finished_trainings_one_goes_on_longer_and_one_leaves_the_list_and_both_models_stay(
    folder: Path,
    start_page: Callable[..., tuple[str, list[str]]],
    open_view: Callable[..., TranslationView],
) -> None:
    jobs = folder / "jobs"
    request = json.loads((jobs / ID / "job.json").read_text())
    (jobs / ID / "job.json").unlink()
    for created, name in enumerate(("first", "second")):
        save(folder / "served" / name, "Lines to boxes")
        job = jobs / f"abc000000000010{created}"
        (job / "run").mkdir(parents=True)
        whole = {**request, "name": name, "output": str(folder / "served" / name), "backend": "local"}
        (job / "job.json").write_text(json.dumps({**whole, "created": created}))
        (job / "state.json").write_text('{"state": "done"}')
        (job / "run" / "state.pt").touch()
        (job / "log.txt").write_text("10%|#\r20%|##\nWrote it.\n")
    address, _ = start_page(folder / "served", I2I_TRAIN="on", I2I_JOBS_DIR=str(jobs), I2I_ENGINE="torch")
    page = open_view(address, **PHONE).page
    page.locator("#tab-train-button").click()
    runs = page.locator("#train-runs article")
    expect(runs.locator("h3")).to_have_text(["second", "first"])
    run = runs.last
    run.get_by_text("What it says").click()
    expect(run.locator(".log pre")).to_have_text("20%|##\nWrote it.")
    run.get_by_role("button", name="Train longer").click()
    run.get_by_label("Minutes more").fill("0")
    run.get_by_role("button", name="Start").click()
    expect(page.locator("#train-runs .toast")).to_contain_text("--minutes cannot be 0: it takes 1 to 240.")
    run.get_by_label("Minutes more").fill("5")
    run.get_by_label("--learning-rate").fill("0.001")
    run.get_by_role("button", name="Start").click()
    expect(run).to_have_attribute("data-state", "running")
    asked = json.loads((jobs / "abc0000000000100" / "state.json").read_text())["rounds"]
    assert asked == [["--minutes", "5.0", "--learning-rate", "0.001"]]
    run.get_by_role("button", name="Throw away").click()
    run.get_by_role("button", name="Really throw it away?").click()
    expect(runs).to_have_count(1)
    run.get_by_role("button", name="Take out of the list").click()
    expect(runs).to_have_count(0)
    assert {path.name for path in (folder / "served").iterdir()} >= {"first", "second"}
    assert not list(jobs.glob("*/job.json"))
