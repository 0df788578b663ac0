"""Pictures to begin with: visitors' files, and the examples that come with a checkpoint."""

from typing import Any

from PIL import Image, ImageStat

import i2i_models as i2i
from i2i_models.directions import source
from ui.catalog import Catalog
from ui.errors import Answer
from ui.payload import to_data_url
from ui.question import read_model, read_upload

MAX_FILE_BYTES = 20_000_000
"""Of a visitor's file."""
SHOWN_SIDE = 512
"""Pixels of the longer side of a visitor's picture in the drawing editor."""


class Uploads:
    """The server functions by which the drawing editor gets pictures."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def open_picture(self, payload: Any) -> Answer:
        """Open a visitor's file; the payload is that of `read_upload`.

        Returns:
            `pictures`: data URLs, `as_is` and, where the domain is outlines, `outline`;
            `variant`: which of them to begin with.
        """
        upload = read_upload(self.catalog, payload)
        kind = upload.translator.info.domains[source(upload.direction)].kind
        image = upload.image
        shrink(image, SHOWN_SIDE, kind)
        pictures, variant = {"as_is": to_data_url(image)}, "as_is"
        if kind == "outline":
            pictures["outline"] = to_data_url(i2i.outline(image))
            variant = "as_is" if looks_drawn(image) else "outline"
        return {"pictures": pictures, "variant": variant}

    def examples(self, payload: Any) -> Answer:
        """The example inputs of a checkpoint and direction; broken files are left out.

        Returns:
            `examples`: data URLs.
        """
        translator, direction = read_model(self.catalog, payload)
        photos = translator.info.domains[source(direction)].kind == "picture"
        urls = []
        for path in translator.examples_of(source(direction)):
            try:
                image = i2i.open_image(path)
            except i2i.ImageError:
                continue
            # Outlines and labels as they are; a photo may lose a little for a tenth of the bytes.
            urls.append(to_data_url(image, "WEBP", quality=92) if photos else to_data_url(image))
        return {"examples": urls}


def looks_drawn(image: Image.Image) -> bool:
    """Whether a picture already is a line drawing: mostly white, and nothing in colour."""
    small = image.resize((64, 64), Image.Resampling.BOX)
    colourful = ImageStat.Stat(small.convert("HSV").getchannel("S")).mean[0] > 12
    white = sum(small.convert("L").histogram()[200:]) / 64**2
    return white > 0.6 and not colourful


def shrink(image: Image.Image, side: int, kind: str) -> None:
    """Make an image in a domain of that kind at most `side` pixels a side, in place; label colours are not blended."""
    image.thumbnail((side, side), Image.Resampling.NEAREST if kind == "labels" else Image.Resampling.LANCZOS)
