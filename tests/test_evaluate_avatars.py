"""The measures of avatars, of what changes in a picture, and those that trained networks take."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from test_evaluate_metrics import case
from torch import Tensor, nn

from i2i_models.checkpoints import Domain
from i2i_models.errors import CheckpointError, DataError
from i2i_models.images.tensors import from_bytes, to_bytes
from train.evaluation import avatars, feature_extractors, measures
from train.evaluation.case import Case
from train.evaluation.classifier import CLASSIFIER, DOMAIN, classifier, classifier_of, examples
from train.evaluation.regions import COLOURS, mean_in_regions, read_regions

SIDE = 32
PLACES = (slice(4, 12), slice(12, 24), slice(24, 32))
"""The rows of hair, skin and background."""


def avatar(colours: list[str], column: int, glasses: bool = False) -> np.ndarray:
    """Three stripes of flat colours, a black line down, and glasses: uint8 `(SIDE, SIDE, 3)`."""
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    for rows, colour in zip((slice(4), *PLACES), (colours[2], *colours), strict=True):
        pixels[rows] = [int(colour[i : i + 2], 16) for i in (0, 2, 4)]
    if glasses:
        pixels[14:20, 18:28] = 0
    pixels[:, column] = 0
    return pixels


def stack(pictures: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def people(count: int, **what: bool) -> tuple[Tensor, Tensor]:
    """Sketches and avatars of so many people, each colour in turn."""
    drawn, coloured = [], []
    for i in range(count):
        colours = [palette[(i + 2) % len(palette)] for palette in COLOURS.values()]
        drawn.append(avatar(["ffffff"] * 3, 4 + i % 8))
        coloured.append(avatar(colours, 4 + i % 8, **what))
    return stack(drawn), stack(coloured)


class Painter(nn.Module):
    """A style is the three colours; it paints the stripes in them, and is perfect, or deaf to styles."""

    directions = ("A2B", "B2A")
    style_dim = 9

    def __init__(self, deaf: bool = False) -> None:
        super().__init__()
        self.deaf = nn.Parameter(torch.tensor(float(deaf)))

    def encode_style(self, x: Tensor, domain: str) -> Tensor:
        return torch.cat([x[:, :, rows.start + 1, 0] for rows in PLACES], 1)

    def sample_styles(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        return torch.rand(n, 9, generator=generator) * 1.6 - 0.6

    def translate(self, x: Tensor, direction: str, style: Tensor | None = None, noise: Any = None) -> Tensor:
        style = self.sample_styles(len(x), noise) if style is None else style
        painted = x.clone()
        for rows, colour in zip(PLACES, style.split(3, 1), strict=True):
            painted[:, :, rows] = colour[:, :, None, None] * (1 - self.deaf)
        painted[:, :, :4] = painted[:, :, -1:, :1]
        return torch.where(x < 0, x, painted)


def judged(network: nn.Module, count: int = 12, **what: Any) -> Case:
    sketches, coloured = people(count)
    results = to_bytes(network.translate(from_bytes(sketches), "A2B", noise=torch.Generator().manual_seed(0)))
    return case(sketches, coloured, results, network, source=Domain("sketch", "outline"), **what)


def test_regions_are_read_off_flat_colours_and_found_nowhere_else() -> None:
    sketches, coloured = people(14)
    regions = read_regions(coloured)
    assert regions is not None
    assert regions.indices[:, 0].tolist() == [(i + 2) % 14 for i in range(14)]
    assert bool(regions.masks[3, 1, 20, 0]) and not bool(regions.masks[3, 1, 20, 4 + 3])  # skin, a line through it
    found = mean_in_regions(from_bytes(coloured), regions.masks)
    assert torch.allclose(found, regions.lab, atol=0.1)
    assert read_regions(sketches) is None
    assert read_regions(torch.randint(0, 256, (4, 3, SIDE, SIDE), dtype=torch.uint8)) is None


@torch.inference_mode()
def test_a_painter_that_hears_styles_and_one_that_is_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "st_lpips", lambda: None)
    perfect, deaf = judged(Painter()), judged(Painter(deaf=True))
    to_truth, off = (measures.guided_to_truth(c) for c in (perfect, deaf))
    assert to_truth is not None and off is not None
    assert to_truth["l1"] == 0 and to_truth["ssim"] == pytest.approx(1, abs=1e-4)
    assert 0.1 < to_truth["l1_of_mean_picture"] < to_truth["l1_of_input"]
    assert off["l1"] > 0.2
    guided, unguided = (avatars.guided_colours(c) for c in (perfect, deaf))
    assert guided is not None and unguided is not None
    for region in COLOURS:
        assert guided[region] == pytest.approx(0, abs=0.1)
        assert min(guided[f"{region}_of_other_guide"], unguided[region]) > 10
    colours, grey = (avatars.style_colours(c) for c in (perfect, deaf))
    assert colours is not None and grey is not None
    assert 6 <= colours["hair_colours"] <= 12 and grey["hair_colours"] == 1
    assert colours["hair_between_sketches"] == pytest.approx(0, abs=1e-3)
    assert colours["hair_between_sketches_of_real"] > 20
    lines = avatars.lines_kept(perfect)
    assert lines is not None and lines["precision"] > 0.95 and lines["recall"] > lines["recall_of_real"] - 0.1 > 0.6
    blank = case(perfect.inputs, perfect.reals, torch.full_like(perfect.reals, 200), Painter(), source=perfect.source)
    assert (avatars.lines_kept(blank) or {})["f1"] == 0


def test_colours_are_clearly_different_from_all_counted_before() -> None:
    colours = torch.tensor([[0.0, 0, 0], [19, 0, 0], [21, 0, 0], [40, 0, 0], [42, 0, 0]])
    assert avatars.clearly_different(colours) == 3  # 0, 21 and 42


class ByBrightness:
    """A classifier that sees whether the middle of a picture is dark."""

    def __init__(self) -> None:
        self.attributes = {DOMAIN: ["A", "B"], "hair": ["dark", "bright"]}

    def probabilities(self, pictures: Tensor) -> dict[str, Tensor]:
        bright = (pictures[:, :, 17, 20].float().mean(1) > 20).long()
        return {DOMAIN: nn.functional.one_hot(1 - bright, 2).float(), "hair": nn.functional.one_hot(bright, 2).float()}


@torch.inference_mode()
def test_what_a_classifier_sees() -> None:
    one_hot = torch.eye(4).repeat(3, 1)
    assert float(avatars.mean_divergence(one_hot).exp()) == pytest.approx(4)
    assert float(avatars.mean_divergence(one_hot[:1].expand(5, -1)).exp()) == pytest.approx(1)
    scores = avatars.attribute_scores(judged(Painter(deaf=True), classifier=ByBrightness()))
    assert scores is not None and scores["hair_is"] == scores["hair_cis"] == pytest.approx(1)
    (_, plain), (_, glasses) = people(8), people(8, glasses=True)
    half = torch.cat([glasses[:4], plain[4:]])
    told = avatars.domain_told(case(plain, glasses, half, classifier=ByBrightness()))
    assert told == {"flipped": 0.5, "flipped_of_real": 1, "flipped_of_input": 0}
    back = avatars.domain_told(case(glasses, plain, half, classifier=ByBrightness()))
    assert back == {"flipped": 0.5, "flipped_of_real": 1, "flipped_of_input": 0}
    for measure in (avatars.domain_told, avatars.attribute_scores):
        assert measure(case(plain, glasses, half)) is None


def test_the_change_is_a_box_around_what_differs_in_true_pairs() -> None:
    (_, plain), (_, glasses) = people(8), people(8, glasses=True)
    spoilt = plain.clone()
    spoilt[:, :, :4] = 255 - spoilt[:, :, :4]
    found, worse, exact = (avatars.outside_the_change(case(plain, glasses, x)) for x in (plain, spoilt, glasses))
    assert found is not None and worse is not None and exact is not None
    assert found["box"] == 10 * 14 / SIDE**2
    assert found["outside_l1"] == 0 and found["inside_l1"] == found["inside_l1_of_input"] > 0.2
    assert worse["outside_l1"] > 0.1 and exact["inside_l1"] == 0
    assert avatars.outside_the_change(case(plain, plain, plain)) is None
    assert avatars.outside_the_change(case(plain, 255 - plain, plain)) is None


def folder_of(root: Path, glasses: bool) -> Path:
    """A data set of sketches and avatars, or of avatars without and with glasses."""
    for split, count in (("train", 70), ("test", 20)):
        sketches, plain = people(count)
        b = people(count, glasses=True)[1] if glasses else plain
        for side, pictures in (("A", plain if glasses else sketches), ("B", b)):
            (root / f"{split}{side}").mkdir(parents=True)
            for i, picture in enumerate(pictures.permute(0, 2, 3, 1).numpy()):
                Image.fromarray(picture).save(root / f"{split}{side}" / f"{i:02d}.png")
    return root


def test_a_classifier_learns_what_the_data_show_and_is_the_same_again(tmp_path: Path, capsys: Any) -> None:
    data = folder_of(tmp_path / "glasses", glasses=True)
    files = []
    for _ in range(2):
        classifier(str(data), base_width=4, steps=150, batch_size=16)
        files.append((data / CLASSIFIER).read_bytes())
    assert files[0] == files[1]
    said = capsys.readouterr().out.splitlines()[:4]
    assert [line.split(":")[0] for line in said] == [DOMAIN, *COLOURS]
    assert float(said[0].split()[1]) > 0.9 and "of real held-out pictures right, 2 values" in said[0]
    found = classifier_of(str(data))
    assert found is not None and float(found.probabilities(people(3)[1])["hair"].sum()) == pytest.approx(3)
    (data / CLASSIFIER).write_bytes(b"no")
    with pytest.raises(CheckpointError, match=r"is no classifier or damaged .*: train it again"):
        classifier_of(str(data))
    _, wanted, attributes = examples(str(folder_of(tmp_path / "sketches", glasses=False)), "test")
    assert list(attributes) == list(COLOURS) and len(wanted["skin"]) == 20
    assert classifier_of(str(tmp_path)) is None
    with pytest.raises(DataError, match="is not a folder"):
        classifier("owner/name")


def test_st_lpips_is_that_of_its_package_and_sees_equals() -> None:
    perceived = feature_extractors.ShiftTolerantLpips()
    x, y = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    found = perceived.distance(perceived.features(x), perceived.features(y))
    assert torch.allclose(found, perceived.network(x, y).flatten(), atol=1e-4) and float(found.min()) > 0
    assert perceived.distance(perceived.features(x), perceived.features(x)).tolist() == [0, 0]


def test_halves_of_the_real_images_stand_beside_the_lite_distances() -> None:
    network = feature_extractors.LiteFeatures()
    assert network(torch.zeros(2, 3, 32, 32, dtype=torch.uint8)).shape == (2, network.num_features)


def test_lite_distances_compare_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mean(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.double().mean((2, 3))

    monkeypatch.setattr(measures, "lite_features", lambda: Mean())
    images = torch.randint(50, 200, (41, 3, 8, 8), dtype=torch.uint8)
    values = measures.lite_distances(case(images, images, images + 10))
    assert values is not None and values["images"] == 40
    assert values["frechet"] > 200 > values["frechet_of_real_halves"]
    assert set(values) == {"images", "frechet", "kernel", "frechet_of_real_halves", "kernel_of_real_halves"}
