"""Styles: as text, in between, where real ones lie, in files whole and damaged."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from test_evaluate_avatars import PLACES, people
from tiny_munit import DIM, TINY, a_space, load_tiny
from torch import Tensor, nn

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.checkpoints import STYLES
from i2i_models.checkpoints.styles import (
    LIMIT,
    StyleSpace,
    check_style,
    format_style,
    interpolate,
    load_styles,
    parse_style,
    principal,
    prior,
    save_styles,
    varied_examples,
)
from i2i_models.errors import CheckpointError, DirectionError, StyleError, TrainingError
from train.data.augmentation import Augmentation
from train.evaluation.regions import COLOURS
from train.loop.options import Job, Options
from train.loop.style_names import name_directions
from train.loop.styles import find_styles, styles, training_images
from train.loop.trainer import train


@pytest.fixture
def translator(tmp_path: Path) -> i2i.Translator:
    """An untrained MUNIT of 32 pixels."""
    return load_tiny(tmp_path)


# ---- text


def test_text_round_trip() -> None:
    style = torch.tensor([0.5, -1.25, 0.0, 3.00004, -0.00001])
    text = format_style(style)
    assert text == "munit:v1:0.5,-1.25,0,3,0"
    assert torch.allclose(parse_style(text, 5), style, atol=1e-4)
    for _ in range(50):
        text = format_style(torch.randn(8) * 3)
        assert format_style(parse_style(text, 8)) == text


def test_text_as_people_paste_it() -> None:
    for pasted in (" munit:v1: 1, 2,3 ,4\n", "1 2 3 4", "1;2;3;4", "1\n2\n3\n4", "1e0,2.0,3,4"):
        assert parse_style(pasted, 4).tolist() == [1, 2, 3, 4], pasted


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", "munit:v1:", "hello", "munit:v2:1,2,3,4", "1,2,three,4", "<b>1</b>", "1,2,3", "1,2,3,4,5"),
        *("nan,0,0,0", "inf,0,0,0", "0,0,0,1e9", f"{LIMIT + 0.1},0,0,0", "9" * 400 + ",0,0,0"),
    ],
)
def test_text_that_is_no_style(text: str) -> None:
    with pytest.raises(StyleError) as error:
        parse_style(text, 4)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize(
    "values",
    [
        *(None, 3, "1234", {"a": 1}, [1, 2, 3], [1, 2, 3, "4"], [1, 2, 3, True], [1, 2, 3, None]),
        *([0, 0, 0, 10**400], [math.nan] * 4, [math.inf, 0, 0, 0], [0, 0, 0, -LIMIT - 1]),
    ],
)
def test_numbers_that_are_no_style(values: object) -> None:
    with pytest.raises(StyleError):
        check_style(values, 4)


# ---- in between


def test_the_way_begins_and_ends_where_it_should() -> None:
    for a, b in ((torch.randn(8), torch.randn(8)) for _ in range(20)):
        way = interpolate(a, b, torch.tensor([0.0, 1.0]))
        assert torch.allclose(way, torch.stack([a, b]), atol=1e-5)


def test_the_way_keeps_the_length_and_the_pace() -> None:
    a, b = torch.randn(2, 8)
    way = interpolate(a, b, torch.linspace(0, 1, 101))
    expected = torch.lerp(a.norm(), b.norm(), torch.linspace(0, 1, 101))
    assert torch.allclose(way.norm(dim=1), expected, atol=1e-4)
    turns = torch.nn.functional.cosine_similarity(way[1:], way[:-1]).clamp(max=1).arccos()
    assert float(turns.max() - turns.min()) < 2e-3
    assert float((way[1:] - way[:-1]).norm(dim=1).max()) < 0.1 * math.pi


@pytest.mark.parametrize(
    ("a", "b"),
    [([1.0, 0.0], [2.0, 0.0]), ([1.0, 0.0], [-1.0, 0.0]), ([0.0, 0.0], [1.0, 1.0]), ([0.0, 0.0], [0.0, 0.0])],
)
def test_a_straight_way_where_there_is_no_circle(a: list[float], b: list[float]) -> None:
    way = interpolate(torch.tensor(a), torch.tensor(b), torch.tensor([0.0, 0.5, 1.0]))
    assert torch.allclose(way, torch.tensor([a, [(x + y) / 2 for x, y in zip(a, b, strict=True)], b]))


def test_almost_equal_ends_differ_little_from_the_straight_way() -> None:
    a = torch.tensor([3.0, 0.0, 0.0])
    b = torch.tensor([3.0, 0.02, 0.0])
    middle = interpolate(a, b, torch.tensor([0.5]))[0]
    assert torch.allclose(middle, (a + b) / 2, atol=1e-4)


# ---- where real styles lie


def test_principal_finds_known_directions() -> None:
    basis = torch.linalg.qr(torch.randn(6, 6)).Q
    deviations = torch.tensor([4.0, 2.0, 1.0, 0.5, 0.25, 0.1])
    mean = torch.randn(6)
    codes = torch.randn(20_000, 6) * deviations @ basis.T + mean
    found_mean, directions, found = principal(codes)
    assert torch.allclose(found_mean, mean, atol=0.1)
    assert torch.allclose(found, deviations, rtol=0.05)
    assert torch.allclose((directions @ basis).abs(), torch.eye(6), atol=0.05)
    assert torch.allclose(directions @ directions.T, torch.eye(6), atol=1e-5)


def test_principal_is_the_same_whatever_the_order() -> None:
    codes = torch.randn(40, 5) * torch.arange(1.0, 6)
    for one, other in zip(principal(codes), principal(codes.flip(0)), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_styles_that_do_not_vary_still_have_directions() -> None:
    _, directions, deviations = principal(torch.ones(5, 4))
    assert (deviations > 0).all() and torch.allclose(directions @ directions.T, torch.eye(4), atol=1e-6)


def test_examples_differ_and_oddities_are_left_aside() -> None:
    clusters = torch.tensor([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [6.0, 6.0]])
    codes = torch.cat([c + 0.1 * torch.randn(30, 2) for c in clusters] + [torch.tensor([[300.0, -300.0]])])
    chosen = varied_examples(codes, 4)
    assert sorted({i // 30 for i in chosen}) == [0, 1, 2, 3]
    assert varied_examples(torch.zeros(3, 2), 5) == [0], "equal styles need one example"


def test_find_styles_encodes_each_training_image(translator: i2i.Translator, pairs: Path) -> None:
    images = training_images(translator.info, str(pairs))
    spaces = find_styles(translator.network, images, 32, batch_size=5)
    for domain in "AB":
        space = spaces[domain]
        assert 2 <= len(space.styles) <= 10 and space.pictures.shape == (len(space.styles), 3, 32, 32)
        for style, picture in zip(space.styles, space.pictures, strict=True):
            image = Image.fromarray(picture.permute(1, 2, 0).numpy())
            assert torch.allclose(translator.encode_style(image, domain), style, atol=1e-4)
    limited = find_styles(translator.network, images, 32, limit=3)
    assert len(limited["B"].styles) <= 3


def test_the_command_and_the_export_write_the_same(pairs: Path, tmp_path: Path) -> None:
    augment = Augmentation(enlarge=1.25, vary_hue=True)
    options = Options(str(pairs), tmp_path / "out", size=32, steps=1, batch_size=2, run=tmp_path / "run", seed=3)
    train("munit", Job(options, TINY, i2i.MUNIT.Objective(), augment))
    path = tmp_path / "out" / STYLES
    exported = load_file(path)
    path.unlink()
    styles(tmp_path / "out", str(pairs))
    again = load_file(path)
    assert set(again) == set(exported)
    # The export knows the averaged weights in full, the command reads them back in half precision.
    assert torch.allclose(exported["B.mean"], again["B.mean"], atol=2e-2)
    assert torch.equal(exported["B.pictures"][0], again["B.pictures"][0])


def test_no_styles_where_the_method_has_none(pairs: Path, tmp_path: Path) -> None:
    network = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4))
    domains = {"A": checkpoints.Domain("a"), "B": checkpoints.Domain("b")}
    checkpoints.save(tmp_path / "p", network, checkpoints.Info("p", "P", "pix2pix", 32, domains))
    with pytest.raises(TrainingError, match="no style"):
        styles(tmp_path / "p", str(pairs))
    with pytest.raises(DirectionError, match="no style"):
        i2i.load(tmp_path / "p").encode_style(Image.new("RGB", (32, 32)), "B")


# ---- named directions


class Mixed(nn.Module):
    """Paints the three regions of an avatar in colours that are a rotation of the style: each number changes all."""

    def __init__(self, deaf: bool = False) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.mix = nn.Parameter(torch.linalg.qr(torch.randn(9, 9)).Q * (0 if deaf else 0.2))

    def encode(self, x: Tensor, direction: str) -> Tensor:
        return x

    def decode(self, x: Tensor, direction: str, style: Tensor) -> Tensor:
        painted = x.clone()
        for rows, colour in zip(PLACES, (style @ self.mix).split(3, 1), strict=True):
            painted[:, :, rows] = colour[:, :, None, None]
        return painted


@torch.inference_mode()
def test_directions_are_turned_to_change_one_thing_and_named_after_it(capsys: pytest.CaptureFixture[str]) -> None:
    pictures = people(8)[1]
    space = StyleSpace(*principal(torch.randn(300, 9)), torch.zeros(0, 9), torch.zeros(0, 3, 8, 8, dtype=torch.uint8))
    network = Mixed()
    named = name_directions(network, "B", pictures, space)
    assert set(named.names[:3]) == {"hair", "skin", "background"} and named.names[3:] == ("",) * 6
    assert torch.allclose(named.directions @ named.directions.T, torch.eye(9), atol=1e-4)
    for name, direction in zip(named.names[:3], named.directions[:3], strict=True):
        changed = (direction @ network.mix).unflatten(0, (3, 3)).norm(dim=1)
        others = [i for i, region in enumerate(COLOURS) if region != name]
        assert float(changed[list(COLOURS).index(name)]) > 3 * float(changed[others].max()), name
    assert "correlation with hair" in capsys.readouterr().out
    assert name_directions(Mixed(deaf=True), "B", pictures, space) is space
    assert name_directions(network, "A", people(8)[0], space) is space


@pytest.mark.parametrize("names", ['["a"]', '[1, "", "", ""]', '["<b>", "", "", ""]', "{", "[" * 2000, '"abcd"'])
def test_names_of_untrusted_origin(tmp_path: Path, names: str) -> None:
    save_styles(tmp_path, {"A": a_space(), "B": a_space()})
    save_file(load_file(tmp_path / STYLES), tmp_path / STYLES, metadata={"B.names": names})
    with pytest.raises(CheckpointError, match=r"B\.names must be 4 short words or none"):
        load_styles(tmp_path, DIM)


# ---- files


def test_files_round_trip(tmp_path: Path) -> None:
    spaces = {"A": a_space(), "B": dataclasses.replace(a_space(0), names=("hair", "", "skin", "Haar-Farbe 2"))}
    save_styles(tmp_path, spaces)
    for domain, space in load_styles(tmp_path, DIM).items():
        assert space.names == spaces[domain].names
        for name in ("mean", "directions", "deviations", "styles", "pictures"):
            assert torch.equal(getattr(space, name), getattr(spaces[domain], name)), name


def test_without_a_file_the_prior(translator: i2i.Translator) -> None:
    for space in translator.styles.values():
        assert torch.equal(space.mean, torch.zeros(DIM)) and torch.equal(space.directions, torch.eye(DIM))
        assert torch.equal(space.deviations, torch.ones(DIM)) and len(space.styles) == len(space.pictures) == 0


def damaged(tensors: dict[str, Tensor], name: str, value: Tensor | None) -> dict[str, Tensor]:
    rest = {key: tensor for key, tensor in tensors.items() if key != name}
    return rest if value is None else {**rest, name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("B.mean", None),
        ("B.mean", torch.zeros(DIM + 1)),
        ("B.mean", torch.full((DIM,), math.nan)),
        ("B.mean", torch.full((DIM,), 1e9)),
        ("B.mean", torch.zeros(DIM, dtype=torch.int64)),
        ("A.directions", torch.ones(DIM, DIM)),
        ("A.directions", torch.zeros(DIM)),
        ("A.deviations", torch.zeros(DIM)),
        ("A.deviations", -torch.ones(DIM)),
        ("B.styles", torch.zeros(3, DIM + 1)),
        ("B.styles", torch.zeros(2, DIM)),
        ("B.styles", torch.zeros(DIM)),
        ("B.pictures", torch.zeros(3, 3, 8, 9, dtype=torch.uint8)),
        ("B.pictures", torch.zeros(3, 3, 8, 8)),
        ("B.pictures", torch.zeros(3, 3, 999, 999, dtype=torch.uint8)),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, value: Tensor | None) -> None:
    save_styles(tmp_path, {"A": a_space(), "B": a_space()})
    save_file(damaged(load_file(tmp_path / STYLES), name, value), tmp_path / STYLES)
    with pytest.raises(CheckpointError) as error:
        load_styles(tmp_path, DIM)
    domain, _, field = name.partition(".")
    assert STYLES in str(error.value) and f"{domain}." in str(error.value)
    assert field in str(error.value) or "pictures" in str(error.value)


def test_a_file_that_is_no_safetensors(tmp_path: Path) -> None:
    (tmp_path / STYLES).write_text("not at all")
    with pytest.raises(CheckpointError, match=STYLES):
        load_styles(tmp_path, DIM)
    assert load_styles(None, DIM)["A"].dim == DIM == prior(DIM).dim


# ---- the translator


def test_many_styles_in_one_pass_are_those_of_single_passes(translator: i2i.Translator) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 28, 3), dtype=np.uint8))
    many = torch.randn(5, DIM)
    for direction in translator.directions:
        codes = translator.encode(image, direction)
        results = translator.decode_each(codes, many)
        assert len({result.tobytes() for result in results}) == 5, "styles do not show"
        for result, style in zip(results, many, strict=True):
            single = translator.decode(codes, style)
            assert result.size == single.size == image.size
            difference = np.asarray(result).astype(int) - np.asarray(single).astype(int)
            assert abs(difference).max() <= 2


def test_a_style_of_an_image_of_any_size(translator: i2i.Translator) -> None:
    style = translator.encode_style(Image.new("L", (50, 20), 100), "B")
    assert style.shape == (DIM,) and bool(style.isfinite().all())
    with pytest.raises(DirectionError):
        translator.encode_style(Image.new("RGB", (32, 32)), "C")
