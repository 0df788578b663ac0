"""The Train tab as the server sees it: who may, what the form makes of pictures, and the list of trainings."""

import contextvars
import inspect
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gradio as gr
import pytest
import torch
from authlib.integrations.starlette_client import StarletteOAuth2App
from gradio import oauth
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import Route
from starlette.testclient import TestClient
from test_look import pictures

import i2i_models as i2i
from i2i_models import checkpoints
from ui import text
from ui.catalog import Catalog
from ui.i18n import speaking
from ui.page import build
from ui.training import jobs, options, rights, runs, scope, shown, trial
from ui.training.form import Form

HERE = SimpleNamespace(client=SimpleNamespace(host="127.0.0.1"), headers={})
ELSEWHERE = SimpleNamespace(client=SimpleNamespace(host="203.0.113.5"), headers={})
PROXIED = SimpleNamespace(client=HERE.client, headers={"x-forwarded-for": "203.0.113.5"})
DOMAINS = {"A": checkpoints.Domain("outlines", "outline"), "B": checkpoints.Domain("pictures")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of jobs, and nobody who tends it."""
    monkeypatch.setenv("I2I_JOBS_DIR", str(tmp_path / "jobs"))
    monkeypatch.delenv("I2I_TRAIN")
    monkeypatch.setattr(jobs, "see_to_it", lambda: None)
    yield tmp_path / "jobs"


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4))
    checkpoints.save(
        tmp_path / "checkpoints" / "tiny", network, checkpoints.Info("tiny", "Tiny", "pix2pix", 32, DOMAINS)
    )
    return Catalog(tmp_path / "checkpoints")


def profile(name: str) -> Any:
    return SimpleNamespace(username=name)


def may(request: Any, who: Any = None) -> bool:
    try:
        rights.check(request, who)
    except rights.NotAllowed:
        return False
    return True


def test_the_owner_of_the_machine_decides(monkeypatch: pytest.MonkeyPatch, catalog: Catalog) -> None:
    assert not may(HERE)  # the tests turn it off
    monkeypatch.setenv("I2I_TRAIN", "on")
    assert may(ELSEWHERE) and rights.is_offered()
    monkeypatch.delenv("I2I_TRAIN")
    assert [may(request) for request in (HERE, ELSEWHERE, PROXIED)] == [True, False, False]
    ids = {getattr(block, "elem_id", None) for block in build(catalog.folder)[0].blocks.values()}
    assert {"tab-train", "train-runs"} <= ids
    monkeypatch.setattr(rights, "on_space", lambda: True)
    assert not rights.is_offered()
    monkeypatch.setattr(rights, "has_login", lambda: True)
    monkeypatch.setenv("SPACE_AUTHOR_NAME", "owner")
    assert rights.is_offered() and may(ELSEWHERE, profile("owner"))
    assert not may(HERE, profile("visitor")) and not may(HERE)
    with speaking("zh"), pytest.raises(rights.NotAllowed, match="Space 的所有者"):
        rights.check(HERE, None)


def run(function: Any, *arguments: Any) -> Any:
    """What the last of a function's updates has, by the names of the form's attributes."""
    found = function(*arguments)
    if inspect.isgenerator(found):
        steps = found
        # Each step in a context of its own, as Gradio takes them.
        while (step := contextvars.copy_context().run(next, steps, None)) is not None:
            found = step
    owner = function.__self__
    names = {id(component): name for name, component in vars(owner).items()}
    return {names[id(component)]: update for component, update in found.items()}


def test_from_dropped_pictures_to_a_job(folder: Path, catalog: Catalog, tmp_path: Path) -> None:
    with gr.Blocks() as blocks:
        form = Form("train", catalog, list(catalog.translators.values()))
    for event in blocks.fns.values():  # what Gradio adds stands after what the components give
        own = [p for p in inspect.signature(event.fn).parameters.values() if "gradio" not in str(p.annotation)]
        assert len(event.inputs) == len(own), event.name
    few = [path for path, _ in pictures(tmp_path / "few", 3, (80, 40))]
    refused = run(form._look, few, None, "", HERE, None)
    assert refused["said"].startswith("3 are too few") and not refused["seen"]["visible"]
    assert run(form._look, few, None, "", ELSEWHERE, None)["said"] == text.TRAINING["not_allowed"]

    dropped = [path for path, _ in pictures(tmp_path / "wide", 20, (80, 40))]
    seen = run(form._look, dropped, None, "", HERE, None)
    assert "18 pairs side by side" in seen["sheet"]["rows"] and seen["sheet"]["sheet"].startswith("data:image/")
    assert seen["method"]["choices"] == [("pix2pix", "pix2pix")] and seen["start_from"]["choices"][1][1] == "tiny"
    narrow = {**seen["found"], "free": seen["found"]["memory"]["pix2pix"]["256"] * 1.01}
    offered = run(form._offer, "pix2pix", narrow)["size"]  # before it starts
    assert [size for _, size in offered["choices"]] == [64, 128, 256] and "at most 256 pixels" in offered["info"]
    draft, found, table = seen["draft"], seen["found"], seen["options"]
    changed = {"--lambda-l1": "50", "--mirror": "False", "--range": "0 4095"}
    table = [[option, changed.get(option, value), *more] for option, value, *more in table]

    def start(name: str = "mine", rows: Any = table, begin: str = "random", who: Any = HERE, gpus: int = 1) -> Any:
        return run(
            form._start, draft, found, "pix2pix", name, " outline ", "", 128, 5, begin, "outline", "picture",
            "local", gpus, "auto", "t4-small", rows, 0, who, None, None,
        )  # fmt: skip

    for says, changes in {
        "bad_name": {"name": "../mine"},
        "name_taken": {"name": "tiny"},
        "bad_option": {"rows": [["--lambda-l1", "much"]]},
        "need_palette": {"rows": [["--palette", "train/palettes/facades.json"]]},
        "not_allowed": {"who": PROXIED},
        "few_gpus": {"gpus": 99},
    }.items():
        count = torch.cuda.device_count()
        said = text.TRAINING[says].format(
            count=count, name="tiny", option="--lambda-l1", value="much", allowed="a number"
        )
        assert start(**changes)["said"] == said
    assert start()["started"] == 1
    assert start("again")["said"] == text.TRAINING["no_draft"]  # a second tab that had the same pictures
    (job,) = jobs.all_jobs()
    assert Path(job.request["data"]).is_dir() and job.request["output"] == str(catalog.folder / "mine")
    arguments = " ".join(job.request["arguments"])
    assert arguments == (
        "--size 128 --minutes 5 --name-a outline --name-b B --kind-a outline --kind-b picture "
        "--batch-size 4 --range 0 4095 --lambda-l1 50 --no-mirror"
    )  # fmt: skip
    assert "--lambda-l1 50" in job.command and job.command.startswith("python -m train pix2pix --data ")
    began = options.of_checkpoint(catalog.translators["tiny"], ["--base-width", "9", "--mirror"], 32)
    assert began == ["--mirror", "--base-width", "4", "--depth", "4", "--discriminator-width", "4"]
    with pytest.raises(jobs.JobError, match="sizes that 16 divides"):
        options.of_checkpoint(catalog.translators["tiny"], [], 40)


def made(folder: Path, id: str, state: dict[str, Any], **request: Any) -> Path:
    path = folder / id
    (path / "run" / "snapshots").mkdir(parents=True)
    whole = {"method": "pix2pix", "name": id[:3], "output": str(folder.parent / id[:3]), "data": "d", "arguments": []}
    (path / "job.json").write_text(json.dumps({**whole, "created": int(id, 16), **request}))
    (path / "state.json").write_text(json.dumps(state))
    return path


def ask(function: str, payload: Any, request: Any = HERE, serving: Any = None) -> dict[str, Any]:
    answer = next(f for f in runs.run_functions(serving or SimpleNamespace(listed={})) if f.__name__ == function)
    return answer(payload, request, None, None)


def test_the_list_tells_how_trainings_go_and_carries_wishes(folder: Path, catalog: Catalog) -> None:
    assert ask("jobs", {}, serving=catalog)["jobs"] == []
    one, two, three = ("aaa0000000000001", "bbb0000000000002", "ccc0000000000003")
    running = made(folder, one, {"state": "running", "crashes": 1})
    made(folder, two, {"state": "waiting"})
    made(folder, three, {"state": "failed", "why": {"key": "said", "said": "<b>no</b>"}})
    line = {"step": 50, "steps": 200, "seconds": 60, "images": 10.0, "losses": {"l1": 3.0}}
    lines = [json.dumps({**line, "step": step}) for step in range(1, 1001)]
    (running / "run" / "progress.jsonl").write_text("\n".join([*lines, json.dumps(line), '{"half']))
    told = {job["name"]: job for job in ask("jobs", {})["jobs"]}
    assert list(told) == ["ccc", "bbb", "aaa"]
    assert told["aaa"]["figures"] == [["Steps", "50 / 200"], ["Images a second", "10.0"], ["Left", "3 min"]]
    assert told["aaa"]["words"].endswith(text.TRAINING["went_on"]) and told["aaa"]["share"] == 0.25
    assert len(told["aaa"]["curves"][0]["points"]) <= shown.POINTS
    assert told["bbb"]["words"] == "Number 1 in the queue" and told["ccc"]["why"] == "It says: <b>no</b>"
    assert ask("jobs", {}, ELSEWHERE) == {"error": text.TRAINING["not_allowed"]}
    with speaking("zh"):
        assert ask("jobs", {})["jobs"][1]["words"] == "排队第 1 位"

    assert ask("act", {"id": one, "wish": "pause"}) == {}
    assert (running / "wish").read_text() == "pause"
    assert ask("act", {"id": one, "wish": "export"}) == {} and not ask("act", {"id": one, "wish": "exported"})["ready"]
    assert ask("act", {"id": two, "wish": "run"})["error"] == text.TRAINING["not_now"]
    for bad in ({"id": "../../etc", "wish": "run"}, {"id": None, "wish": "run"}):
        assert ask("act", bad)["error"] == text.TRAINING["no_job"]
    assert ask("act", {"id": one, "wish": "rm"})["error"] == text.SERVER["bad_request"]
    i2i_grid = catalog.folder.parent / "grid.png"
    pictures(i2i_grid.parent, 1, (3000, 600), name="grid")
    os.replace(i2i_grid, running / "run" / "samples-0000050.png")
    assert ask("sample", {"id": one, "step": 50})["image"].startswith("data:image/webp")
    assert "error" in ask("sample", {"id": one, "step": 51}) and "error" in ask("sample", {"id": one, "step": "../1"})


def test_a_model_is_tried_while_it_trains_and_compared_and_packed(folder: Path, catalog: Catalog) -> None:
    id = "aaa0000000000001"
    path = made(folder, id, {"state": "running"})
    with pytest.raises(jobs.JobError, match="has not learned anything"):
        trial.newest(jobs.named(id))
    network = catalog.translators["tiny"].network
    info = checkpoints.Info("x", "Tiny", "pix2pix", 32, DOMAINS)
    for step in (10, 20):
        checkpoints.save(path / "run" / "snapshots" / f"step-{step:07d}", network, info)
    assert "compare" in shown.can(jobs.named(id))
    before, now = trial.before_and_now(jobs.named(id))
    assert (before.info.name, now.info.name) == ("aaa, step 10", "aaa, step 20")
    checkpoints.save(folder.parent / "aaa", network, info)
    (path / "state.json").write_text('{"state": "done"}')
    assert trial.newest(jobs.named(id)).info.name == "aaa"
    os.replace(folder.parent / "aaa", catalog.folder / "aaa")
    (path / "job.json").write_text(
        (path / "job.json").read_text().replace(str(folder.parent / "aaa"), str(catalog.folder / "aaa"))
    )
    (told,) = ask("jobs", {}, serving=catalog)["jobs"]
    assert told["state"] == "done" and "open" not in told["can"]  # nothing lists it yet
    catalog.look_again()
    catalog.look_again()
    catalog.listed = catalog.translators
    (told,) = ask("jobs", {}, serving=catalog)["jobs"]
    assert told["tab"] == "paired" and "open" in told["can"]
    assert Path(trial.archive(jobs.named(id))).stat().st_size > 1000


def test_a_finished_training_is_asked_to_go_on_longer_and_compared_with_what_it_began_with(
    folder: Path, catalog: Catalog
) -> None:
    id, output = "aaa0000000000001", catalog.folder / "aaa"
    arguments = ["--minutes", "5", "--batch-size", "4", "--start-from", str(catalog.folder / "tiny")]
    path = made(folder, id, {"state": "done"}, output=str(output), arguments=arguments)
    checkpoints.save(output, catalog.translators["tiny"].network, catalog.translators["tiny"].info)
    (told,) = ask("jobs", {})["jobs"]
    assert "longer" not in told["can"] and told["why"] == text.TRAINING["why_tidied"]
    (path / "run" / "state.pt").touch()
    (told,) = ask("jobs", {})["jobs"]
    assert "longer" in told["can"] and not told["why"]
    assert told["longer"] == {"minutes": "", "learning_rate": "", "batch_size": "4"}
    for values, option in (
        ({"minutes": "0"}, "--minutes"),
        ({"minutes": ""}, "--minutes"),
        ({"minutes": "5", "batch_size": "2.5"}, "--batch-size"),
        ({"minutes": "5", "learning_rate": "nan"}, "--learning-rate"),
    ):
        assert ask("act", {"id": id, "wish": "longer", **values})["error"].startswith(f"{option} cannot be")
    assert not (path / "wish").exists()
    asked = {"minutes": "7", "learning_rate": "1e-3", "batch_size": "4"}
    assert ask("act", {"id": id, "wish": "longer", **asked}) == {}
    assert (path / "wish").read_text() == 'longer {"--minutes": "7", "--learning-rate": "0.001"}'
    assert [t.info.name for t in trial.before_and_now(jobs.named(id))] == ["tiny", "aaa"]

    rounds = [["--minutes", "12"]]
    (path / "state.json").write_text(json.dumps({"state": "running", "rounds": rounds}))
    job = jobs.named(id)
    assert job.before == output and ask("act", {"id": id, "wish": "longer", **asked})["error"]
    lines = job.command.split(" &&\n")
    assert [line.split()[3] for line in lines] == ["pix2pix", "pix2pix", "evaluate"]
    assert "--minutes 5" in lines[0] and lines[1].endswith("--minutes 12 --resume --change")
    assert ask("log", {"id": id}) == {"said": ""}
    (path / "log.txt").write_bytes(b"old\n" * 99_999 + b"\x1b[31mone\x1b[0m\r\n 10%|#\r 20%|##\r\ntwo\xff\n")
    assert ask("log", {"id": id})["said"].endswith("old\none\n 20%|##\ntwo\ufffd")
    assert len(ask("log", {"id": id})["said"].splitlines()) == jobs.LOG_LINES
    assert "error" in ask("log", {"id": id}, ELSEWHERE)


def test_one_process_tends_however_many_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_JOBS_DIR", str(tmp_path))
    started: list[Any] = []
    start = jobs._start
    monkeypatch.setattr(jobs, "_start", lambda *a, **k: started.append(start(*a, **k)))
    jobs.see_to_it()
    assert not started  # nothing is due
    made(tmp_path, "aaa0000000000001", {"state": "running", "handle": "0"})
    jobs.see_to_it()
    (process,) = started
    process.kill()
    process.wait()


def test_running_jobs_in_an_account_is_asked_for_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio's own log-in does not ask for it; `/login/jobs` asks for it besides the others."""
    monkeypatch.setattr(oauth, "OAUTH_SCOPES", "openid profile read-repos jobs")
    for name in ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"):
        monkeypatch.setattr(oauth, name, "x")
    scope.set_apart()
    assert oauth.OAUTH_SCOPES == "openid profile read-repos"
    token: Any = SimpleNamespace(scope="openid read-repos")
    assert not scope.is_missing(None)  # on one's own machine
    monkeypatch.setattr(scope, "on_space", lambda: True)
    assert scope.is_missing(None) and scope.is_missing(token)
    assert not scope.is_missing(SimpleNamespace(scope="openid jobs"))  # type: ignore[arg-type]

    async def metadata(_: Any) -> dict[str, str]:
        return {"authorization_endpoint": "https://hub.example/oauth/authorize"}

    monkeypatch.setattr(StarletteOAuth2App, "load_server_metadata", metadata)
    monkeypatch.setenv("SPACE_HOST", "me-page.hf.space")
    app = Starlette(
        routes=[Route(scope.LOGIN, scope.log_in)], middleware=[Middleware(SessionMiddleware, secret_key="x")]
    )
    client = TestClient(app, follow_redirects=False)
    assert client.get(scope.LOGIN).status_code == 404
    monkeypatch.setattr(scope, "has_login", lambda: True)
    asked = parse_qs(urlsplit(client.get(scope.LOGIN).headers["location"]).query)
    assert asked["scope"] == ["openid profile read-repos jobs"]
    assert asked["redirect_uri"] == ["https://me-page.hf.space/login/callback?_target_url=/"]
