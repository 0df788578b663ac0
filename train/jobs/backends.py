"""Where a job's commands run: one interface, a back-end for this machine, one for a Ray cluster, one for HF Jobs.

The supervisor drives those whose machines see the job's folder. HF Jobs run elsewhere and with a visitor's token, which
lies on no disk: `train/jobs/hub.py` is driven by whoever has the token.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from .folder import EXIT, JobFolder

HOME = Path(__file__).resolve().parents[2]
"""Of the project: where `python -m train` is found."""
KILLED = -9
"""The exit code of a command that ended without one."""
POLITE = "19"
"""Niceness of a training on this machine: whoever draws in the page comes first."""


class Backend(Protocol):
    """Runs a job's commands, one at a time. A handle is text, and outlives the process that got it."""

    exclusive: bool
    """Whether one job at a time is enough."""

    def start(self, job: JobFolder, command: list[str]) -> str:
        """Start a command in the project's folder, its output appended to the job's log; its handle."""

    def poll(self, job: JobFolder, handle: str) -> int | None:
        """Its exit code; None while it runs or waits."""

    def kill(self, job: JobFolder, handle: str) -> None:
        """End it at once, whatever is lost."""


class Local:
    """This machine; several GPUs of it through `accelerate launch`."""

    exclusive = True
    # Its own exit code outlives it in a file. A trap, not an ignored signal, which the training would inherit.
    SHELL = 'trap : TERM INT HUP; "$@"; code=$?; echo $code > "$0.tmp" && mv "$0.tmp" "$0"'

    def start(self, job: JobFolder, command: list[str]) -> str:
        """Start a process group of the lowest priority, which goes on when this process ends."""
        exit_file = job.path / EXIT
        exit_file.unlink(missing_ok=True)
        environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
        with job.log.open("ab") as log:
            process = subprocess.Popen(
                ["nice", "-n", POLITE, "sh", "-c", self.SHELL, str(exit_file), *command],
                cwd=HOME, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        return str(process.pid)

    def poll(self, job: JobFolder, handle: str) -> int | None:
        """The exit code, `KILLED` where the group is gone without one."""
        with contextlib.suppress(OSError, ValueError):
            return int((job.path / EXIT).read_text())
        with contextlib.suppress(ChildProcessError):
            os.waitpid(int(handle), os.WNOHANG)
        if is_alive(int(handle), str(job.path)):
            return None
        with contextlib.suppress(OSError, ValueError):  # written just before it ended
            return int((job.path / EXIT).read_text())
        return KILLED

    def kill(self, job: JobFolder, handle: str) -> None:
        """Kill the group, if it is still the job's."""
        if is_alive(int(handle), str(job.path)):
            with contextlib.suppress(OSError):
                os.killpg(int(handle), signal.SIGKILL)


class Ray:
    """A Ray cluster, through its jobs. Its machines need the project, this Python and the folder of jobs at the same
    path, as for deploy/ray_serve.py. A token of its dashboard is what RAY_JOB_HEADERS has."""

    exclusive = False

    def __init__(self, address: str = "auto", gpus: float = 0, cpus: float = 1) -> None:
        """
        Args:
            address: of the dashboard, such as http://127.0.0.1:8265; `auto` for the cluster of this machine.
            gpus, cpus: what Ray sets aside.
        """
        self.address, self.gpus, self.cpus = None if address == "auto" else address, gpus, cpus

    def _client(self) -> Any:
        from ray.job_submission import JobSubmissionClient  # an optional package

        return JobSubmissionClient(self.address)

    def start(self, job: JobFolder, command: list[str]) -> str:
        """Submit a job whose entrypoint is the command."""
        inside = f"cd {shlex.quote(str(HOME))} && {shlex.join(command)} >> {shlex.quote(str(job.log))} 2>&1"
        return str(
            self._client().submit_job(
                entrypoint=f"sh -c {shlex.quote(inside)}",
                entrypoint_num_gpus=self.gpus or None,
                entrypoint_num_cpus=self.cpus,
                metadata={"job": job.path.name},
            )
        )

    def poll(self, job: JobFolder, handle: str) -> int | None:
        """As Ray tells; a cluster that forgot the job has lost it."""
        try:
            told = self._client().get_job_info(handle)
        except RuntimeError:
            return KILLED
        status = str(getattr(told.status, "value", told.status))
        if status in ("PENDING", "RUNNING"):
            return None
        if status == "SUCCEEDED":
            return 0
        code = getattr(told, "driver_exit_code", None)
        return KILLED if status == "STOPPED" or code is None else int(code)

    def kill(self, job: JobFolder, handle: str) -> None:
        """Stop the job, if it is still there."""
        with contextlib.suppress(RuntimeError):
            self._client().stop_job(handle)


BACKENDS: dict[str, Callable[..., Backend]] = {"local": lambda gpus=1: Local(), "ray": Ray}
"""Those that the supervisor drives, by the request's `backend`; its `settings` are their arguments."""


def of(job: JobFolder) -> Backend | None:
    """The back-end of a job; None if somebody else drives it."""
    asked = job.request
    return BACKENDS[asked.backend](**asked.settings) if asked.backend in BACKENDS else None


def launcher(job: JobFolder) -> list[str]:
    """What begins the command of a training: this Python, or `accelerate launch` for several GPUs of this machine."""
    asked = job.request
    gpus = int(asked.settings.get("gpus", 1)) if asked.backend == "local" else 1
    if gpus < 2:
        return [sys.executable]
    processes = ["--num_processes", str(gpus), *(["--multi_gpu"] if has_gpus() else ["--cpu"])]
    # `accelerate launch` takes the module itself: `-m train` follows.
    return [sys.executable, "-m", "accelerate.commands.launch", *processes]


def has_gpus() -> bool:
    """Whether this machine has NVIDIA GPUs, without importing torch."""
    return Path("/dev/nvidia0").exists()


def is_alive(pid: int, mark: str) -> bool:
    """Whether a process runs whose command line names `mark`; its number alone may be another's by now."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" and mark in Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return not Path("/proc/self").exists()  # no /proc on this system: the number must do
