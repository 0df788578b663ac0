"""What goes wrong on the way to and from the Hub: a clear sentence, nothing half-written taken for whole, and the next
try succeeds."""

import errno
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

import i2i_models as i2i
from i2i_models.errors import HubError
from i2i_models.hub import push as pushing
from i2i_models.hub.push import push

from .conftest import make
from .server import PART, TOKEN, Hub

NAME = "owner/tiny"
ALWAYS = 10_000


@pytest.fixture(autouse=True)
def no_token_anywhere(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever happens, neither the token nor an upload's signature is printed or logged."""
    caplog.set_level(logging.INFO)
    yield
    said = "".join(capfd.readouterr()) + "".join(record.getMessage() for record in caplog.get_records("call"))
    assert TOKEN not in said and "s3cr3t" not in said


@pytest.fixture
def waited() -> list[float]:
    """The seconds that our own tries waited."""
    return []


@pytest.fixture
def attempt(hub: Hub, slept: list[float], waited: list[float]) -> Callable[..., str]:
    """Push without waiting."""
    return lambda folder, **options: push(folder, NAME, sleep=waited.append, **options)


def whole(hub: Hub, folder: Path) -> bool:
    """Whether the repo holds exactly the folder's weights and config."""
    files = hub.repo(NAME).main.files
    return all(files.get(name) == (folder / name).read_bytes() for name in ("config.json", "model.safetensors"))


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        ("POST /api/repos/create", {"status": 500}),
        ("POST .*/preupload/", {"status": 503, "times": 3}),
        ("POST .*/batch", {"status": 502, "times": 2}),
        ("PUT /store/", {"status": 500, "times": 2}),
        ("PUT /store/", {"cut_after": 20_000}),
        ("POST /verify/", {"status": 500}),
        ("POST .*/commit/", {"status": 500, "times": 3}),
        ("POST .*/commit/", {"status": 409}),
        ("POST .*/commit/", {"cut_after": 100}),
        ("GET .*/tree/", {"status": 504}),
    ],
)
def test_a_push_gets_over_passing_faults(
    hub: Hub, tiny: Path, attempt: Callable[..., str], request_: str, fault: dict[str, Any]
) -> None:
    made = hub.fail(request_, **fault)
    attempt(tiny)
    assert made.times == 0 and whole(hub, tiny)
    assert len(hub.repo(NAME).commits) == 2  # the empty one that a repo begins with, and ours


@pytest.mark.parametrize(
    ("request_", "fault", "says"),
    [
        ("POST .*/commit/", {"status": 503}, r"trouble of its own \(503\) with owner/tiny: try again later"),
        ("PUT /store/", {"status": 500}, r"trouble of its own \(500\)"),
        ("PUT /store/", {"cut_after": 20_000}, "could not be reached for owner/tiny: check the network"),
        ("POST .*/commit/", {"status": 401}, "private: check the name|does not accept the token"),
        ("POST .*/commit/", {"status": 403}, r"use a token with the right to write there \(as asked for\)"),
        ("POST .*/commit/", {"status": 404}, "is not on the Hub, or private"),
        ("POST .*/commit/", {"status": 409}, "was changed by somebody else at the same time: try again"),
        ("POST .*/commit/", {"status": 429}, "asks to wait before owner/tiny is tried again"),
        ("POST .*/commit/", {"status": 418}, r"refuses owner/tiny \(418\)"),
        ("POST /api/validate-yaml", {"status": 400}, "refuses the front matter of owner/tiny's README.md"),
    ],
)
def test_a_push_that_fails_leaves_the_repo_as_it_was_and_the_next_succeeds(
    hub: Hub, tiny: Path, attempt: Callable[..., str], request_: str, fault: dict[str, Any], says: str
) -> None:
    attempt(tiny)
    before = hub.repo(NAME).main
    changed = make(tiny, seed=1)
    lasting = hub.fail(request_, times=ALWAYS, **fault)
    with pytest.raises(HubError, match=says) as caught:
        attempt(changed)
    assert TOKEN not in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.__cause__ is None and hub.repo(NAME).main is before
    lasting.times = 0
    attempt(changed)
    assert whole(hub, changed)


def test_refusals_are_not_tried_again(hub: Hub, tiny: Path, attempt: Callable[..., str], waited: list[float]) -> None:
    attempt(tiny)
    hub.fail("POST .*/commit/", times=ALWAYS, status=403)
    with pytest.raises(HubError):
        attempt(make(tiny, seed=1))
    assert waited == [] and hub.asked("POST .*/commit/") == 2


