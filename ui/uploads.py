"""Pictures to begin with: visitors' files, and the examples that come with a checkpoint."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

import i2i_models as i2i
from i2i_models.checkpoints.config import Kind
from i2i_models.directions import source
from i2i_models.images.flat_colours import few_colours, flat_colours
from i2i_models.images.outlines import looks_drawn
from i2i_models.images.paper import sketch_on_paper
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
            `pictures`: data URLs, `as_is` and, where there is a reduction for the kind of domain, its `variant`;
            `variant`: which of them to begin with.
        """
        upload = read_upload(self.catalog, payload)
        kind = upload.translator.info.domains[source(upload.direction)].kind
        image = upload.image
        shrink(image, SHOWN_SIDE, kind)
        pictures, variant = {"as_is": to_data_url(image)}, "as_is"
        if reduction := REDUCTIONS.get(kind):
            sketch = sketch_on_paper(image) if kind == "outline" else None
            pictures[reduction.variant] = to_data_url(sketch or reduction.reduce(image))
            variant = "as_is" if reduction.is_done(image) else reduction.variant
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


def looks_flat(image: Image.Image) -> bool:
    """Whether a picture already is in flat colours: what is not white has at most a dozen, apart from edges.

    A few noisy pixels are forgiven, as in a logo that was a JPEG file.
    """
    small = np.asarray(image.resize((128, 128), Image.Resampling.BICUBIC))
    distances = np.linalg.norm(small.astype(np.float32) - few_colours(small, 12), axis=-1)
    not_white = small.min(-1) < 235
    return bool((distances < 12)[not_white].mean() > 0.75) if not_white.any() else True


class Reduction(NamedTuple):
    """How a picture of any sort becomes one that a visitor could have drawn."""

    variant: str
    """Its name beside `as_is`."""
    reduce: Callable[[Image.Image], Image.Image]
    is_done: Callable[[Image.Image], bool]
    """Whether a picture can stay as it is."""


REDUCTIONS: Mapping[Kind, Reduction] = MappingProxyType(
    {
        "outline": Reduction("outline", i2i.outline, looks_drawn),
        "paint": Reduction("flat", flat_colours, looks_flat),
    }
)


def shrink(image: Image.Image, side: int, kind: Kind) -> None:
    """Make an image in a domain of that kind at most `side` pixels a side, in place; label colours are not blended."""
    image.thumbnail((side, side), Image.Resampling.NEAREST if kind == "labels" else Image.Resampling.LANCZOS)
