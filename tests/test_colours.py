"""Flat, coloured drawings are varied as people paint."""

import colorsys

import numpy as np
import pytest
from PIL import Image

from i2i_models.images.flat_colours import few_colours, flat_colours
from train.data.colours import simplify_flat, vary_colours, warp

RED, GREEN, BLUE = (200, 40, 40), (40, 160, 60), (30, 60, 190)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawing(size: int = 128) -> np.ndarray:
    """A red square with a green half, a blue dot of three pixels and a soft edge, on white."""
    flat = np.full((size, size, 3), 255, np.uint8)
    flat[size // 4 : -size // 4, size // 4 : -size // 4] = RED
    flat[size // 4 : -size // 4, size // 2 : -size // 4] = GREEN
    flat[size // 2 : size // 2 + 3, size // 3 : size // 3 + 3] = BLUE
    flat[size // 4 - 1, size // 4 : -size // 4] = (228, 148, 148)
    return flat


def test_colours_vary_alike_and_white_black_and_greys_stay() -> None:
    flat = drawing()
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, 2)
    hues = []
    for seed in range(20):
        first, second, grey = vary_colours([flat, flat[::-1], greys], rng(seed))
        assert np.array_equal(first, second[::-1])
        assert (first[0] == 255).all()
        assert (grey == grey[..., :1]).all() and grey[0, 0, 0] == 0 and grey[255, 0, 0] == 255
        assert (np.diff(grey[:, 0, 0].astype(int)) >= 0).all()
        hues.append(colorsys.rgb_to_hls(*first[64, 40] / 255)[0])
    assert np.ptp(hues) > 0.7
    assert np.array_equal(vary_colours([flat], rng(3))[0], vary_colours([flat], rng(3))[0])


def test_a_simplified_drawing_has_few_of_its_own_colours_and_no_small_details() -> None:
    flat = drawing()
    kept = [simplify_flat(flat, rng(seed), clean=0) for seed in range(20)]
    for painted in kept:
        assert (painted[:20] == 255).all()
        for colour, column in ((RED, 45), (GREEN, 80)):
            assert np.abs(painted[50, column].astype(int) - colour).max() <= 4
    dots = [(painted[..., 2] > 1.0 * painted[..., 0] + 60).any() for painted in kept]
    assert 0 < sum(dots) < len(dots)
    edges = {painted[:, 45, 1].argmin() for painted in kept}
    assert len(edges) > 1 and max(abs(int(edge) - 32) for edge in edges) <= 6
    assert simplify_flat(flat, rng(0), clean=1) is flat


def test_few_colours_are_the_most_frequent_and_edges_get_none() -> None:
    painted = few_colours(drawing(), 2)
    assert len(np.unique(painted.reshape(-1, 3), axis=0)) == 3
    assert (painted[0] == 255).all()
    assert np.abs(painted[40, 40].astype(int) - RED).max() <= 4
    assert (few_colours(np.full((4, 4, 3), 255, np.uint8), 5) == 255).all()


def test_a_photo_in_flat_colours_has_no_shading() -> None:
    shaded = np.full((200, 300, 3), 255, np.uint8)
    shaded[50:150, 50:250] = np.linspace((200, 40, 40), (230, 60, 60), 200)[None]
    shaded[80:120, 100:200] = (20, 60, 200)
    flat = flat_colours(Image.fromarray(shaded))
    assert flat.size == (300, 200)
    pixels = np.asarray(flat)
    assert (pixels[5, 5] == 255).all()
    assert len(np.unique(pixels[55:75, 55:245].reshape(-1, 3), axis=0)) == 1, "a gradient stayed"
    assert pixels[100, 150, 2] > 180 > 60 > pixels[100, 150, 0]
    for size in ((2, 900), (900, 2), (8, 8)):
        assert flat_colours(Image.new("RGB", size, "navy")).size == size


@pytest.mark.parametrize("size", [64, 128])
def test_a_warp_moves_a_pair_alike_and_keeps_white_outside(size: int) -> None:
    flat = drawing(size)
    first, second = warp([flat, 255 - flat], 2, rng(1))
    assert np.abs(first.astype(int) + second - 255).max() <= 1
    assert (first[0] == 255).all()
    assert not np.array_equal(first, flat)
    assert np.array_equal(warp([flat], 0, rng(1))[0], flat)
