"""The page follows its folder of checkpoints: what comes, changes and goes is in the tabs of whoever opens it next."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from PIL import Image
from test_train_tab import DOMAINS, made

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.inference.remote import NetworkServer
from train.jobs import supervisor
from ui import page, service, text
from ui.payload import to_data_url
from ui.service import Service

DRAWING = to_data_url(Image.linear_gradient("L").convert("RGB").resize((32, 32)), "PNG")


def save(folder: Path, seed: int = 0, title: str = "Boxes") -> None:
    """A tiny untrained pix2pix."""
    torch.manual_seed(seed)
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4))
    checkpoints.save(folder, network, checkpoints.Info(folder.name, title, "pix2pix", 32, DOMAINS))


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The page over a folder with one checkpoint, `one`; it looks for others all the time."""
    monkeypatch.setenv("I2I_OPENING", "off")
    monkeypatch.setenv("I2I_TRAIN", "on")
    monkeypatch.setenv("I2I_JOBS_DIR", str(tmp_path / "jobs"))
    monkeypatch.setattr(service, "FOLLOW_SECONDS", 0.05)
    save(tmp_path / "served" / "one")
    built, catalog = page.build(tmp_path / "served")
    _, url, _ = built.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **Service(built, catalog).launch_options
    )
    yield url.rstrip("/")
    built.close()


class Visit:
    """A page that somebody has opened, and not again since."""

    def __init__(self, address: str, session: str) -> None:
        self.address, self.session = address, session
        self.config = httpx.get(f"{address}/config", headers={"Accept-Language": "zh"}).json()

    def part(self, name: str) -> dict[str, Any]:
        """The component of an elem_id."""
        return next(c for c in self.config["components"] if c["props"].get("elem_id") == name)

    @property
    def listed(self) -> list[str]:
        """Names of the models that the tab Paired has, of all its tasks."""
        return sorted({key.split()[0] for key in self.part("paired-view")["props"]["props"]["input_specs"]})

    @property
    def models(self) -> list[list[str]]:
        """The choices of the tab Paired, label and name each."""
        return self.part("paired-model")["props"]["choices"]

    def ask(self, checkpoint: str) -> dict[str, Any]:
        """Translate the drawing."""
        payload = {"checkpoint": checkpoint, "direction": "A2B", "image": DRAWING}
        asked = {"component_id": self.part("paired-view")["id"], "fn_name": "translate", "data": payload}
        return httpx.post(
            f"{self.address}/gradio_api/component_server", json={**asked, "session_hash": self.session}, timeout=30
        ).json()

    def offer(self, checkpoint: str) -> Any:
        """Choose a model, as the page does: the event that then asks for its directions."""
        choice = self.part("paired-model")["id"]
        event = next(d for d in self.config["dependencies"] if [choice, "change"] in d["targets"] and d["backend_fn"])
        asked = {"data": [checkpoint, "A2B"], "fn_index": event["id"], "session_hash": self.session}
        return httpx.post(f"{self.address}/gradio_api/run/predict", json=asked, timeout=30)


def until(found: Callable[[], bool]) -> None:
    """Wait for something, as long as a busy machine may take."""
    end = time.monotonic() + 60
    while not found():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_models_come_change_and_go_while_pages_are_open(address: str, tmp_path: Path) -> None:
    served, early = tmp_path / "served", Visit(address, "early")
    assert early.models == [["Boxes", "one"]]
    before = early.ask("one")["image"]
    save(served / "two", seed=1)
    until(lambda: len(Visit(address, "looks").models) == 2)
    later = Visit(address, "later")
    # of one task and one method, only their names tell them apart
    assert later.models == [["pix2pix · one", "one"], ["pix2pix · two", "two"]]
    assert "image" in later.ask("two") and later.offer("two").status_code == 200
    assert early.ask("one")["image"] == before and early.offer("one").status_code == 200
    assert not {c["id"] for c in early.config["components"]} & {c["id"] for c in later.config["components"]}

    save(served / "one", seed=2)  # trained on
    until(lambda: early.ask("one").get("image") != before)
    shutil.rmtree(served / "two")
    until(lambda: len(Visit(address, "looks").models) == 1)
    assert later.ask("two")["error"] == text.SERVER["unknown_checkpoint"].format(name="two")
    assert "image" in later.ask("one")
    (served / "torn").mkdir()
    (served / "torn" / "config.json").write_text("{")
    time.sleep(1)
    assert Visit(address, "looks").models == [["Boxes", "one"]] and "image" in early.ask("one")


def test_a_training_is_listed_once_it_is_tried_and_goes_when_it_is_thrown_away(address: str, tmp_path: Path) -> None:
    job = made(tmp_path / "jobs", "abc0000000000001", {"state": "running"}, output=str(tmp_path / "served" / "abc"))
    save(job / "run" / "snapshots" / "step-0000010", seed=3, title="Mine")
    until(lambda: len(Visit(address, "looks").listed) == 2)
    assert Visit(address, "looks").models == [["Boxes", "one"], ["Mine", "abc"]]
    tried = Visit(address, "tries").ask("abc")["image"]
    save(tmp_path / "served" / "abc", seed=4, title="Mine")
    (job / "state.json").write_text('{"state": "done"}')
    until(lambda: Visit(address, "looks").ask("abc").get("image") not in (tried, None))
    (job / "wish").write_text("discard")
    supervisor.tend_all(job.parent)
    assert not job.exists() and not (tmp_path / "served" / "abc").exists()
    until(lambda: Visit(address, "looks").listed == ["one"])
    assert "error" in Visit(address, "looks").ask("abc")


def test_networks_elsewhere_are_loaded_again_when_their_files_have_changed(tmp_path: Path) -> None:
    save(tmp_path / "one")
    far, source = NetworkServer(), str(tmp_path / "one")
    first = far.translator(source)
    assert far.translator(source) is first
    save(tmp_path / "one", seed=1)
    again = far.translator(source)
    assert again is not first and again is far.translator(source)
