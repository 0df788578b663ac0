"""A digit that a visitor draws crosses to another data set's hand, and a reader of each says what it is."""

import functools
import logging
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

import i2i_models as i2i
from i2i_models.checkpoints import CONFIG
from i2i_models.directions import DOMAINS
from i2i_models.inference.digits import DigitCrossing
from ui import text
from ui.errors import Answer, BadRequest, sentences
from ui.payload import read_image, read_mapping, to_data_url
from ui.pool import Pool, Stopwatch

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "docs" / "results" / "digits-unit"
"""Written by `python -m train adapt --output`; less than a megabyte."""
SHOWN = 160
"""Side in pixels of the pictures that are sent; a digit's own 32 stay visible."""


def digits_view(pool: Pool, folder: Path = FOLDER) -> None:
    """Build the view under the current block; nothing where there are no networks for it.

    Args:
        pool: in whose slots networks run.
    """
    if not (folder / CONFIG).is_file():
        return
    try:
        crossing = networks(folder)
    except i2i.CheckpointError as error:
        log.warning("no view of digits: %s", error)
        return
    editor = HERE.parent / "editor"
    scripts = [editor / "server_client.js", editor / "live_requests.js", HERE / "digits.js"]
    gr.HTML(
        value=0,
        html_template=(HERE / "digits.html").read_text(encoding="utf-8"),
        css_template=(HERE / "digits.css").read_text(encoding="utf-8"),
        js_on_load="\n".join(path.read_text(encoding="utf-8") for path in scripts),
        apply_default_css=False,
        server_functions=[sentences(Crossings(crossing, pool).cross)],
        elem_id="digits",
        texts={**text.DIGITS, "offline": text.EDITOR["offline"]},
        names=dict(crossing.domains),
    )


networks = functools.lru_cache(maxsize=1)(DigitCrossing.load)
"""The networks of a folder: read once, though the page is built for each language."""


class Crossings:
    """Digits of all visitors; nothing of them is kept."""

    def __init__(self, crossing: DigitCrossing, pool: Pool) -> None:
        self._crossing, self._pool = crossing, pool

    def cross(self, payload: Any) -> Answer:
        """The server function of the view.

        Args:
            payload: `image`, a data URL of a bright digit on black, and `domain`, A or B, whose digit it is taken for.

        Returns:
            `digit` and `translation`, data URLs; `read` and `read_translation`, ten probabilities each; `ms`, the
            time that networks took.

        Raises:
            I2IError: a payload that no drawing can produce.
        """
        payload = read_mapping(payload)
        domain = payload.get("domain")
        if domain not in DOMAINS:
            raise BadRequest(text.SERVER["bad_request"])
        image = read_image(payload.get("image"))
        watch = Stopwatch()
        with self._pool.slot(watch):
            crossed = self._crossing.cross(image, domain)
        return {
            "digit": _large(crossed.digit),
            "translation": _large(crossed.translation),
            "read": [round(share, 4) for share in crossed.read],
            "read_translation": [round(share, 4) for share in crossed.read_translation],
            "ms": watch.shown,
        }


def _large(picture: Image.Image) -> str:
    return to_data_url(picture.resize((SHOWN, SHOWN), Image.Resampling.NEAREST))
