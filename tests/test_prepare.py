"""`python -m train.prepare`: pairs of raw pictures."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import FACADES, PALETTE_FILE
from PIL import Image

from i2i_models.errors import DataError
from i2i_models.images.palettes import flatten_labels, nearest_label, read_palette
from train.prepare.pairs import facades, outlines, side_by_side
from train.prepare.renderings import new_folder


def test_outlines_splits_by_name(tmp_path: Path, odd_files: dict[str, Path]) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    for i in range(12):
        disc = Image.new("RGBA", (60, 40))
        disc.paste((200, 40, 40, 255), (5, 5, 40, 30))
        disc.save(folder / f"{i}.png")
    shutil.copy(odd_files["text.png"], folder / "text.png")
    outlines(folder, tmp_path / "out", size=64, margin=4, test_fraction=0.4)
    names = {split: {p.name for p in (tmp_path / "out" / split).iterdir()} for split in ("train", "test")}
    assert len(names["train"] | names["test"]) == 12
    assert len(names["train"]) > 1
    assert len(names["test"]) > 1
    both = np.asarray(Image.open(tmp_path / "out" / "train" / min(names["train"])))
    assert both.shape == (64, 128, 3)
    left, right = both[:, :64], both[:, 64:]
    assert (left[:3] == 255).all()
    assert (right[:, :3] == 255).all()
    assert 40 < (left < 160).all(2).sum() < 600
    (folder / "0.png").unlink()
    outlines(folder, tmp_path / "again", size=64, margin=4, test_fraction=0.4)
    assert {p.name for p in (tmp_path / "again" / "test").iterdir()} == names["test"] - {"0.png"}


def test_facades_turns_pairs_and_cleans_labels(tmp_path: Path) -> None:
    labels = flatten_labels(Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)), FACADES)
    labels = labels.resize((8, 8), Image.Resampling.NEAREST).resize((64, 64), Image.Resampling.NEAREST)
    photo = Image.new("RGB", (64, 64), (120, 130, 140))
    for split in ("train", "val", "test"):
        (tmp_path / "raw" / split).mkdir(parents=True)
        side_by_side(photo, labels).save(tmp_path / "raw" / split / "1.jpg", quality=90)
    facades(tmp_path / "raw", tmp_path / "out")
    assert read_palette(tmp_path / "out" / "palette.json") == read_palette(PALETTE_FILE)
    both = Image.open(tmp_path / "out" / "val" / "1.png")
    left, right = both.crop((0, 0, 64, 64)), both.crop((64, 0, 128, 64))
    assert {tuple(c) for c in np.asarray(left).reshape(-1, 3).tolist()} <= set(FACADES.values())
    assert (nearest_label(left, FACADES) == nearest_label(labels, FACADES)).mean() > 0.9
    assert np.abs(np.asarray(right, int)[:, :40] - (120, 130, 140)).max() < 12  # JPEG bleeds over the seam


def test_an_interrupted_run_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), new_folder(out) as unfinished:
        (unfinished / "half.png").touch()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    # A run that was killed could not clean up: the next one does.
    (tmp_path / "out.unfinished").mkdir()
    (tmp_path / "out.unfinished" / "half.png").touch()
    with new_folder(out) as unfinished:
        (unfinished / "whole.png").touch()
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ["whole.png"]
    assert list(tmp_path.iterdir()) == [out]
    with pytest.raises(DataError, match="exists already: remove it first"), new_folder(out):
        pass
    assert (out / "whole.png").exists()
