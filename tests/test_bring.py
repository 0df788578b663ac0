"""Data sets as people bring them: layouts, litter, deep and elongated images, and what is said before a training."""

import logging
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.errors import DataError
from i2i_models.images.outlines import dark_on_light
from i2i_models.images.paper import sketch_on_paper
from train.data.augmentation import Augmentation, square
from train.data.check import augmentation_line, check
from train.data.dataset import SampleKey, TranslationDataset
from train.data.held_out import held_out
from train.data.layouts import find
from train.data.sources import value_ranges
from train.loop import heap
from ui.errors import BadRequest
from ui.question import check_length


def put(folder: Path, *names: str, size: tuple[int, int] = (24, 24), shade: int = 90) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", size, (shade, shade, shade)).save(folder / name, "PNG")


DOMAINS = [
    ("trainA", "trainB"),
    ("train_A", "train_B"),
    ("TrainA", "trainb"),
    ("train/A", "train/B"),
    ("A/train", "B/train"),
    ("training/A", "training/B"),
    ("A", "B"),
]


@pytest.mark.parametrize("folders", DOMAINS, ids=map(" + ".join, DOMAINS))
def test_two_domains_are_found_in_each_layout(tmp_path: Path, folders: tuple[str, str]) -> None:
    for folder in folders:
        put(tmp_path / folder, "a b.PNG", "ü.png", "3.JPG")
        (tmp_path / folder / "._3.JPG").write_bytes(b"\0\5\x16\7")
        for litter in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (tmp_path / folder / litter).write_bytes(b"x")
    os.symlink(tmp_path / folders[0] / "3.JPG", tmp_path / folders[0] / "link.png")
    put(tmp_path / folders[1], "link.png")
    sources = find(str(tmp_path))
    assert sources.paired
    assert sorted(Path(s.name).stem for s in sources.a) == ["3", "a b", "link", "ü"]


@pytest.mark.parametrize("place", ["", "train", "A2B", "train/A2B"])
def test_images_side_by_side_are_found_below_the_folder(tmp_path: Path, place: str) -> None:
    put(tmp_path / place, "1.png", "2.png", size=(48, 24))
    sources = find(str(tmp_path))
    assert (len(sources.a), sources.paired, sources.a[0].half) == (2, True, "left")


def test_what_is_missing_or_empty_is_named_and_pairs_stay_pairs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"{i}.png" for i in range(25)]
    put(tmp_path / "trainA", *names)
    put(tmp_path / "trainB", *names[1:])
    (tmp_path / "trainB" / names[0]).touch()
    with caplog.at_level(logging.WARNING):
        sources = find(str(tmp_path))
    assert (sources.paired, len(sources.a), len(sources.b)) == (True, 24, 24)
    assert "0.png is empty" in caplog.text
    assert "0.png has no partner" in caplog.text


def test_held_out_and_lone_folders_are_never_trained_on_as_pairs(tmp_path: Path) -> None:
    for folder in ("facades", "test", "validation"):
        put(tmp_path / "pairs" / folder, f"{folder}.png", size=(48, 24))
    assert [Path(s.name).stem for s in find(str(tmp_path / "pairs")).a] == ["facades"]
    put(tmp_path / "lone" / "trainA", "1.png")
    with pytest.raises(DataError, match=r"holds no images.*Found in .*trainA/"):
        find(str(tmp_path / "lone"))
    for fruit in ("apples", "oranges"):
        put(tmp_path / "named" / fruit, "1.png")
    with pytest.raises(DataError, match=r"24×24 pixels, too narrow for A and B side by side.*Two layouts that work"):
        find(str(tmp_path / "named"))


