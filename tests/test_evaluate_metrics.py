"""Each measure against a case whose answer is known."""

import math
from typing import Any
from urllib.error import URLError

import pytest
import torch
from conftest import FACADES
from test_methods import tiny
from torch import Tensor, nn

from i2i_models import checkpoints
from i2i_models.errors import CheckpointError
from i2i_models.images.tensors import to_bytes
from train.evaluation import feature_extractors, label_reader, measures, metrics
from train.evaluation.label_reader import LabelReader
from train.evaluation.measures import PRIOR, Case

PALETTE = {"wall": (0, 0, 255), "door": (255, 0, 0), "roof": (0, 255, 0)}


def grey(*values: float, size: int = 16) -> Tensor:
    """An image of one grey for each value."""
    return torch.tensor(values)[:, None, None, None].expand(-1, 3, size, size).clone()


def painted(*rows: str) -> Tensor:
    """A uint8 label map `(1, 3, H, W)` of the letters w, d, r."""
    colours = {name[0]: colour for name, colour in PALETTE.items()}
    return torch.tensor([[colours[c] for c in row] for row in rows], dtype=torch.uint8).permute(2, 0, 1)[None]


def case(inputs: Tensor, reals: Tensor, results: Tensor, network: Any = None, **what: Any) -> Case:
    domain = checkpoints.Domain("x")
    fields = {"direction": "A2B", "source": domain, "target": domain, "paired": True, "batch_size": 2} | what
    return Case(network, inputs=inputs, reals=reals, results=results, **fields)


def test_l1_and_psnr() -> None:
    assert metrics.l1(grey(0.5, -1), grey(0.25, 1)).tolist() == [0.25, 2]
    assert metrics.psnr(4.0) == 0
    assert metrics.psnr(0.04) == pytest.approx(20)
    assert metrics.psnr(0.0) == 100


def test_ssim_of_flat_images_follows_the_formula() -> None:
    x, y, c1 = 0.75, 0.6, 0.01**2
    expected = (2 * x * y + c1) / (x**2 + y**2 + c1)  # no variance: only the luminance factor is left
    assert metrics.ssim(grey(0.5, -0.5), grey(0.2, -0.5)).tolist() == pytest.approx([expected, 1], abs=1e-3)
    noise = torch.rand(1, 3, 16, 16) * 2 - 1
    assert metrics.ssim(noise, -noise).item() < -0.9


def test_the_mean_pictures_l1() -> None:
    assert metrics.mean_picture_l1(to_bytes(grey(-1, 1, -1, 1))) == pytest.approx(1)
    assert metrics.mean_picture_l1(to_bytes(grey(0.2, 0.2))) == 0