def test_waits_as_long_as_the_hub_asks_but_not_for_an_hour(
    hub: Hub, tiny: Path, attempt: Callable[..., str], waited: list[float]
) -> None:
    hub.fail("POST /api/repos/create", status=429, headers={"Retry-After": "17"})
    hub.fail("POST .*/commit/", status=429, headers={"RateLimit": '"api";r=0;t=55'})
    attempt(tiny)
    assert waited == [17, 55]
    hub.fail("POST .*/commit/", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(HubError, match="asks to wait 3600 s before owner/tiny is tried again"):
        attempt(make(tiny, seed=1))
    assert waited == [17, 55]


def test_backs_off_between_tries(hub: Hub, tiny: Path, attempt: Callable[..., str], waited: list[float]) -> None:
    hub.fail("POST /api/repos/create", times=ALWAYS, status=503)
    with pytest.raises(HubError):
        attempt(tiny)
    assert waited == list(pushing.WAITS)


def test_a_commit_whose_answer_was_lost_is_not_made_twice(hub: Hub, tiny: Path, attempt: Callable[..., str]) -> None:
    hub.fail("POST .*/commit/", lose_answer=True)
    attempt(tiny)
    assert len(hub.repo(NAME).commits) == 2 and whole(hub, tiny)


def test_a_push_that_raced_with_another_ends_whole_on_top_of_it(
    hub: Hub, tiny: Path, tmp_path: Path, attempt: Callable[..., str]
) -> None:
    attempt(tiny)
    other = make(tmp_path / "other", seed=2)
    ours = make(tiny, seed=1)
    theirs = {"config.json": (other / "config.json").read_bytes() + b" ", "notes.txt": b"theirs"}
    hub.fail("POST .*/commit/", before=lambda: hub.put(NAME, theirs) and None)
    attempt(ours)
    # Our config had not changed since our last push: without a look at theirs it would have been left out.
    assert whole(hub, ours) and hub.repo(NAME).main.files["notes.txt"] == b"theirs"
    assert hub.asked("POST .*/commit/") == 3


def test_large_files_go_up_in_parts_and_what_is_there_stays_there(
    hub: Hub, tmp_path: Path, attempt: Callable[..., str]
) -> None:
    large = make(tmp_path / "large", width=32)
    size = (large / "model.safetensors").stat().st_size
    assert size > 2 * PART
    cut = hub.fail(r"PUT /store/\w+/2", times=ALWAYS, cut_after=500_000)
    with pytest.raises(HubError, match="could not be reached"):
        attempt(large)
    assert not hub.repo(NAME).main.files and not hub.objects
    cut.times = 0
    lost = hub.fail("POST .*/commit/", times=ALWAYS, status=503)
    with pytest.raises(HubError, match="trouble"):
        attempt(large)
    lost.times, before = 0, hub.asked("PUT")
    attempt(large)
    assert whole(hub, large) and hub.asked("PUT") == before  # the weights were up already


def test_a_download_that_is_cut_goes_on_where_it_was(
    hub: Hub, tiny: Path, drawing: Image.Image, attempt: Callable[..., str]
) -> None:
    attempt(tiny)
    hub.fail("GET /cdn/", cut_after=50_000)
    loaded = i2i.load(NAME)
    assert hub.asked("GET /cdn/") == 2
    assert ImageChops.difference(loaded.translate(drawing), i2i.load(tiny).translate(drawing)).getbbox() is None


@pytest.mark.parametrize(
    ("request_", "fault", "says"),
    [
        ("GET /cdn/", {"cut_after": 0}, "could not be reached for owner/tiny: check the network"),
        ("GET /cdn/", {"status": 500}, r"trouble of its own \(500\) with owner/tiny"),
        ("GET /cdn/", {"status": 429, "headers": {"Retry-After": "9"}}, "asks to wait 9 s"),
        ("GET /api/models/", {"status": 401}, "does not accept the token: log in again"),
        (
            "GET /api/models/",
            {"status": 401, "headers": {"X-Error-Code": "RepoNotFound"}},
            "is not on the Hub, or private",
        ),
        ("GET /api/models/", {"status": 403}, "may not do that with owner/tiny"),
        ("GET /api/models/", {"status": 404}, "is not on the Hub, or private"),
        ("GET /api/models/", {"status": 429}, "asks to wait before owner/tiny is tried again"),
        ("GET /api/models/", {"status": 500}, r"trouble of its own \(500\)"),
        ("GET .*/tree/", {"cut_after": 10}, "reached"),
    ],
)
def test_a_pull_that_fails_leaves_nothing_half_and_the_next_succeeds(
    hub: Hub, tiny: Path, attempt: Callable[..., str], request_: str, fault: dict[str, Any], says: str
) -> None:
    attempt(tiny)
    hub.fail(request_, times=ALWAYS, **fault)
    with pytest.raises(HubError, match=says) as caught:
        i2i.load(NAME)
    assert TOKEN not in str(caught.value)
    hub.faults.clear()
    assert i2i.load(NAME).info.title == "Tiny"


def test_a_full_disk_is_named_and_leaves_nothing_half(
    hub: Hub, tiny: Path, attempt: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    attempt(tiny)

    def fill(url: str, file: Any, **_: Any) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("huggingface_hub.file_download.http_get", fill)
        with pytest.raises(HubError, match=r"The disk is full: make room in .*cache, then try owner/tiny again"):
            i2i.load(NAME)
    assert not list((tmp_path / "cache").rglob("*.incomplete")) and not list((tmp_path / "cache").rglob("blobs/*"))
    assert i2i.load(NAME).info.title == "Tiny"