def test_one_name_in_two_spellings_is_a_pair_and_two_endings_of_one_name_are_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "spelt" / "trainA", "caf\u00e9.png")
    put(tmp_path / "spelt" / "trainB", "cafe\u0301.png")
    (tmp_path / "spelt" / "trainA" / "scan.exr").write_bytes(b"v/1\x01")
    os.symlink(tmp_path / "gone.png", tmp_path / "spelt" / "trainB" / "link.png")
    with caplog.at_level(logging.WARNING):
        assert find(str(tmp_path / "spelt")).paired
    assert "scan.exr is .exr, which is not read here" in caplog.text
    assert "link.png is a link to a file that is not there" in caplog.text
    for folder in ("trainA", "trainB"):
        put(tmp_path / "twice" / folder, "1.png", "1.jpg")
    sources = find(str(tmp_path / "twice"))
    assert (sources.paired, len(sources.a), len(sources.b)) == (False, 2, 2)
    for folder, names in (("trainA", "12345"), ("trainB", "1234")):
        put(tmp_path / "few" / folder, *(f"{name}.png" for name in names))
    assert (sources := find(str(tmp_path / "few"))).paired and len(sources.a) == 4
    put(tmp_path / "few" / "trainA", "6.png")
    assert not find(str(tmp_path / "few")).paired


def test_an_unknown_layout_gets_two_that_work_and_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"trainA/ and DATA/trainB/.*videos/, 1 other files"):
        find(str(tmp_path))
    with pytest.raises(DataError, match="is a file"):
        find(str(tmp_path / "notes.txt"))


def test_deep_images_share_the_range_of_their_domain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "trainB", "0.png", "1.png")
    (tmp_path / "trainA").mkdir()
    for i, top in enumerate((900, 3000)):
        Image.fromarray(np.full((24, 24), top, np.uint16)).save(tmp_path / "trainA" / f"{i}.png")
    sources = find(str(tmp_path))
    ranges = value_ranges(sources)
    assert ranges == ((0, 4095), None)
    data = TranslationDataset(sources.in_ranges(ranges), 24)
    assert [int(data.a[i][0, 0, 0]) for i in range(2)] == [56, 186]
    (tmp_path / "trainA" / "2.png").write_bytes(b"half")
    put(tmp_path / "trainB", "2.png")
    check(str(tmp_path), tmp_path / "sheet.png")
    said = capsys.readouterr().out
    for words in ("pairs", "2 images of 24×24", "2.png is not an image", "0 is black, 4095 white"):
        assert words in said
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 * 132 - 4, 2 * 132 - 4)
        assert sheet.getpixel((12, 12)) == (56, 56, 56)
    domain = checkpoints.Domain("scans", range=(0.0, 4095.0))
    assert checkpoints.Domain.from_dict(domain.to_dict()) == domain


