"""Where a job's commands run: one interface, a back-end for this machine, one for a Ray cluster, one for HF Jobs.

The supervisor drives those whose machines see the job's folder. HF Jobs run elsewhere and with a visitor's token, which
lies on no disk: `train/jobs/hub.py` is driven by whoever has the token.
"""

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import psutil

from .folder import EXIT, JobFolder

HOME = Path(__file__).resolve().parents[2]
"""Of the project: where `python -m train` is found."""
KILLED = -9
"""The exit code of a command that ended without one."""
POLITE = 19
"""Niceness of a training on this machine: whoever draws in the page comes first."""
NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""For processes without a screen, on Windows."""
PATIENCE = 10.0
"""Seconds within which killed processes are gone."""


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

    def start(self, job: JobFolder, command: list[str]) -> str:
        """Start a process of the lowest priority, which goes on when this one ends; its exit code comes as a file."""
        exit_file = job.path / EXIT
        exit_file.unlink(missing_ok=True)
        environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
        with job.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "train.jobs.runner", str(exit_file), str(POLITE), *command],
                cwd=HOME, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, creationflags=NO_WINDOW,
            )  # fmt: skip
        return str(process.pid)

    def poll(self, job: JobFolder, handle: str) -> int | None:
        """The exit code, `KILLED` where its process is gone without one."""
        alive = is_alive(int(handle), str(job.path))  # first: the code is written just before it ends
        with contextlib.suppress(OSError, ValueError):
            return int((job.path / EXIT).read_text())
        if alive:
            return None
        end(processes_of(job))
        return KILLED

    def kill(self, job: JobFolder, handle: str) -> None:
        """Kill its processes."""
        end(processes_of(job))


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
    # As "GPUs" where there are none, too: on the CPU alone it would launch one process and say nothing.
    processes = ["--multi_gpu", "--num_processes", str(gpus), "--num_machines", "1", "--main_process_port", "0"]
    kept = ["--mixed_precision", "no", "--dynamo_backend", "no"]  # the training decides itself; unsaid, it warns
    # The module itself is what it launches: `-m train` follows.
    return [sys.executable, "-m", "train.jobs.launch", *processes, *kept]


def has_gpus() -> bool:
    """Whether this machine has NVIDIA GPUs, without importing torch."""
    return Path("/dev/nvidia0").exists()


def is_alive(pid: int, mark: str) -> bool:
    """Whether a process runs whose command line names `mark`; its number alone may be another's by now."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and any(mark in part for part in process.cmdline())
    return False


def processes_of(job: JobFolder) -> list[psutil.Process]:
    """What runs for a job on this machine: its runner first, then what that has started, which may outlive it."""
    marks = ({"train.jobs.runner", str(job.path / EXIT)}, {"--run", str(job.run)})
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(mark <= set(process.info["cmdline"] or ()) for mark in marks):
            found.append(process)
    return sorted(found, key=lambda process: "train.jobs.runner" not in process.info["cmdline"])


def end(processes: list[psutil.Process]) -> None:
    """Kill processes and wait until they are gone."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, PATIENCE)
