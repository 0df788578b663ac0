"""What people drop on the Train tab: pairs, piles, ZIPs good and bad."""

import errno
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from train.jobs import look as looking
from train.jobs import piles
from train.jobs.look import look

Files = list[tuple[str, str]]


def pictures(folder: Path, count: int, size: tuple[int, int] = (40, 40), shade: int = 0, name: str = "{}") -> Files:
    """So many different pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for i in range(count):
        path = folder / f"{name.format(i)}.png"
        Image.new("RGB", size, (i, shade, 200)).save(path)
        files.append((str(path), path.name))
    return files


def looked(draft: Path, paired: bool | None = None, **request: Any) -> dict[str, Any]:
    draft.mkdir(exist_ok=True)
    (draft / "request.json").write_text(json.dumps(request))
    look(draft, paired)
    return json.loads((draft / "look.json").read_text())


def test_pairs_and_piles_are_told_apart_and_laid_out(tmp_path: Path, odd_files: dict[str, Path]) -> None:
    broken: Files = [(str(odd_files["text.png"]), "text.png"), (str(odd_files["pixel.png"]), "pixel.png")]
    found = looked(tmp_path / "one", a=[*pictures(tmp_path / "wide", 20, (80, 40)), *broken])
    assert (found["paired"], found["side_by_side"], found["a"]) == (True, True, 18)
    assert found["skipped"] == [["text.png", "unreadable"], ["pixel.png", "unreadable"]]
    assert len(list((tmp_path / "one" / "data" / "test").iterdir())) == 2
    assert Image.open(tmp_path / "one" / "look.jpg").width == 6 * 134 - 6
    option = next(o for o in found["options"]["pix2pix"] if o["option"] == "--lambda-l1")
    assert (option["default"], option["type"]) == (100.0, "float") and "weight of L1" in option["about"]
    assert not {o["name"] for o in found["options"]["munit"]} & {"data", "output", "start_from", "push_to_hub"}
    types = {o["option"]: o["type"] for o in found["options"]["munit"]}
    assert (types["--range"], types["--palette"], types["--mirror"]) == ("pair", "str", "bool")
    assert all(o["about"] for options in found["options"].values() for o in options)
    assert found["memory"]["pix2pix"]["128"] < found["memory"]["cyclegan"]["512"] and found["free"] > 0

    a, b = pictures(tmp_path / "a", 20), pictures(tmp_path / "b", 20, shade=9)
    assert looked(tmp_path / "two", a=a, b=b[:-1])["paired"]
    assert not looked(tmp_path / "two", paired=False, a=a, b=b)["paired"]
    other = looked(tmp_path / "two", a=a, b=pictures(tmp_path / "c", 9, shade=7, name="other {}"))
    assert (other["paired"], other["a"], other["b"]) == (False, 18, 8)
    assert looked(tmp_path / "folder", named=str(tmp_path / "a"))["error"] == "one_pile"
    both = tmp_path / "both"
    for domain, files in (("trainA", a), ("trainB", b)):
        for path, name in files:
            (both / domain).mkdir(parents=True, exist_ok=True)
            (both / domain / name).write_bytes(Path(path).read_bytes())
    (both / "trainA" / "linked.png").symlink_to(a[0][0])
    named = looked(tmp_path / "folder", named=str(both))
    assert named["paired"] and ["trainA/linked.png", "is_link"] in named["skipped"]


def test_a_folder_with_more_pictures_than_may_be_copied_is_read_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (looking, piles):
        monkeypatch.setattr(module, "MAX_PICTURES", 9)
    pictures(tmp_path / "pairs" / "train", 20, (80, 40))
    pictures(tmp_path / "pairs" / "test", 3, (80, 40))
    (tmp_path / "pairs" / "train" / "0.png").write_bytes(b"half")
    found = looked(tmp_path / "draft", named=str(tmp_path / "pairs"))
    assert (found["data"], found["a"], found["held_out"]) == (str(tmp_path / "pairs"), 20, True)
    assert found["side_by_side"] and {p.name for p in (tmp_path / "draft").iterdir()} == {
        "request.json", "look.json", "look.jpg"
    }  # fmt: skip
    for domain, shade in (("trainA", 0), ("trainB", 9)):
        pictures(tmp_path / "two" / domain, 20, shade=shade, name=domain + "{}")
    found = looked(tmp_path / "draft", named=str(tmp_path / "two"))
    assert (found["paired"], found["b"], found["held_out"]) == (False, 20, False)
    pictures(tmp_path / "one", 20)
    assert looked(tmp_path / "draft", named=str(tmp_path / "one"))["error"] == "one_pile"
    for name in ("cats", "dogs"):
        pictures(tmp_path / "named" / name, 10)
    assert looked(tmp_path / "draft", named=str(tmp_path / "named"))["error"] == "too_many"


def test_before_pictures_are_copied_old_scratch_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = pictures(tmp_path / "wide", 9, (80, 40))
    for name in ("old", "new"):
        (tmp_path / "jobs" / "drafts" / name).mkdir(parents=True)
    (tmp_path / "jobs" / "drafts" / "old" / "pictures").write_bytes(b"0" * 900_000)
    monkeypatch.setattr(looking.disk, "MAX_ALL", 500_000)
    assert looked(tmp_path / "jobs" / "drafts" / "new", a=wide)["paired"]
    assert not (tmp_path / "jobs" / "drafts" / "old").exists()
    monkeypatch.setattr(looking.disk, "MAX_ALL", 5)
    assert looked(tmp_path / "jobs" / "drafts" / "new", a=wide)["error"] == "no_room"


def test_what_cannot_be_used_is_a_sentence(tmp_path: Path, odd_files: dict[str, Path]) -> None:
    wide = pictures(tmp_path / "wide", 9, (80, 40))
    for says, request in {
        "nothing": {},
        "too_few": {"a": wide[:3]},
        "all_too_small": {"a": pictures(tmp_path / "small", 9, (20, 20))},
        "none_readable": {"a": [(str(odd_files["text.png"]), "text.png")]},
        "same_piles": {"a": wide, "b": wide},
        "no_folder": {"named": "/no/such/folder"},
        "zip_damaged": {"a": [(str(damaged(tmp_path)), "cut.zip")]},
    }.items():
        found = looked(tmp_path / says, **request)
        assert found["error"] == says and not (tmp_path / says / "data").exists(), found
    assert looked(tmp_path / "too_few", a=wide[:3])["values"] == {"count": 3, "limit": looking.FEWEST}


def test_a_disk_that_fills_in_the_middle_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide, save, saved = pictures(tmp_path / "wide", 20, (80, 40)), Image.Image.save, []

    def save_few(image: Image.Image, *arguments: Any, **options: Any) -> None:
        saved.append(arguments)
        if len(saved) > 12:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(image, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", save_few)
    found = looked(tmp_path / "draft", a=wide)
    assert (found["error"], found["values"]) == ("disk", {"said": "No space left on device"})
    assert {path.name for path in (tmp_path / "draft").iterdir()} == {"request.json", "look.json"}


def damaged(folder: Path) -> Path:
    path = folder / "cut.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1.png", Path(pictures(folder / "d", 1)[0][0]).read_bytes() * 50)
    content = bytearray(path.read_bytes())
    content[40:60] = b"\xff" * 20
    path.write_bytes(content)
    return path


def test_a_zip_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "odd.zip"
    wide = pictures(tmp_path / "wide", 10, (80, 40))
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for source, name in wide:
            file.write(source, f"my pairs/{name}")
        file.writestr("../../escaped.png", "x")
        file.writestr("/etc/absolute.png", "x")
        file.writestr("run.sh", "x")
        file.writestr("__MACOSX/._0.png", "x")
        file.writestr(link, "/etc/passwd")
        file.writestr("bomb.png", b"0" * 3_000_000)
    monkeypatch.setattr(piles, "MAX_FILE", 1_000_000)
    found = looked(tmp_path / "zip", a=[(str(path), "odd.zip")])
    assert found["paired"] and sorted(why for _, why in found["skipped"]) == [
        "file_too_large", "is_link", "no_picture", "points_outside", "points_outside"
    ]  # fmt: skip
    assert not list(tmp_path.rglob("escaped.png"))
    monkeypatch.setattr(piles, "MAX_ALL", 900_000)
    assert looked(tmp_path / "zip", a=[(str(path), "odd.zip")])["error"] == "unfolds"
    monkeypatch.setattr(looking, "MAX_PICTURES", 5)
    monkeypatch.setattr(piles, "MAX_PICTURES", 5)
    monkeypatch.setattr(piles, "MAX_ALL", 9_000_000)
    for request in ({"a": wide}, {"a": [(str(path), "odd.zip")]}):
        assert looked(tmp_path / "many", **request)["error"] == "too_many"
