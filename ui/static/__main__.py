"""`python -m ui.static CHECKPOINT… --output DIR`: the page without a server."""

from pathlib import Path

import tyro

import i2i_models as i2i
from i2i_models.cli import run
from i2i_models.errors import ExportError
from ui.static import write_page


def static(checkpoints: tyro.conf.Positional[list[str]], output: Path) -> None:
    """Write the page without a server, with these models.

    Args:
        checkpoints: checkpoint folders or Hub ids.
        output: a new or empty folder.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ExportError(f"{output} is not empty: name a new folder, so that nothing of yours is mixed with the page.")
    write_page(output, [i2i.load(name) for name in checkpoints])


if __name__ == "__main__":
    run(lambda: tyro.cli(static, prog="python -m ui.static"))
