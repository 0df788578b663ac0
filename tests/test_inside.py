"""A look inside: patch maps, pictures of codes, skips cut, and the page's questions about them."""

import base64
import inspect
import io
import re
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.images.tensors import to_image
from i2i_models.inference.inside import PatchMap, code_picture, gan_loss, patch_maps, scores, without_skips
from i2i_models.networks import methods
from i2i_models.networks.network import TranslationNetwork
from i2i_models.networks.unet import UNet
from ui import inside as ui_inside
from ui import text
from ui.answers import Answers
from ui.catalog import Catalog
from ui.errors import sentences
from ui.inside import Views
from ui.payload import to_data_url

SIZE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained checkpoint of each method, discriminators included, and one without them."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("inside")
    networks: list[TranslationNetwork] = [
        i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4)),
        i2i.DiscoGAN(i2i.DiscoGANConfig(base_width=4, depth=4, discriminator_width=4)),
        i2i.CycleGAN(i2i.CycleGANConfig(base_width=4, blocks=1, discriminator_width=4)),
        i2i.UNIT(i2i.UNITConfig(base_width=4, blocks=1, discriminator_width=4, discriminator_layers=3)),
        i2i.MUNIT(i2i.MUNITConfig(base_width=4, blocks=1, discriminator_width=4, discriminator_layers=2, mlp_width=8)),
    ]
    domains = {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("shape")}
    for network in networks:
        training = {"objective.gan": "least_squares"} if network.method == "pix2pix" else {}
        info = checkpoints.Info(network.method, network.title, network.method, SIZE, domains, training)
        discriminators = network.discriminators()
        for weights in discriminators.parameters():
            nn.init.normal_(weights, 0, 0.15)  # untrained ones say 0 of everything
        checkpoints.save(folder / network.method, network, info, discriminators)
    info = checkpoints.Info("bare", "bare", "pix2pix", SIZE, domains)
    checkpoints.save(folder / "bare", networks[0], info)
    return folder


def drawing(size: tuple[int, int] = (SIZE, SIZE)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).ellipse((4, 6, size[0] - 8, size[1] - 4), outline="black", fill="orange")
    return image


def maps_of(translator: i2i.Translator, direction: Any = "A2B") -> tuple[list[PatchMap], i2i.Codes, Tensor]:
    codes = translator.encode(drawing(), direction)
    y = translator.draw(codes)
    return patch_maps(translator, codes, y), codes, y


# ---- the discriminator


@pytest.mark.parametrize(("method", "judge"), [("discogan", "B"), ("cyclegan", "B"), ("unit", "B"), ("munit", "B")])
def test_a_patch_map_is_what_the_target_domains_discriminator_says(folder: Path, method: str, judge: str) -> None:
    translator = i2i.load(folder / method)
    maps, _, y = maps_of(translator)
    discriminators = translator.discriminators
    assert isinstance(discriminators, nn.ModuleDict)
    logits = discriminators[judge](y)
    logits = logits if isinstance(logits, list) else [logits]
    assert [m.scores.shape for m in maps] == [one.shape[2:] for one in logits]
    assert len(maps) == (3 if method == "munit" else 1)
    kind = "cross_entropy" if method in ("discogan", "unit") else "least_squares"
    for found, raw in zip(maps, logits, strict=True):
        assert torch.equal(found.scores, scores(raw[0, 0], kind))
    other, _, _ = maps_of(translator, "B2A")
    assert not torch.equal(other[0].scores, maps[0].scores)


def test_a_conditional_discriminator_sees_the_input_too(folder: Path) -> None:
    translator = i2i.load(folder / "pix2pix")
    (found,), codes, y = maps_of(translator)
    raw = translator.discriminators(torch.cat([codes.tensor, y], 1))
    assert torch.equal(found.scores, raw[0, 0].clamp(0, 1)) and 0 < found.scores.mean() < 1
    seen: list[Tensor] = []
    translator.discriminators.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    blank = translator.encode(Image.new("RGB", (SIZE, SIZE), "white"))
    patch_maps(translator, blank, y)
    assert torch.equal(seen[0][:, :3], blank.tensor) and torch.equal(seen[0][:, 3:], y)


def test_scores_follow_the_loss_of_the_training() -> None:
    logits = torch.tensor([-2.0, 0.0, 0.25, 3.0])
    assert scores(logits, "least_squares").tolist() == [0, 0, 0.25, 1]
    assert torch.allclose(scores(logits, "cross_entropy"), 1 / (1 + (-logits).exp()))


def test_the_loss_is_the_checkpoints_or_else_the_methods(folder: Path) -> None:
    assert gan_loss(i2i.load(folder / "pix2pix")) == "least_squares"  # its training says so
    assert gan_loss(i2i.load(folder / "unit")) == "cross_entropy"
    assert gan_loss(i2i.load(folder / "munit")) == "least_squares"


