"""The far end of a training on HF Jobs: trains in a folder that was fetched, and tells how it goes through its repo."""

import json
import subprocess
import sys
import time
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from i2i_models.hub.push import push
from i2i_models.networks import methods
from train.loop.progress import PROGRESS

from .folder import RUN

TELL_SECONDS = 30.0


def away(repo: str, model: str) -> int:
    """Train as `training.json` in this folder says, measure, and push; the exit code.

    Args:
        repo: the data set repo that this folder came from.
        model: the model repo to push the checkpoint to.
    """
    asked = json.loads(Path("training.json").read_text(encoding="utf-8"))
    output = Path("out") / asked["name"]
    train = [sys.executable, "-m", "train"]
    places = ["--data", asked["data"], "--output", str(output), "--run", RUN]
    process = subprocess.Popen([*train, asked["method"], *places, *asked["arguments"]])
    told: set[str] = set()
    api, last = HfApi(), time.monotonic()
    while process.poll() is None:
        time.sleep(0.5)
        if time.monotonic() - last > TELL_SECONDS:
            last = time.monotonic()
            tell(api, repo, told)
    tell(api, repo, told)
    if process.returncode:
        return process.returncode
    if asked["evaluate"]:
        subprocess.run([*train, "evaluate", str(output), "--data", asked["data"]])
    print(push(output, model, "Push a checkpoint", True, check=methods.read))
    return 0


def tell(api: HfApi, repo: str, told: set[str]) -> None:
    """Commit the progress and the sample grids that are new; what fails now is told next time."""
    grids = [path for path in sorted(Path(RUN).glob("samples-*.png")) if path.name not in told]
    files = [*grids, *[path for path in [Path(RUN) / PROGRESS] if path.is_file()]]
    if not files:
        return
    try:
        operations = [CommitOperationAdd(path.as_posix(), path) for path in files]
        api.create_commit(repo, operations, commit_message="Progress", repo_type="dataset")
    except Exception as error:
        # Whatever the Hub has, it must not end a training.
        print(f"The progress was not told, the training goes on: {type(error).__name__}", file=sys.stderr)
    else:
        told |= {path.name for path in grids}
