"""The images of a data set: where each lies and how it is read. Loader workers get them pickled."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from PIL import Image

from i2i_models.checkpoints import Domain
from i2i_models.errors import ImageError
from i2i_models.images.depth import Extremes, Range, common_range
from i2i_models.images.outlines import as_kind
from i2i_models.images.reading import OWN_MAX_PIXELS, extremes, open_image, stored_mode

Ranges = tuple[Range | None, Range | None]
"""Of the domains A and B; None where pictures have 8 bits."""


class StoredImage(Protocol):
    """An image as the data set stores it."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def read(self) -> np.ndarray:
        """The RGB pixels: uint8 `(H, W, 3)`.

        Raises:
            ImageError: it cannot be read; one sentence that names it.
        """

    def in_range(self, value_range: Range) -> "StoredImage":
        """The same image, read so that these values become black and white, if it has more than 8 bits."""


@dataclasses.dataclass(frozen=True)
class ImageFile:
    """A stored image that is a file."""

    path: Path
    value_range: Range | None = None

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.path)

    def read(self) -> np.ndarray:
        """The RGB pixels: uint8 `(H, W, 3)`."""
        return np.asarray(open_image(self.path, self.value_range, OWN_MAX_PIXELS))

    def in_range(self, value_range: Range) -> "ImageFile":
        """The same image in a range of values."""
        return dataclasses.replace(self, value_range=value_range)


@dataclasses.dataclass(frozen=True)
class Source:
    """A training image: a stored image, or one half of it where A and B stand side by side."""

    stored: StoredImage
    half: Literal["left", "right"] | None = None
    kind: str = "picture"
    """Of its domain: an outline, light on dark, is read dark on light."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.stored.name

    @property
    def mode(self) -> str | None:
        """How the file stores its pixels, by Pillow's name (L, RGB, RGBA, P, I;16 …); None where there is no file."""
        return stored_mode(self.stored.path) if isinstance(self.stored, ImageFile) else None

    def read(self) -> np.ndarray:
        """The RGB pixels: uint8 `(H, W, 3)`.

        Raises:
            ImageError: it cannot be read; one sentence that names it.
        """
        return self.as_kind(self.cut(self.stored.read()))

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """The source's part of the stored image's pixels. Where the width is odd, the last column is left out."""
        middle = pixels.shape[1] // 2
        if self.half is None:
            return pixels
        return pixels[:, :middle] if self.half == "left" else pixels[:, middle : 2 * middle]

    def as_kind(self, pixels: np.ndarray) -> np.ndarray:
        """The source's own pixels as its domain's kind has them: the same array where that changes nothing."""
        if self.kind == "picture":
            return pixels
        image = Image.fromarray(pixels)
        changed = as_kind(image, self.kind)
        return pixels if changed is image else np.asarray(changed)


class Reader:
    """Reads sources; two halves of one stored image that are asked for in a row cost one reading."""

    def __init__(self) -> None:
        self._last: tuple[StoredImage, np.ndarray] | None = None
        self.inverted = 0
        """How many images it read that were light on dark."""

    def read(self, source: Source) -> np.ndarray:
        """The pixels of a source, as its own `read` gives them."""
        if self._last is None or self._last[0] != source.stored:
            self._last = source.stored, source.stored.read()
        pixels = source.cut(self._last[1])
        changed = source.as_kind(pixels)
        self.inverted += changed is not pixels
        return changed


@dataclasses.dataclass(frozen=True)
class Sources:
    """What a data set offers: true pairs (equal lengths, same order) or two unpaired lists."""

    a: list[Source]
    b: list[Source]
    paired: bool

    @classmethod
    def side_by_side(cls, stored: Sequence[StoredImage]) -> "Sources":
        """Pairs from images that hold A in their left half and B in their right half."""
        return cls([Source(image, "left") for image in stored], [Source(image, "right") for image in stored], True)

    def of_kinds(self, a: str, b: str) -> "Sources":
        """The same images, for domains of these kinds."""
        in_a, in_b = (
            [dataclasses.replace(source, kind=kind) for source in domain] for domain, kind in ((self.a, a), (self.b, b))
        )
        return Sources(in_a, in_b, self.paired)

    def for_domains(self, a: Domain, b: Domain) -> "Sources":
        """The same images as those of a checkpoint's domains: of their kinds, in their ranges of values."""
        return self.of_kinds(a.kind, b.kind).in_ranges((a.range, b.range))

    def in_ranges(self, ranges: Ranges) -> "Sources":
        """The same images, each domain in its range of values."""
        a, b = (
            [dataclasses.replace(source, stored=source.stored.in_range(r)) for source in domain] if r else domain
            for domain, r in zip((self.a, self.b), ranges, strict=True)
        )
        return Sources(a, b, self.paired)

    def swapped(self) -> "Sources":
        """A for B and B for A."""
        return Sources(self.b, self.a, self.paired)

    def unpaired(self) -> "Sources":
        """The same images as two unpaired lists."""
        return Sources(self.a, self.b, False)

    def spread(self, count: int) -> "Sources":
        """At most `count` images of each domain, evenly spread. Pairs stay pairs."""
        a, b = ([images[i] for i in spread(len(images), count)] for images in (self.a, self.b))
        return Sources(a, b, self.paired)


def value_ranges(sources: Sources) -> Ranges:
    """The range of values of each domain, from all of its files; None for one whose pictures have 8 bits."""
    return tuple(common_range(map(_extremes, domain)) for domain in (sources.a, sources.b))  # type: ignore[return-value]


def _extremes(source: Source) -> Extremes | None:
    if not isinstance(source.stored, ImageFile):
        return None
    try:
        return extremes(source.stored.path, OWN_MAX_PIXELS)
    except ImageError:
        return None  # named when it is read


def spread(length: int, count: int) -> list[int]:
    """At most `count` different indices of a list, evenly spread from its first to its last."""
    return [int(i) for i in np.linspace(0, length - 1, min(count, length)).round()]