def test_fine_energy_is_that_of_a_checkerboard_and_not_of_a_slope() -> None:
    checkerboard = ((torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2.0 - 1).expand(1, 3, 16, 16)
    waves = torch.cos(2 * torch.pi * torch.arange(16) * 4 / 16).expand(1, 3, 16, 16)  # 0.25 cycles a pixel
    energy = metrics.fine_energy(torch.cat([checkerboard, 0.5 * checkerboard, waves, grey(0.5)]))
    assert energy.tolist() == pytest.approx([1, 0.25, 0, 0], abs=1e-6)
    noisy = 0.5 * waves + 0.1 * checkerboard
    values = measures.fine_detail(case(*(to_bytes(x) for x in (waves, 0.2 * checkerboard, noisy))))
    assert values is not None and values["energy_ratio"] == pytest.approx(0.25, rel=0.1)


def test_lab_of_known_colours() -> None:
    colours = torch.tensor([[1.0, 1, 1], [-1, -1, -1], [1, -1, -1], [-1, -1, 1]])[:, :, None, None].expand(-1, -1, 8, 8)
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    torch.testing.assert_close(metrics.mean_lab(colours), torch.tensor(expected), atol=0.1, rtol=0)
    black, white = metrics.mean_lab(grey(-1, 1)).split(1)
    assert metrics.colour_distance(black, white).item() == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize("chunk", [1, 2, 64])
def test_mean_pairwise_counts_every_pair_once(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "CHUNK", chunk)
    x = torch.tensor([[0.0], [1.0], [4.0]])
    assert metrics.mean_pairwise(x, lambda a, b: (a - b).abs().mean(1)) == pytest.approx((1 + 4 + 3) / 3)
    assert metrics.mean_pairwise(x, lambda a, b: (a - b).abs().mean()) == pytest.approx(8 / 3)


def test_strokes_one_pixel_off_are_right_and_two_are_not() -> None:
    def line(*columns: int) -> Tensor:
        x = torch.ones(1, 3, 9, 9)
        x[..., list(columns)] = -1
        return x

    def f1(drawn: Tensor, true: Tensor) -> dict[str, float]:
        return metrics.stroke_f1(metrics.dark_pixels(drawn), metrics.dark_pixels(true))

    assert f1(line(4), line(4))["f1"] == 1
    assert f1(line(3), line(4))["f1"] == 1
    assert f1(line(2), line(4))["f1"] == 0
    assert f1(line(4, 8), line(4)) == pytest.approx({"precision": 0.5, "recall": 1, "f1": 2 / 3})
    assert f1(line(), line(4)) == {"precision": 0, "recall": 0, "f1": 0}
    values = measures.strokes(
        case(to_bytes(line()), to_bytes(line(4)), to_bytes(line(5)), target=checkpoints.Domain("o", "outline"))
    )
    assert values == {"f1": 1, "precision": 1, "recall": 1, "f1_of_black": pytest.approx(0.5)}  # 3 of 9 columns


def test_segmentation_scores_of_a_matrix_done_by_hand() -> None:
    counts = torch.tensor([[6, 2, 0], [1, 1, 0], [0, 0, 0]])
    scores = metrics.segmentation_scores(counts)
    assert scores == pytest.approx(
        {"pixel_accuracy": 0.7, "class_accuracy": (6 / 8 + 1 / 2) / 2, "class_iou": (6 / 9 + 1 / 4) / 2}
    )
    constant = metrics.segmentation_scores(metrics.constant_confusion(counts))
    assert constant == pytest.approx({"pixel_accuracy": 0.8, "class_accuracy": 0.5, "class_iou": 0.4})


def test_confusion_has_the_truth_in_rows() -> None:
    counts = metrics.confusion(torch.tensor([[0, 1], [1, 2]]), torch.tensor([[0, 0], [1, 1]]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 0]]


def test_within_16_looks_at_the_largest_channel() -> None:
    truth = torch.full((1, 3, 1, 4), 100, dtype=torch.uint8)
    result = truth.clone()
    result[0, 0] = torch.tensor([[116, 84, 117, 83]])
    assert metrics.within(result, truth).item() == 0.5
    dark = torch.full_like(truth, 5)
    assert metrics.within(255 - dark, dark).item() == 0, "bytes must not wrap round"


def test_label_colours_of_maps_done_by_hand() -> None:
    true, made = painted("wwww", "wwdd"), painted("wwww", "wrdr")
    made[:, :, 0, 0] += torch.tensor([17, 0, 0], dtype=torch.uint8)  # still nearest to wall, no longer within 16
    values = measures.label_colours(case(true, true, made, target=checkpoints.Domain("m", "labels", PALETTE)))
    assert values is not None
    assert values["pixel_accuracy"] == pytest.approx(6 / 8)
    assert values["class_accuracy"] == pytest.approx((5 / 6 + 1 / 2) / 2)
    assert values["class_iou"] == pytest.approx((5 / 6 + 1 / 2) / 2)
    assert values["within_16"] == pytest.approx(5 / 8)
    assert (values["pixel_accuracy_of_constant"], values["within_16_of_constant"]) == (0.75, 0.75)


class EveryLabel(nn.Module):
    """Reads photos that are label maps themselves."""

    size, palette = 4, PALETTE

    def read(self, photos: Tensor) -> Tensor:
        return label_reader.label_maps(photos, PALETTE)


def test_label_score_of_a_reader_that_sees_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "readers_for", lambda palette: [EveryLabel(), EveryLabel()])
    maps = painted("wwww", "wwww", "wwdd", "wwdd")
    network = nn.Conv2d(1, 1, 1)
    source = checkpoints.Domain("m", "labels", PALETTE)
    values = measures.label_score(case(maps, maps, painted("wwww", "wwww", "wwww", "wwdd"), network, source=source))
    assert values is not None
    assert (values["size"], values["readers"]) == (4, 2)
    assert values["pixel_accuracy"] == pytest.approx(14 / 16)
    assert values["class_accuracy"] == pytest.approx(0.75)
    assert values["class_iou"] == pytest.approx((12 / 14 + 2 / 4) / 2)
    assert (values["pixel_accuracy_of_real"], values["class_iou_of_real"]) == (1, 1)
    assert (values["pixel_accuracy_of_constant"], values["class_iou_of_constant"]) == (0.75, 0.375)


