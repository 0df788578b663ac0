"""The door: builds the page and starts it.

Environment: HOST and PORT choose the address (127.0.0.1:7860), I2I_CHECKPOINTS_DIR the folder of checkpoints.
"""

import logging
import os
import socket
import sys
from pathlib import Path


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


def main() -> int:
    """Start the page and serve until interrupted; the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        host, port = address()
    except StartError as error:
        print(error, file=sys.stderr)
        return 2
    # After the address is known to be free: these take seconds.
    from ui.page import MAX_FILE_BYTES, build
    from ui.theme import CSS, THEME

    folder = Path(os.environ.get("I2I_CHECKPOINTS_DIR") or Path(__file__).parent / "checkpoints")
    page = build(folder)
    page.launch(
        server_name=host,
        server_port=port,
        theme=THEME,
        css=CSS,
        max_file_size=MAX_FILE_BYTES,
        footer_links=[],
        run_history=False,
        quiet=True,
        prevent_thread_lock=True,
    )
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    print(f"Open http://{shown}:{port} in a browser; Ctrl-C stops it.", flush=True)
    page.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
