"""Cars turned from -75° to 75°, as in DiscoGAN's experiments: built of a few solids, seen by a ray tracer.

Every picture has a car of its own, whose proportions and colours are drawn at random, so nobody's models are needed.
Trimesh builds and shades, Embree (the package embreex) finds what a ray meets; neither needs a display.
"""

import csv
import dataclasses
import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from PIL import Image
from tqdm import tqdm

from i2i_models.errors import DataError

from .renderings import Split, new_folder

KIND, SIDE = "car", 64
LIMIT = 75
"""Degrees by which a car is turned at most; 0 shows its front, 75 nearly its left side."""
HELD_OUT = 0.1
RAYS = 2
"""A side of a pixel's square of rays."""
ELEVATION, DISTANCE, OPENING, TARGET = 14, 11.0, 26, (0, 0, 0.62)
"""Of the camera: degrees above the ground, metres from the car, degrees from the left to the right edge, the middle."""
LIGHT, AMBIENT = (0.55, 0.0, 0.83), 0.45
"""The way to the light as the camera sees the world, symmetric, so that a mirrored car is a car."""
GLASS, TYRE, LAMP, GRILLE = (44, 58, 74), (32, 32, 34), (250, 244, 205), (56, 58, 62)

Rgb = tuple[int, int, int]


@dataclasses.dataclass(frozen=True)
class Car:
    """What tells one car from another; metres."""

    length: float
    width: float
    body: float
    """Height of the body, without the cabin."""
    cabin: float
    """Height of the cabin."""
    front: float
    rear: float
    """Where the cabin begins and ends on the body, as a share of its length from the middle."""
    slope_front: float
    slope_rear: float
    """How far the roof stays behind the cabin's foot."""
    wheel: float
    """Radius."""
    paint: Rgb
    roof: Rgb


