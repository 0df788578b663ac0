"""HF Jobs: a training in somebody's own account, on the hardware that they choose and pay for.

The pictures and this project's code go into a private data set repo of theirs, the job runs from there (`away.py`) and
writes what it tells into the same repo; at the end the checkpoint is a model repo. Whoever has the token starts, asks
and cancels: `python -m train.jobs hub JOB start` with HF_TOKEN, which is written nowhere.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfApi, snapshot_download

from i2i_models import hub
from i2i_models.errors import HubError, TrainingError
from i2i_models.images.reading import SUFFIXES

from .backends import HOME
from .folder import RUN, Action, JobFolder

PACKAGES = ("i2i_models", "train")
NEEDS = (
    *("torch", "torchvision", "accelerate", "torchmetrics", "torch-fidelity", "tensorboard", "pillow", "numpy"),
    *("huggingface_hub", "safetensors", "opencv-python-headless", "tyro", "tqdm", "datasets"),
)
"""What `python -m train` imports, for the job's own machine."""
BOOTSTRAP = (
    "import os,sys,runpy,huggingface_hub as h;"
    "os.chdir(h.snapshot_download(sys.argv[1],repo_type='dataset',local_dir='w'));"
    "sys.path[0:0]=[''];sys.argv[1:1]=['away'];runpy.run_module('train.jobs',run_name='__main__')"
)
"""Shorter than a file's name may be: the client asks of each argument whether it is a file."""
BROUGHT = {"--start-from": "start", "--palette": "palette.json"}
"""Options that name files of this machine, and where the job finds them."""
ENDED = {"COMPLETED": "done", "CANCELED": "failed", "ERROR": "failed", "DELETED": "failed"}
LINES = 200
"""Of its log, fetched while it runs."""
SPARE_MINUTES = 30
"""Beyond a training's own minutes, for starting and measuring."""


def drive(job: JobFolder, action: Action) -> None:
    """Start a job, ask how it goes, cancel it or forget it here, and write that into its `state.json`.

    The token is that of HF_TOKEN or of `hf auth login`.

    Raises:
        HubError: the Hub refuses; says why, without the token.
    """
    api = HfApi()
    try:
        {"start": start, "sync": sync, "cancel": cancel, "forget": forget}[action](api, job)
    except TrainingError as error:
        if action == "start":
            job.update(state="failed", why={"key": "not_started", "said": str(error)})
        raise
    except Exception as error:
        # The client raises many kinds; each becomes the sentence that the rest of the project says.
        said = hub.sentence(error, repo_of(job, "…"))
        if action == "start":
            job.update(state="failed", why={"key": "not_started", "said": said})
        raise HubError(said) from None


def repo_of(job: JobFolder, user: str) -> str:
    """The private data set repo that holds a job."""
    return f"{user}/{job.request.name}-training-{job.path.name[:6]}"


def start(api: HfApi, job: JobFolder) -> None:
    """Push pictures and code, and run them."""
    asked = job.request
    job.update(state="waiting", why=None)
    user = str(api.whoami()["name"])
    repo = repo_of(job, user)
    api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)
    files = dict(_files(job))
    api.create_commit(
        repo, [CommitOperationAdd(name, content) for name, content in files.items()],
        commit_message="Pictures and code of a training", repo_type="dataset",
    )  # fmt: skip
    minutes = float(asked.settings.get("minutes", 60))
    started = api.run_uv_job(
        "python",
        script_args=["-c", BOOTSTRAP, repo, f"{user}/{asked.name}"],
        dependencies=list(NEEDS),
        flavor=asked.settings.get("flavor", "t4-small"),
        timeout=f"{round(minutes + SPARE_MINUTES)}m",
        secrets={"HF_TOKEN": api.token or _token()},
        name=asked.name,
        namespace=user,
    )
    job.update(state="running", handle=started.id, user=user, began=time.time(), why=None)


def sync(api: HfApi, job: JobFolder) -> None:
    """Fetch what the job has told so far; when it has ended, its checkpoint."""
    state, asked = job.state, job.request
    if "handle" not in state:
        return
    user = state["user"]
    told = api.inspect_job(job_id=state["handle"], namespace=user)
    stage = str(told.status.stage)
    # While it waits for a machine it has said nothing, and asking takes seconds.
    if stage == "RUNNING" or stage in ENDED:
        said = api.fetch_job_logs(job_id=state["handle"], namespace=user, tail=None if stage in ENDED else LINES)
        job.log.write_text("\n".join(said), encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        snapshot_download(
            repo_of(job, user), repo_type="dataset", allow_patterns=f"{RUN}/*", local_dir=scratch, token=api.token
        )
        if (Path(scratch) / RUN).is_dir():
            shutil.copytree(Path(scratch) / RUN, job.run, dirs_exist_ok=True)
    if stage not in ENDED:
        return
    if ENDED[stage] == "done":
        with tempfile.TemporaryDirectory() as scratch:
            folder = hub.download(f"{user}/{asked.name}", token=api.token, cache_dir=Path(scratch))
            shutil.copytree(folder, asked.output, dirs_exist_ok=True)
        job.update(state="done", ended=time.time())
    else:
        key = "cancelled" if stage == "CANCELED" else "said"
        job.update(state="failed", why={"key": key, "said": told.status.message or stage})


def cancel(api: HfApi, job: JobFolder) -> None:
    """Cancel the job, if it runs, and forget it here; its repos stay its owner's."""
    state = job.state
    if state["state"] == "running" and "handle" in state:
        api.cancel_job(job_id=state["handle"], namespace=state["user"])
    job.delete()


def forget(api: HfApi, job: JobFolder) -> None:
    """Forget a job that has ended; its checkpoint stays here, too."""
    job.delete(keep=True)


def _files(job: JobFolder) -> Iterator[tuple[str, Path | bytes]]:
    """What the repo holds, by path."""
    asked = job.request
    for package in PACKAGES:
        for path in sorted((HOME / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(HOME).as_posix(), path
    data = Path(asked.data)
    if data.is_dir():
        for path in sorted(data.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                yield f"data/{path.relative_to(data).as_posix()}", path
    arguments = list(asked.arguments)
    for option, there in BROUGHT.items():
        if option in arguments:
            at = arguments.index(option) + 1
            brought, arguments[at] = HOME / arguments[at], there
            for path in [brought] if brought.is_file() else sorted(brought.iterdir()):
                if path.is_file():
                    yield there if path == brought else f"{there}/{path.name}", path
    told: dict[str, Any] = {
        "method": asked.method,
        "name": asked.name,
        "data": "data" if data.is_dir() else asked.data,
        "arguments": arguments,
        "evaluate": asked.evaluate,
    }
    yield "training.json", json.dumps(told).encode()


def _token() -> str:
    from huggingface_hub import get_token

    token = get_token()
    if token is None:
        raise TrainingError("HF Jobs run in your account: log in with `hf auth login`, or set HF_TOKEN.")
    return token