def test_a_step_sees_all_of_an_elongated_pair(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ramp = np.repeat(np.linspace(0, 255, 640, dtype=np.uint8)[None, :, None], 32, 0).repeat(3, 2)
    for folder in ("trainA", "trainB"):
        (tmp_path / folder).mkdir()
        for i in range(2):
            Image.fromarray(ramp).save(tmp_path / folder / f"{i}.png")
    with caplog.at_level(logging.WARNING):
        data = TranslationDataset(find(str(tmp_path)), 32, augment=Augmentation(enlarge=1, mirror=False))
    assert "2 of 2 images are not square: taken is a random square" in caplog.text
    seen = [data[SampleKey(n, n % 2, n % 2, 32)] for n in range(60)]
    middles = [float(batch.a.float().mean()) for batch in seen]
    assert min(middles) < 30 and max(middles) > 225
    assert all(torch.equal(batch.a, batch.b) for batch in seen)
    assert data.a[0].shape == (32, 32, 3)
    rng = np.random.default_rng(0)
    square([np.zeros((4, 4, 3), np.uint8)], rng)
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("size", [(1800, 64), (64, 1800), (70, 30)])
def test_an_elongated_image_is_translated_at_its_training_scale(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = i2i.CycleGAN(i2i.CycleGANConfig(base_width=4, blocks=1)).eval()
    domains = {"A": checkpoints.Domain("a"), "B": checkpoints.Domain("b")}
    translator = i2i.Translator(network, checkpoints.Info("x", "x", "cyclegan", 32, domains))
    codes = translator.encode(Image.new("RGB", size, "red"), "A2B")
    assert min(codes.box[2:]) == 32
    assert codes.box[2] * size[1] == pytest.approx(codes.box[3] * size[0], rel=0.02)
    assert translator.decode(codes).size == size


def test_the_page_refuses_what_would_keep_others_waiting() -> None:
    assert check_length(Image.new("RGB", (768, 64))).size == (768, 64)
    for size in ((2048, 64), (64, 769)):
        with pytest.raises(BadRequest, match="more than 12 times as long as wide"):
            check_length(Image.new("RGB", size))


def test_an_empty_folder_beside_the_full_ones_is_named_and_the_full_ones_are_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in ("trainA", "trainB"):
        (tmp_path / folder).mkdir()
    put(tmp_path / "train" / "A", "1.png", "2.png")
    put(tmp_path / "train" / "B", "1.png", "2.png")
    with caplog.at_level(logging.WARNING):
        assert find(str(tmp_path)).paired
    assert "trainA holds no images" in caplog.text
    for path in (tmp_path / "train" / "B").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"trainA holds no images.*Two layouts that work.*Found in .*train/"):
        find(str(tmp_path))


def test_the_check_says_modes_and_what_is_too_small_and_copes_with_one_against_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "trainA", "only.png")
    many = tmp_path / "trainB"
    put(many, *(f"{i}.png" for i in range(300)), size=(16, 16))
    for name, mode in (("grey", "L"), ("palette", "P"), ("clear", "RGBA"), ("deep", "I;16")):
        Image.new(mode, (16, 16)).save(many / f"{name}.png")
    Image.new("RGB", (1, 1)).save(many / "dot.png")
    Image.new("RGB", (8000, 7500)).save(many / "large.png")
    check(str(tmp_path), tmp_path / "sheet.png")
    said = capsys.readouterr().out
    assert "B: 305 images of 16×16 to 8000×7500 pixels" in said
    assert "B: stored as 301 RGB, 1 I;16, 1 L, 1 P, 1 RGBA" in said
    assert "dot.png is 1×1 pixels" in said
    assert "One domain has more than ten times as many images" in said
    data = TranslationDataset(find(str(tmp_path)).unpaired(), 16, minimum=1)
    assert (len(data.a), len(data.b)) == (1, 305)
    assert data[SampleKey(7, 0, 304, 16)].a.shape == (3, 16, 16)


def test_light_lines_on_dark_become_dark_on_light() -> None:
    drawing = Image.new("RGB", (64, 64), (18, 18, 18))
    drawing.paste((240, 240, 240), (10, 30, 54, 33))
    assert dark_on_light(drawing).getpixel((0, 0)) == (237, 237, 237)
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    assert dark_on_light(photo) is photo


