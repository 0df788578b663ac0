"""Checkpoints → the Hub: `python -m train push CHECKPOINT owner/name`, and in the background of a training."""

import shutil
import sys
import threading
from pathlib import Path

import tyro
from tqdm import tqdm

from i2i_models import checkpoints
from i2i_models.errors import I2IError
from i2i_models.hub import push as hub_push
from i2i_models.networks import methods

from .card import write_card


def push(
    checkpoint_folder: tyro.conf.Positional[Path],
    repo_id: tyro.conf.Positional[str],
    private: bool = False,
    branch: str | None = None,
    message: str = "Push a checkpoint",
) -> None:
    """Make a model repo on the Hub hold a checkpoint: one commit of what changed.

    The token is that of `hf auth login` or of HF_TOKEN.

    Args:
        checkpoint_folder: the checkpoint; a card is written if it has none.
        repo_id: owner/name on the Hub; made if it is not there.
        private: make it a private one, if it is made.
        branch: push to this branch, made if it is not there, instead of main.
        message: of the commit.
    """
    checkpoints.read_config(checkpoint_folder)
    _ensure_card(checkpoint_folder)
    print(hub_push.push(checkpoint_folder, repo_id, message, private or None, branch, check=methods.read))


def _ensure_card(folder: Path) -> None:
    if not (folder / checkpoints.CARD).exists():
        write_card(folder)


class Pusher:
    """Pushes snapshots of a training from a thread of its own: newest wins, and no failure reaches the training."""

    def __init__(self, repo_id: str, private: bool, scratch: Path) -> None:
        """
        Args:
            repo_id: `owner/name`.
            private: make it a private repo, if it is made.
            scratch: a folder for snapshots on their way; emptied at start and end.

        Raises:
            HubError: the name is none, or nobody is logged in: better said now than after hours.
        """
        hub_push.check_name(repo_id)
        hub_push.check_login()
        self.repo_id, self.private, self.scratch = repo_id, private, scratch
        shutil.rmtree(scratch, ignore_errors=True)
        self._waiting: tuple[Path, str] | None = None
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="push", daemon=True)
        self._thread.start()

    def folder(self, step: int, name: str) -> Path:
        """Where the snapshot of a step is to be written before it is offered."""
        return self.scratch / f"step-{step:07d}" / name

    def offer(self, folder: Path, message: str) -> None:
        """Push a finished snapshot when its turn comes, in place of one that still waits; then delete it."""
        with self._changed:
            if self._waiting is not None:
                shutil.rmtree(self._waiting[0], ignore_errors=True)
            self._waiting = folder, message
            self._changed.notify()

    def finish(self, folder: Path, message: str) -> None:
        """Push the final checkpoint, and say how it went; on failure with the command that tries again."""
        self.stop()
        print(f"Pushing {folder} to {self.repo_id} …", flush=True)
        try:
            _ensure_card(folder)
            print(hub_push.push(folder, self.repo_id, message, self.private or None, check=methods.read))
        except (I2IError, OSError) as error:
            again = f"python -m train push {folder} {self.repo_id}" + (" --private" if self.private else "")
            print(f"The training is complete, but pushing it failed: {error}\nTry again: {again}", file=sys.stderr)

    def stop(self) -> None:
        """End without starting another push; one that is under way gets a moment to end."""
        self._ending.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(timeout=30)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None or self._ending.is_set())
                if self._ending.is_set() or self._waiting is None:
                    return
                (folder, message), self._waiting = self._waiting, None
            try:
                # A training that ends need not wait for another try: its last push says it all.
                hub_push.push(
                    folder, self.repo_id, message, self.private or None, check=methods.read, sleep=self._sleep
                )
            except _Ending:
                return
            except Exception as error:
                # Whatever it is, it must not end a training; the next push or the last one tries again.
                why = str(error) if isinstance(error, I2IError) else f"{type(error).__name__} in the upload."
                tqdm.write(f"{message} was not pushed, the training goes on: {why}", file=sys.stderr)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _sleep(self, seconds: float) -> None:
        if self._ending.wait(seconds):
            raise _Ending


class _Ending(BaseException):
    """Leaves the tries of a push; no Exception, so that it is not taken for one of its failures."""
