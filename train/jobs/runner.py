"""`python -m train.jobs.runner EXIT NICENESS COMMAND…`: runs a command politely and leaves its exit code in a file.

It outlives whoever started it, so it is a process of its own between the two.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

ENDING = ("SIGTERM", "SIGINT", "SIGHUP")
"""Signals at which a training saves and ends: this process waits for it."""


def give_way(niceness: int) -> None:
    """Take of the processor what others leave; so do the processes that are started from here.

    Args:
        niceness: 0 … 19; on Windows, all above 0 are its lowest priority.
    """
    if niceness and sys.platform == "win32":
        psutil.Process().nice(psutil.IDLE_PRIORITY_CLASS)
    elif niceness:
        os.nice(niceness)
        with contextlib.suppress(OSError):  # Linux, where niceness alone counts only among a session's own processes
            Path("/proc/self/autogroup").write_text(str(niceness))


def main(exit_file: Path, niceness: int, command: list[str]) -> None:
    """Run a command to its end.

    Args:
        exit_file: where its exit code is to be found then; negative for the signal that ended it.
        niceness: as `give_way`.
    """
    give_way(niceness)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for name in ENDING:
        if hasattr(signal, name):  # heard and not ignored, which the command would inherit
            signal.signal(getattr(signal, name), lambda *_: None)
    code = process.wait()
    temporary = exit_file.with_name(f"{exit_file.name}.tmp")
    temporary.write_text(str(code))
    os.replace(temporary, exit_file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