def test_light_lines_on_dark_are_inverted_alike_in_training_and_in_judging(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def lines(paper: int, ink: int) -> Image.Image:
        drawing = Image.new("RGB", (32, 32), (paper,) * 3)
        ImageDraw.Draw(drawing).line((4, 16, 28, 16), fill=(ink,) * 3, width=2)
        return drawing

    night = Image.new("RGB", (32, 32), (12, 12, 12))  # a picture: it stays dark
    for split in ("train", "test"):
        for i, drawing in enumerate((lines(255, 0), lines(0, 255), lines(20, 235))):
            pair = Image.new("RGB", (64, 32))
            pair.paste(drawing)
            pair.paste(night, (32, 0))
            (tmp_path / split).mkdir(exist_ok=True)
            pair.save(tmp_path / split / f"{i}.png")
    with caplog.at_level(logging.WARNING):
        data = TranslationDataset(find(str(tmp_path)).of_kinds("outline", "picture"), 32)
    assert "2 drawings are light on dark: they are inverted." in caplog.text
    domains = {"A": checkpoints.Domain("a", "outline"), "B": checkpoints.Domain("b")}
    judged = held_out(checkpoints.Info("x", "x", "pix2pix", 32, domains), str(tmp_path), "test", 32)
    for images in (data, judged):
        assert [images.a[i][2, 2].tolist() for i in range(3)] == [[255] * 3, [255] * 3, [235] * 3]
        assert [images.a[i][16, 16].tolist() for i in range(3)] == [[0] * 3, [0] * 3, [20] * 3]
        assert [images.b[i][2, 2].tolist() for i in range(3)] == [[12] * 3] * 3
    assert find(str(tmp_path)).a[1].read()[2, 2].tolist() == [0] * 3, "of no kind yet, it is as it is"


def test_the_first_line_names_mirroring() -> None:
    assert "--no-mirror" in augmentation_line(Augmentation(), 256)
    assert "mirror" not in augmentation_line(Augmentation(mirror=False), 256, "digits")
    advised = "By their name they show {}, which a mirror makes wrong: add --no-mirror."
    for names, word in (
        (("street_signs", "A"), "signs"),
        (("data", "MNIST"), "mnist"),
        (("x", "hand-drawn letters"), "letters"),
    ):
        assert augmentation_line(Augmentation(), 256, *names).endswith(advised.format(word))
    for names in ("facade labels", "photo"), ("signals", "pretexts"):
        assert "add --no-mirror" not in augmentation_line(Augmentation(), 256, *names)


def test_a_system_without_glibc_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    def windows(name: object) -> None:
        raise TypeError("argument of type 'NoneType' is not iterable")

    monkeypatch.setattr(heap.ctypes, "CDLL", windows)
    heap.keep_freed_memory()


def photographed(drawing: Image.Image) -> Image.Image:
    """A sheet with a drawing, lying askew on a dark table, a lamp to its left and a soft shadow over its corner."""
    sheet = np.asarray(drawing.resize((400, 300)))
    corners = np.array([(90, 70), (545, 110), (520, 430), (60, 400)], np.float32)
    flat = np.array([(0, 0), (400, 0), (400, 300), (0, 300)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners)
    photo = cv2.warpPerspective(sheet, matrix, (640, 480), borderValue=(60, 45, 35)).astype(np.float32)
    light = np.linspace(1, 0.55, 640)[None, :, None] * np.ones((480, 1, 1))
    light[300:, 400:] *= 0.8
    noise = np.random.default_rng(0).normal(0, 3, photo.shape)
    lit = photo * cv2.GaussianBlur(light, (61, 61), 0)[..., None] + noise
    return Image.fromarray(lit.clip(0, 255).astype(np.uint8))


def test_a_sketch_on_paper_is_found_straightened_and_free_of_shadow() -> None:
    drawing = Image.new("RGB", (400, 300), (235, 233, 228))
    draw = ImageDraw.Draw(drawing)
    draw.ellipse((100, 50, 300, 250), outline=(40, 40, 60), width=6)
    found = sketch_on_paper(photographed(drawing))
    assert found is not None
    wanted = np.asarray(drawing.convert("L").resize(found.size)) < 128
    ink = np.asarray(found)[..., 0] < 128
    grown = cv2.dilate(wanted.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert (ink & grown).sum() > 0.98 * ink.sum()
    assert (cv2.dilate(ink.astype(np.uint8), np.ones((15, 15), np.uint8))[wanted] > 0).mean() > 0.98
    gradient = np.linspace(0, 255, 300)[:, None, None] * np.ones((1, 300, 3))
    for other in (np.random.default_rng(0).integers(0, 255, (300, 300, 3)), gradient, np.full((300, 300, 3), 250)):
        assert sketch_on_paper(Image.fromarray(other.astype(np.uint8))) is None