def test_labels_shrink_without_mixing() -> None:
    maps = torch.tensor([[[0, 0, 2, 2]] * 4])
    assert label_reader.shrink_labels(maps, 2).tolist() == [[[0, 2], [0, 2]]]


def test_a_reader_is_saved_found_by_its_labels_and_refused_if_damaged(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(label_reader, "READERS", tmp_path)
    assert label_reader.readers_for(FACADES) == []
    assert "Label score skipped" in capsys.readouterr().out
    reader = LabelReader(FACADES, 32, 4).half().float().eval()
    reader.save(tmp_path / "sub" / ".." / "facades.safetensors")
    (found,) = label_reader.readers_for(FACADES)
    photos = to_bytes(torch.rand(3, 3, 64, 64) * 2 - 1)
    assert torch.equal(found.read(photos), reader.read(photos))
    assert found.read(photos).shape == (3, 32, 32)
    assert label_reader.readers_for(PALETTE) == []
    (tmp_path / "facades.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match=r"facades\.safetensors is no label reader"):
        label_reader.readers_for(FACADES)


def test_truth_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "st_lpips", lambda: None)
    values = measures.truth(case(*(to_bytes(grey(*v)) for v in ([0, 0], [-0.2, 0.2], [0, 0]))))
    assert values is not None
    assert values["l1_of_input"] == values["l1"] == pytest.approx(0.2, abs=0.005)
    assert values["l1_of_mean_picture"] == pytest.approx(0.2, abs=0.005)
    assert values["psnr"] == pytest.approx(20, abs=0.2)


def test_variety_tells_a_collapse() -> None:
    reals = to_bytes(grey(-0.5, 0, 0.5))
    same = measures.variety(case(reals, reals, to_bytes(grey(0.3, 0.3, 0.3))))
    half = measures.variety(case(reals, reals, to_bytes(grey(-0.25, 0, 0.25))))
    assert same is not None and half is not None
    assert same["ratio"] == 0
    assert half["distance_of_real"] == pytest.approx(2 / 3, abs=0.01)
    assert half["ratio"] == pytest.approx(0.5, abs=0.01)


class Tinted(nn.Module):
    """A style is an RGB tint, the content what is left without it: a network with perfect codes, or deaf to styles."""

    directions = ("A2B", "B2A")
    style_dim = 3

    def __init__(self, deaf: bool = False) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.tensor(0.0 if deaf else 0.1))

    def encode(self, x: Tensor, direction: str) -> Tensor:
        return x - x.mean((2, 3), keepdim=True)

    def encode_style(self, x: Tensor, domain: str) -> Tensor:
        return x.mean((2, 3)) / self.strength if self.strength else torch.zeros(len(x), 3)

    def sample_styles(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        return torch.randn(n, 3, generator=generator)

    def decode(self, codes: Tensor, direction: str, style: Tensor | None = None) -> Tensor:
        return codes + self.strength * style[:, :, None, None]

    def translate(self, x: Tensor, direction: str, style: Tensor | None = None, noise: Any = None) -> Tensor:
        style = self.sample_styles(len(x), noise) if style is None else style
        return self.decode(self.encode(x, direction), direction, style)


def chequered(n: int) -> Tensor:
    """Images of different patterns in different tints, with room for a style on top."""
    patterns = (torch.rand(n, 1, 16, 16) - 0.5) * 0.4
    return to_bytes(patterns + 0.3 * torch.randn(n, 3, 1, 1).clamp(-1.5, 1.5))


@torch.inference_mode()
def test_styles_of_perfect_codes_and_of_a_network_deaf_to_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    for extractor in ("lpips", "st_lpips"):
        monkeypatch.setattr(measures, extractor, lambda: None)
    x, y = chequered(5), chequered(6)
    perfect, deaf = (measures.styles(case(x, y, y, Tinted(deaf))) for deaf in (False, True))
    assert perfect is not None and deaf is not None
    assert perfect["images"] == 5
    assert perfect["style_error"] == pytest.approx(0, abs=1e-4)
    assert perfect["content_agreement"] == pytest.approx(1, abs=1e-4)
    drawn = Tinted().sample_styles(10, torch.Generator().manual_seed(0))
    tints = metrics.mean_lab((0.1 * drawn)[:, :, None, None].expand(-1, -1, 16, 16))
    assert perfect["diversity_colour"] == pytest.approx(metrics.mean_pairwise(tints, metrics.colour_distance), rel=0.1)
    assert perfect["diversity_colour_of_real"] > 2
    assert deaf["diversity_colour"] == pytest.approx(0, abs=1e-4)
    assert deaf["diversity_ssim"] == pytest.approx(0, abs=1e-4)
    assert deaf["style_error"] == pytest.approx(float(drawn.abs().mean()) / PRIOR, abs=1e-4)
    assert pytest.approx(0.8, abs=0.01) == PRIOR
    assert "diversity_lpips" not in perfect
    monkeypatch.setattr(measures, "lpips", lambda: lambda a, b: (a - b).abs().mean())
    again = measures.styles(case(x, y, y, Tinted()))
    assert again is not None and again["diversity_lpips"] > 0.05


@torch.inference_mode()
def test_guided_results_take_their_guides_colour() -> None:
    x, y = chequered(4), to_bytes(grey(-0.6, -0.2, 0.2, 0.6))
    values, deaf = (measures.guided(case(x, y, y, Tinted(deaf), batch_size=3)) for deaf in (False, True))
    assert values is not None and deaf is not None
    assert values["guide_distance"] < 1 < values["guide_distance_of_other_guide"]
    assert values["nearer_to_own_guide"] == 1
    assert deaf["guide_distance"] == pytest.approx(deaf["guide_distance_of_other_guide"], rel=0.02)
    assert measures.guided(case(x[:2], y, y, Tinted())) is None


class Dimming(nn.Module):
    """A → B halves the light, B → A doubles it, or does not; a code is the image."""

    directions = ("A2B", "B2A")
    style_dim = 0

    def __init__(self, back: float = 2.0) -> None:
        super().__init__()
        self.back = nn.Parameter(torch.tensor(back))

    def translate(self, x: Tensor, direction: str, style: None = None, noise: None = None) -> Tensor:
        return x / 2 if direction == "A2B" else x * self.back


class Forgetful(Dimming):
    def reconstruct(self, x: Tensor, domain: str) -> Tensor:
        return torch.zeros_like(x)


@torch.inference_mode()
def test_round_trips() -> None:
    x = to_bytes(grey(-1, 1, 1))
    there = measures.round_trip(case(x, x, x, Dimming()))
    assert there == {"cycle_l1": 0, "cycle_l1_of_mean_picture": pytest.approx(8 / 9)}
    lost = measures.round_trip(case(x, x, x, Forgetful(1.0)))
    assert lost is not None
    assert (lost["cycle_l1"], lost["reconstruction_l1"]) == (0.5, 1)
    tinted = measures.round_trip(case(chequered(5), x, x, Tinted()))
    assert tinted is not None
    assert tinted["cycle_l1"] == pytest.approx(0, abs=1e-5)
    assert tinted["reconstruction_l1"] == pytest.approx(0, abs=1e-5)
    assert measures.round_trip(case(x, x, x, tiny("pix2pix"))) is None


class MeanColour(nn.Module):
    """Features that are the mean of each channel."""

    def forward(self, x: Tensor) -> Tensor:
        return x.double().mean((2, 3))


def test_fid_of_shifted_features_is_the_shift_squared() -> None:
    images = torch.randint(50, 200, (40, 3, 8, 8), dtype=torch.uint8)
    shifted = feature_extractors.feature_distances(images + 10, images, MeanColour())
    assert shifted["fid"] == pytest.approx(3 * 10**2, rel=0.01)
    same = feature_extractors.feature_distances(images, images, MeanColour())
    assert same["fid"] == pytest.approx(0, abs=0.01)
    assert math.isfinite(same["kid"]) and shifted["kid"] > same["kid"]


def test_weights_that_cannot_be_had_are_one_line(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("no network\nand more")

    monkeypatch.setattr(feature_extractors, "LearnedPerceptualImagePatchSimilarity", offline)
    monkeypatch.setattr(feature_extractors, "FrechetInceptionDistance", offline)
    feature_extractors.lpips.cache_clear()
    feature_extractors.inception.cache_clear()
    for _ in range(2):
        assert feature_extractors.lpips() is None
        assert feature_extractors.inception() is None
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" skipped")[0] for line in lines] == ["LPIPS", "FID and KID"]
    feature_extractors.lpips.cache_clear()
    feature_extractors.inception.cache_clear()


def test_measures_that_need_pairs_or_kinds_do_not_apply_without() -> None:
    x = to_bytes(grey(0, 0.1))
    unpaired = case(x, x, x, target=checkpoints.Domain("o", "outline"), paired=False)
    for measure in (measures.truth, measures.label_score, measures.label_colours, measures.strokes):
        assert measure(unpaired) is None
    plain = case(x, x, x, Dimming())
    for measure in (measures.label_score, measures.label_colours, measures.strokes, measures.styles, measures.guided):
        assert measure(plain) is None
