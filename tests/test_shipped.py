"""The checkpoints in `checkpoints/` do what their cards say."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT
from huggingface_hub import ModelCard
from PIL import Image

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.images.tensors import from_bytes, to_bytes

FOLDERS = i2i.find_checkpoints(ROOT / "checkpoints")
DATA = ROOT.parent / "shared" / "data"

EMOJI_L1 = 0.172
"""What the shipped emoji checkpoint reaches on the held-out tenth; 0.14 is the aim."""

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the data sets are not here (only their names ship)")
each = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


def test_both_tasks_of_the_paired_tab_ship() -> None:
    assert {"emoji-pix2pix", "facades-pix2pix"} <= {folder.name for folder in FOLDERS}


@each
def test_a_folder_is_laid_out_as_its_hub_repo(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {"config.json", "model.safetensors", "README.md", "metrics.json", "samples.png", "examples"} <= names
    assert (folder / "model.safetensors").stat().st_size <= 32 * 2**20
    examples = list((folder / "examples").glob("*.png"))
    assert 6 <= len(examples) <= 8
    assert all(path.stat().st_size < 100_000 for path in examples)
    state = checkpoints.load_weights(folder / "model.safetensors")
    assert {value.dtype for value in state.values() if value.is_floating_point()} == {torch.float16}


@each
def test_the_card_says_what_it_is_and_what_it_saw(folder: Path) -> None:
    card = i2i.load(folder).card
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    data = ModelCard(card).data
    assert (data.pipeline_tag, data.library_name) == ("image-to-image", "i2i_models")
    assert data.license == ("cc-by-4.0" if folder.name.startswith(("avatar-", "glasses-")) else "mit"), (
        "the data's asks for it"
    )
    measured = [v for row in metrics for key, v in row.items() if isinstance(v, float) and "_of_" not in key]
    assert [result.metric_value for result in data.eval_results or []] == measured
    licences = (
        "Apache License 2.0",
        "published for research",
        "by Microsoft (MIT)",
        "Lisa Wischofsky (CC BY 4.0)",
        "by NASA (public domain)",
    )
    assert any(licence in card for licence in licences)
    for row in metrics:
        assert {"direction", "split", "size", "images"} <= row.keys()
        assert all(str(value) in card for value in row.values() if isinstance(value, float))


@each
def test_its_examples_translate_to_pictures(folder: Path) -> None:
    translator = i2i.load(folder)
    results = [np.asarray(translator.translate(i2i.open_image(path)), float) for path in translator.examples]
    assert all(result.std() > 10 for result in results)
    assert all(np.abs(a - b).mean() > 3 for a, b in itertools.pairwise(results))


@each
def test_it_still_draws_the_held_out_pictures_of_its_sheet(folder: Path) -> None:
    """samples.png has eight images of each domain that training never saw, and what the network made of them then.

    They come out as they are shown; look like what their domain looks like, which an untrained network's do not; are
    each nearer to their own truth than to the others'; and find their way back, where there is one.
    """
    translator = i2i.load(folder)
    network, size = translator.network, translator.info.size
    shown = sheet(folder / "samples.png", size)
    half = 2 if network.paired else len(shown) // 2  # the row with the images of B
    untrained = type(network)(network.config).eval()
    with torch.inference_mode():
        made, chance = (of.grid(from_bytes(shown[0]), from_bytes(shown[half])) for of in (network, untrained))
    rows, chance = [to_bytes(row) for row in made], [to_bytes(row) for row in chance]
    assert len(rows) == len(shown)
    assert max(distance(row, as_shown) for row, as_shown in zip(rows, shown, strict=True)) < 1

    if network.style_dim:  # in the style of the true picture
        results = {half - 1: half, len(rows) - 1: 0}
    else:
        first = 2 if hasattr(network, "reconstruct") else 1
        results = {first: half, half + first: 0} if "B2A" in network.directions else {first: half}
    for row, truth in results.items():
        assert colour_distance(rows[row], shown[truth]) < 0.75 * colour_distance(chance[row], shown[truth])
        assert finds_own(rows[row], shown[truth]) >= 0.75, "by chance 1 in 8"
        source = half if truth == 0 else 0
        # Glasses that were put on are often other ones: what was there without them is nearer, if anything is.
        slack = 1.25 if folder.name.startswith("glasses-") else 1
        assert distance(rows[row], shown[truth]) < slack * distance(shown[source], shown[truth])
    if not network.paired and not network.style_dim:
        for back, start in ((half - 1, 0), (len(rows) - 1, half)):
            mean = shown[start].float().mean(0, keepdim=True)
            assert distance(rows[back], shown[start]) < 0.7 * distance(mean, shown[start])


def sheet(path: Path, size: int) -> list[torch.Tensor]:
    """The rows of a sheet as `save_grid` writes it: uint8 `(8, 3, size, size)` each."""
    pixels = torch.from_numpy(np.asarray(Image.open(path).convert("RGB")).copy()).permute(2, 0, 1)
    tiles = pixels[:, 4:, 4:].unfold(1, size, size + 4).unfold(2, size, size + 4)
    return list(tiles.permute(1, 2, 0, 3, 4))


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """The mean difference of two rows, in steps of 255."""
    return (a.float() - b.float()).abs().mean().item()


def colour_distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """How much of two rows' colours, in 8 steps a channel, is not in both: 0 to 1."""
    steps = (row.long().permute(0, 2, 3, 1).reshape(-1, 3) // 32 @ torch.tensor([64, 8, 1]) for row in (a, b))
    shares = [torch.bincount(row, minlength=512) / len(row) for row in steps]
    return (shares[0] - shares[1]).abs().sum().item() / 2


def finds_own(results: torch.Tensor, truths: torch.Tensor) -> float:
    """The share of results whose edges are nearer to those of their own truth than to those of the others."""
    own, true = (np.array([edges(image.permute(1, 2, 0).numpy()) for image in row]) for row in (results, truths))
    distances = np.array([[np.abs(a - b).mean() for b in true] for a in own])
    return float((distances.argmin(1) == np.arange(len(own))).mean())


def edges(image: np.ndarray) -> np.ndarray:
    """Where a picture changes, whatever its colours: normalised gradients of its grey, `(64, 64)` each way."""
    grey = np.asarray(
        Image.fromarray(image.astype(np.uint8)).convert("L").resize((64, 64), Image.Resampling.BOX), float
    )
    gradients = np.stack(np.gradient(grey))
    return np.abs(gradients) / (gradients.std() + 1e-6)


def l1(name: str, pairs: Path) -> tuple[float, float, float]:
    """L1 on held-out pairs of a shipped checkpoint, of the same network untrained and of the mean picture."""
    from train.data.held_out import held_out
    from train.evaluation import measures
    from train.evaluation.case import make_case

    translator = i2i.load(ROOT / "checkpoints" / name)
    info = translator.info
    images = held_out(info, str(pairs), "test", info.size)
    untrained = type(translator.network)(translator.network.config).eval()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "st_lpips", lambda: None)  # not asked for here, and slow
        networks = (translator.network, untrained)
        trained, chance = (measures.truth(make_case(n, info, "A2B", images, 8)) for n in networks)
    return trained["l1"], chance["l1"], trained["l1_of_mean_picture"]