def cars(out: tyro.conf.Positional[Path], count: int = 2000, seed: int = 1) -> None:
    """Render cars turned by random angles from -75° to 75°, 64×64, each another car: OUT/car.

    A tenth is for tests, the others are for domain A and for domain B by turns. OUT/attributes.csv tells the angles.

    Args:
        out: the folder to make.
        count: how many cars.
        seed: of the cars and angles.
    """
    if count < 10:
        raise DataError("--count must be 10 or more: a tenth of the cars is for tests.")
    trimesh, caster = libraries()
    chance = np.random.default_rng(seed)
    names = [f"{i:05d}" for i in range(count)]
    with new_folder(out) as unfinished:
        (unfinished / KIND).mkdir()
        with (unfinished / "attributes.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(("number", "angle"))
            for name in tqdm(names, unit="car"):
                car, angle = random_car(chance), round(float(chance.uniform(-LIMIT, LIMIT)), 2)
                pixels = render(trimesh, caster, solids(trimesh, car), angle)
                Image.fromarray(pixels).save(unfinished / KIND / f"{name}.webp", lossless=True)
                table.writerow((name, angle))
        trained = names[: count - max(2, round(HELD_OUT * count))]
        Split(trained[::2], trained[1::2], names[len(trained) :]).write(unfinished)
    print(f"{count:,} cars in {out}.")


def libraries() -> tuple[Any, Any]:
    """Trimesh, and its intersector of rays and triangles by Embree.

    Raises:
        DataError: one of the two packages is not installed.
    """
    try:
        return importlib.import_module("trimesh"), importlib.import_module("trimesh.ray.ray_pyembree")
    except ImportError:
        raise DataError("Cars are rendered by trimesh and embreex: pip install trimesh embreex.") from None


def random_car(chance: np.random.Generator) -> Car:
    """A saloon, an estate, a van or a pickup, or something between them."""

    def drawn(low: float, high: float) -> float:
        return float(chance.uniform(low, high))

    paint = painted(drawn(0, 1), drawn(0.35, 0.95), drawn(0.45, 0.95))
    front = drawn(0.02, 0.3)
    return Car(
        length=drawn(3.5, 4.6),
        width=drawn(1.6, 1.95),
        body=drawn(0.5, 0.75),
        cabin=drawn(0.45, 0.8),
        front=front,
        rear=drawn(max(front - 0.72, -0.48), front - 0.4),
        slope_front=drawn(0.2, 0.65),
        slope_rear=drawn(0.05, 0.6),
        wheel=drawn(0.28, 0.38),
        paint=paint,
        roof=paint if chance.random() < 0.7 else (236, 236, 232),
    )


def painted(hue: float, saturation: float, value: float) -> Rgb:
    """A colour from shares of 1."""
    bytes_ = tuple(round(255 * share) for share in (hue, saturation, value))
    red, green, blue = np.asarray(Image.new("HSV", (1, 1), bytes_).convert("RGB"))[0, 0]
    return int(red), int(green), int(blue)


def solids(trimesh: Any, car: Car) -> list[tuple[Any, Rgb]]:
    """The meshes of a car and their colours: forward is x, left is y, up is z, the ground is 0."""
    half, side, floor = car.length / 2, car.width / 2, 0.55 * car.wheel
    top = floor + car.body

    def block(x: tuple[float, float], y: float, z: tuple[float, float], shrunk: float = 0.0, lean: float = 0.0) -> Any:
        """From x to x, y to both sides, z to z; its upper face drawn in at front and back (lean) and all round."""
        corners = [
            (x[end] + (1 - 2 * end) * up * (shrunk + lean), hand * (y - up * shrunk), z[up])
            for up in (0, 1) for end in (0, 1) for hand in (-1, 1)
        ]  # fmt: skip
        return trimesh.Trimesh(corners).convex_hull

    back, front = car.rear * car.length, car.front * car.length
    middle = top + 0.8 * car.cabin

    def cabin(z: tuple[float, float], wider: float) -> Any:
        """A slice of the cabin between two heights."""
        corners = []
        for height in z:
            share = (height - top) / car.cabin
            for x in (back + share * car.slope_rear, front - share * car.slope_front):
                corners += [(x, hand * (side - 0.08 - 0.14 * share + wider), height) for hand in (-1, 1)]
        return trimesh.Trimesh(corners).convex_hull

    found = [
        (block((-half, half), side, (floor, floor + 0.62 * car.body)), car.paint),
        (block((-half, half), side, (floor + 0.62 * car.body, top), 0.07, 0.05), car.paint),
        (cabin((top, middle), 0), GLASS),
        (cabin((middle, top + car.cabin), 0.02), car.roof),
        (block((half - 0.1, half + 0.03), 0.55 * side, (floor + 0.2 * car.body, floor + 0.5 * car.body)), GRILLE),
    ]
    for hand in (-1, 1):
        lamp = block((half - 0.1, half + 0.04), 0.14, (floor + 0.45 * car.body, floor + 0.68 * car.body))
        found.append((lamp.apply_translation((0, hand * (side - 0.2), 0)), LAMP))
        for x in (-0.31 * car.length, 0.31 * car.length):
            tyre = trimesh.creation.cylinder(car.wheel, 0.22, sections=16)
            tyre.apply_transform(trimesh.transformations.rotation_matrix(math.pi / 2, (1, 0, 0)))
            found.append((tyre.apply_translation((x, hand * (side - 0.07), car.wheel)), TYRE))
    return found


def render(trimesh: Any, caster: Any, parts: list[tuple[Any, Rgb]], angle: float) -> np.ndarray:
    """A car turned by `angle` degrees, on white: uint8 `(SIDE, SIDE, 3)`."""
    mesh = trimesh.util.concatenate([part for part, _ in parts])
    colours = np.concatenate([np.tile(np.array([colour]), (len(part.faces), 1)) for part, colour in parts])
    mesh.apply_transform(trimesh.transformations.rotation_matrix(math.radians(angle), (0, 0, 1)))
    origin, ways = rays()
    met = caster.RayMeshIntersector(mesh).intersects_first(np.broadcast_to(origin, ways.shape), ways)
    light = np.array(LIGHT) / np.linalg.norm(LIGHT)
    lit = AMBIENT + (1 - AMBIENT) * np.clip(mesh.face_normals @ light, 0, 1)
    shaded = np.concatenate([colours * lit[:, None], [[255, 255, 255]]])  # the last, -1, is a ray that meets nothing
    return np.rint(shaded[met].reshape(SIDE, RAYS, SIDE, RAYS, 3).mean((1, 3))).astype(np.uint8)


def rays() -> tuple[np.ndarray, np.ndarray]:
    """Where the camera stands, `(3,)`, and the rays' ways, `(N, 3)` in rows from the upper left."""
    cos, sin = math.cos(math.radians(ELEVATION)), math.sin(math.radians(ELEVATION))
    out, right, above = np.array((cos, 0, sin)), np.array((0, 1, 0)), np.array((-sin, 0, cos))
    steps = (np.arange(SIDE * RAYS) + 0.5) / (SIDE * RAYS) * 2 - 1
    reach = math.tan(math.radians(OPENING) / 2)
    ways = -out + reach * (steps[None, :, None] * right - steps[:, None, None] * above)
    return np.array(TARGET) + DISTANCE * out, ways.reshape(-1, 3)