@pytest.mark.parametrize("method", ["pix2pix", "munit"])
def test_cells_lie_around_the_patches_that_they_judge(method: str) -> None:
    """A change in one pixel reaches exactly the cells whose patch, `patch` wide around the cell's centre, has it."""
    networks = {
        "pix2pix": i2i.Pix2Pix(i2i.Pix2PixConfig(4, 6, discriminator_width=4, discriminator_norm="none")),
        "munit": i2i.MUNIT(i2i.MUNITConfig(4, discriminator_width=4, discriminator_layers=3, discriminator_scales=2)),
    }
    side = 256
    domains = {key: checkpoints.Domain(key) for key in "AB"}
    info = checkpoints.Info("x", "x", method, side, domains, {"objective.gan": "cross_entropy"})
    translator = i2i.Translator(networks[method].eval(), info)
    translator._discriminators = networks[method].discriminators().eval()
    codes = translator.encode(Image.new("RGB", (side, side), "white"))
    y = torch.zeros(1, 3, side, side)
    changed = y.clone()
    at = 101
    changed[..., at] = 5.0  # a column
    for before, after in zip(patch_maps(translator, codes, y), patch_maps(translator, codes, changed), strict=True):
        moved = (before.scores != after.scores).any(0).nonzero().flatten().tolist()
        centres = [before.offset + (i + 0.5) * before.cell for i in range(before.scores.shape[1])]
        inside = [i for i, centre in enumerate(centres) if abs(centre - (at + 0.5)) < before.patch / 2]
        assert moved == inside
        assert before.patch == 70 if method == "pix2pix" else before.patch > 20


def test_discriminators_are_read_once_and_only_when_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    load_weights = checkpoints.load_weights

    def counting(path: Path) -> dict[str, Tensor]:
        read.append(path.name)
        return load_weights(path)

    monkeypatch.setattr(checkpoints.folder, "load_weights", counting)
    translator = i2i.load(folder / "cyclegan")
    codes = translator.encode(drawing())
    y = translator.draw(codes)
    assert read == [checkpoints.WEIGHTS]
    threads = [threading.Thread(target=patch_maps, args=(translator, codes, y)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == [checkpoints.WEIGHTS, checkpoints.DISCRIMINATOR]


def test_without_a_discriminator_there_is_a_sentence(folder: Path) -> None:
    translator = i2i.load(folder / "bare")
    with pytest.raises(i2i.CheckpointError, match="came without its discriminators"):
        maps_of(translator)


def test_a_discriminator_of_another_network_is_refused(folder: Path, tmp_path: Path) -> None:
    network, _ = methods.read(folder / "pix2pix")
    other = i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=8))
    with pytest.raises(i2i.CheckpointError, match="has shape"):
        checkpoints.read_discriminators(folder / "pix2pix", other)
    (tmp_path / checkpoints.DISCRIMINATOR).write_bytes(b"no weights")
    with pytest.raises(i2i.CheckpointError, match="damaged"):
        checkpoints.read_discriminators(tmp_path, network)


# ---- codes


def test_the_picture_of_a_code_does_not_depend_on_how_channels_are_written_down() -> None:
    codes = torch.randn(1, 12, 8, 6) * torch.linspace(0.5, 3, 12)[:, None, None]
    picture = code_picture(codes)
    assert picture.shape == (3, 8, 6) and picture.abs().max() <= 1
    assert torch.equal(picture, code_picture(codes))
    shuffled = codes[:, torch.randperm(12)]
    for same in (shuffled, codes * 7, codes + torch.randn(12, 1, 1)):
        assert torch.allclose(picture, code_picture(same), atol=1e-4)
    assert torch.allclose(picture.flip(2), code_picture(codes.flip(3)), atol=1e-4)
    assert not torch.allclose(picture, code_picture(-codes), atol=1e-2)


def test_the_picture_of_a_code_shows_what_varies_most() -> None:
    pattern = torch.randn(8, 8).sign()
    codes = 0.01 * torch.randn(1, 5, 8, 8)
    codes[:, 2] += pattern
    red = code_picture(codes)[0]
    assert torch.equal(red.sign(), pattern)


def test_codes_with_little_in_them_have_a_picture() -> None:
    assert code_picture(torch.ones(1, 4, 3, 3)).eq(0).all()
    one = code_picture(torch.randn(1, 1, 3, 3))
    assert one[0].ne(0).any() and one[1:].eq(0).all()


# ---- skips


def test_each_skip_that_is_cut_changes_the_result_and_cutting_none_does_not() -> None:
    unet = UNet(base_width=4, depth=4, norm="instance").eval()
    assert unet.skips == range(1, 4)
    x = torch.randn(1, 3, SIZE, SIZE)
    whole = unet(x)
    assert torch.equal(unet(x, cut=()), whole)
    results = [whole, *(unet(x, cut=cut) for cut in ((1,), (2,), (3,), (1, 2, 3)))]
    for i, one in enumerate(results):
        assert all(not torch.equal(one, other) for other in results[i + 1 :])