@pytest.mark.slow
@needs_data
def test_emoji_beat_an_untrained_network_and_the_mean_picture(tmp_path: Path) -> None:
    from train.prepare.pairs import outlines

    outlines(DATA / "noto-emoji", tmp_path)
    trained, untrained, mean = l1("emoji-pix2pix", tmp_path)
    metrics = json.loads((ROOT / "checkpoints" / "emoji-pix2pix" / "metrics.json").read_text())["metrics"]
    assert trained == pytest.approx(metrics[0]["l1"], abs=0.002)
    assert trained <= EMOJI_L1
    assert trained < 0.6 * mean
    assert trained < 0.3 * untrained


@pytest.mark.slow
@needs_data
def test_facades_beat_an_untrained_network_and_the_mean_picture(tmp_path: Path) -> None:
    from train.prepare.pairs import facades

    for split, count in (("train", 1), ("val", 1), ("test", 24)):
        (tmp_path / "raw" / split).mkdir(parents=True)
        for path in sorted((DATA / "facades" / split).glob("*.jpg"))[:count]:
            (tmp_path / "raw" / split / path.name).symlink_to(path)
    facades(tmp_path / "raw", tmp_path / "pairs")
    trained, untrained, _ = l1("facades-pix2pix", tmp_path / "pairs")
    assert trained < 0.85 * untrained
    # The mean picture, a blur, is near every photo in L1; but it cannot tell them apart.
    translator = i2i.load(ROOT / "checkpoints" / "facades-pix2pix")
    pairs = [i2i.open_image(path) for path in sorted((tmp_path / "pairs" / "test").iterdir())]
    photos = as_row([pair.crop((256, 0, 512, 256)) for pair in pairs])
    results = as_row([translator.translate(pair.crop((0, 0, 256, 256))) for pair in pairs])
    assert len(pairs) == 24 and finds_own(results, photos) > 0.5, "by chance 1 in 24"


def as_row(images: list[Image.Image]) -> torch.Tensor:
    """uint8 `(N, 3, H, W)` of images of the same size."""
    return torch.stack([torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1) for image in images])


def test_examples_are_in_the_domain_they_are_for() -> None:
    emoji = i2i.load(ROOT / "checkpoints" / "emoji-pix2pix")
    for path in emoji.examples:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        assert pixels.shape == (128, 128, 3)
        assert (pixels > 200).all(2).mean() > 0.5
