"""The door: builds the page and starts it.

Environment: HOST and PORT choose the address (127.0.0.1:7860), I2I_CHECKPOINTS_DIR the folder of checkpoints,
I2I_CHECKPOINTS more of them: folders, Hub ids and collections of the Hub, separated by commas;
I2I_ENGINE what runs the networks (auto, openvino or torch); I2I_OPENING=off begins with empty paper;
I2I_BROWSER which networks visitors' browsers may load and run: on (those of the folder), all (the others too), off;
I2I_TRAIN says who may train in the page (on for all, off for nobody), I2I_JOBS_DIR where trainings lie;
I2I_HOSTS has names, separated by commas, by which visitors reach the page through a proxy; I2I_COUNTS is a store in
which replicas count requests together (redis://HOST:6379), GRADIO_TEMP_DIR where uploads and results lie (a private
folder of the page's own).
"""

import contextlib
import ctypes
import importlib.util
import logging
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from i2i_models.inference.remote import RemoteNetworks


M_ARENA_MAX = -8
"""As in glibc's malloc.h."""


class StartError(Exception):
    """The page cannot start; the message is one sentence that says what to change."""


def address() -> tuple[str, int]:
    """Host and port from the environment; on a Hugging Face Space every interface, as its proxy needs.

    Raises:
        StartError: PORT is no port, or the address cannot be used.
    """
    host = os.environ.get("HOST") or ("0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1")
    given = os.environ.get("PORT") or "7860"
    if not given.isdecimal() or not 1 <= int(given) <= 65535:
        raise StartError(f"PORT must be a number from 1 to 65535, not {given!r}.")
    port = int(given)
    try:
        family, *_, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # on Windows it would take a port that another program holds
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
    except OSError as error:
        if isinstance(error, socket.gaierror):
            raise StartError(f"HOST {host!r} is no address of this machine: try 127.0.0.1 or 0.0.0.0.") from None
        raise StartError(
            f"{host}:{port} cannot be used ({os.strerror(error.errno or 0).lower()}): "
            "stop the program that holds it, or choose another port, such as PORT=7861."
        ) from None
    return host, port


def checkpoints() -> tuple[Path, list[str]]:
    """The folder of checkpoints and the further sources that the environment names."""
    from i2i_models.hub import sources

    folder = Path(os.environ.get("I2I_CHECKPOINTS_DIR") or Path(__file__).parent / "checkpoints")
    return folder, sources(os.environ.get("I2I_CHECKPOINTS", ""))


def main(elsewhere: "RemoteNetworks | None" = None) -> int:
    """Start the page and serve until interrupted; the exit code.

    Args:
        elsewhere: where networks run, if not in this process (deploy/ray_serve.py).
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # Before torch is imported: its idle threads would spin, and take from OpenVINO's a third of the processor.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with contextlib.suppress(OSError, AttributeError, TypeError):  # not glibc
        # Two heaps for all threads: with one for each, what a thread has freed no other can use.
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)
    from i2i_models.errors import EngineError
    from i2i_models.inference.engine import requested

    try:
        host, port = address()
        requested()
    except (StartError, EngineError) as error:
        print(error, file=sys.stderr)
        return 2
    # Only when the address is known to be free, since importing Gradio takes seconds.
    from ui.page import build
    from ui.service import Service, private_folder
    from ui.theme import CSS, THEME

    os.environ.setdefault("GRADIO_TEMP_DIR", str(private_folder(port)))
    page, catalog = build(*checkpoints(), elsewhere)
    service = Service(page, catalog, host)
    page.launch(
        server_name=host,
        server_port=port,
        theme=THEME,
        css=CSS,
        footer_links=[],
        run_history=False,
        mcp_server=importlib.util.find_spec("mcp") is not None,
        quiet=True,
        prevent_thread_lock=True,
        **service.launch_options,
    )
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    print(f"Open http://{shown}:{port} in a browser; Ctrl-C stops it.", flush=True)
    # Only now: reading networks takes the interpreter away from the page that starts.
    catalog.warm()
    service.serve_until_told_to_end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