def test_nothing_passes_through_a_skip_that_is_cut() -> None:
    """With the bottleneck closed, an image comes through open skips alone."""
    unet = UNet(base_width=4, depth=4, dropout=False).eval()
    unet.downs[-1].register_forward_hook(lambda *call: torch.zeros_like(call[2]))
    x, other = torch.randn(2, 1, 3, SIZE, SIZE)
    assert torch.equal(unet(x, cut=(1, 2, 3)), unet(other, cut=(1, 2, 3)))
    for opened in (1, 2, 3):
        cut = {1, 2, 3} - {opened}
        assert not torch.equal(unet(x, cut=cut), unet(other, cut=cut))


@pytest.mark.parametrize("method", ["pix2pix", "discogan"])
def test_a_result_without_skips(folder: Path, method: str) -> None:
    translator = i2i.load(folder / method)
    codes = translator.encode(drawing())
    assert translator.network.skips == range(1, 4)
    assert torch.equal(without_skips(translator, codes, ()), translator.draw(codes))
    assert not torch.equal(without_skips(translator, codes, (1,)), translator.draw(codes))


def test_dropout_stays_as_it_was_when_a_skip_is_cut(folder: Path) -> None:
    translator = i2i.load(folder / "pix2pix")
    codes = translator.encode(drawing())
    assert torch.equal(without_skips(translator, codes, (), seed=3), translator.draw(codes, seed=3))


# ---- the page's questions


@pytest.fixture(scope="module")
def views(folder: Path) -> Views:
    return Views(Answers(Catalog(folder)))


def question(name: str, view: int = 0, **more: Any) -> dict[str, Any]:
    image = to_data_url(drawing())
    return {"checkpoint": name, "direction": "A2B", "image": image, "view": view, **more}


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("pix2pix", ["patches", *["cut"] * 4]),
        ("discogan", ["patches", *["cut"] * 4]),
        ("cyclegan", ["patches"]),
        ("unit", ["patches", "code"]),
        ("munit", ["patches", "code"]),
    ],
)
def test_a_network_has_the_views_that_it_can(views: Views, name: str, kinds: list[str]) -> None:
    for i, kind in enumerate(kinds):
        answer = views.look(question(name, i))
        assert (answer["kind"], answer["count"], answer["kinds"]) == (kind, len(kinds), kinds)
        if kind == "cut":
            assert (answer["number"], answer["of"]) == (i - 1, 4)
            assert answer["side"] == (SIZE >> i if i < 4 else 0)


def test_a_drawing_that_is_no_square_has_its_cells_in_place(views: Views) -> None:
    tall = question("cyclegan") | {"image": to_data_url(drawing((16, 32)))}
    square, half = views.look(question("cyclegan"))["maps"][0], views.look(tall)["maps"][0]
    x, y, width, height = square["place"]
    assert (x, y) == (pytest.approx(8 / SIZE), pytest.approx(8 / SIZE))
    # In a picture half as wide, cut from the square's middle, cells are twice as wide and begin further left.
    assert half["place"] == pytest.approx((2 * x - 0.5, y, 2 * width, height))


def test_the_marks_are_of_the_result_that_is_shown(views: Views) -> None:
    first = views.look(question("munit", style=[0.0] * 8))
    second = views.look(question("munit", style=[2.0] * 8))
    assert first["maps"] != second["maps"]
    code = views.look(question("munit", 1, style=[0.0] * 8))["image"]
    assert code == views.look(question("munit", 1, style=[2.0] * 8))["image"], "the style is no part of the content"
    assert first["about"] == "patches_scales" and len(first["maps"]) == 3


def test_a_cut_picture_is_that_of_the_network(views: Views, folder: Path) -> None:
    answer = views.look(question("discogan", 2))
    shown = Image.open(io.BytesIO(base64.b64decode(answer["image"].partition(",")[2]))).convert("RGB")
    translator = i2i.load(folder / "discogan")
    wanted = to_image(without_skips(translator, translator.encode(drawing()), (2,)))
    buffer = io.BytesIO()
    wanted.save(buffer, "JPEG", quality=85, subsampling="4:4:4")
    assert shown.tobytes() == Image.open(buffer).convert("RGB").tobytes()


def test_a_model_without_discriminator_shows_the_rest(views: Views) -> None:
    answer = views.look(question("bare"))
    assert "came without a discriminator" in answer["missing"] and "maps" not in answer
    assert views.look(question("bare", 1))["kind"] == "cut"


@pytest.mark.parametrize("view", [-1, 5, None, "0", 1.0, True])
def test_a_view_that_there_is_not(views: Views, view: Any) -> None:
    answer = sentences(views.look)(question("pix2pix") | {"view": view})
    assert set(answer) == {"error"}


def test_every_text_that_the_views_name_exists() -> None:
    folder = Path(inspect.getfile(Views)).parent
    named = set(re.findall(r"\{\{texts\.(\w+)\}\}", (folder / "inside.html").read_text()))
    named |= set(re.findall(r"\btexts\.(\w+)", (folder / "inside.js").read_text())) - {"offline"}  # the editor's
    about = set(re.findall(r'"((?:patches|code|cuts)_?\w*)", "(?:pix2pix|UNIT|MUNIT)"', inspect.getsource(ui_inside)))
    assert len(named) > 10 and about >= {"cuts", "code_latent"}
    assert named | about | {f"{key}_paper" for key in about} <= set(text.INSIDE)
