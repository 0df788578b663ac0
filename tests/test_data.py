"""What training reads: layouts, odd images, augmentation, the stream of samples."""

import logging
import multiprocessing
import pickle
import shutil
import sys
import types
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from conftest import FACADES
from PIL import Image
from torch.utils.data import DataLoader

from i2i_models.errors import DataError
from i2i_models.images.palettes import LabelSet, flatten_labels, read_palette, write_palette
from train.data import augmentation
from train.data.augmentation import Augmentation
from train.data.dataset import Batch, SampleKey, TranslationDataset
from train.data.layouts import find
from train.data.stream import Stream


def test_side_by_side_halves_are_a_and_b(pairs: Path) -> None:
    data = TranslationDataset(find(str(pairs)), 32)
    a, b = data[SampleKey(0, 3, 3, 32)]
    both = np.asarray(Image.open(sorted((pairs / "train").iterdir())[3])).transpose(2, 0, 1)
    assert np.array_equal(np.concatenate([a.numpy(), b.numpy()], 2), both)
    assert len(TranslationDataset(find(str(pairs), "test"), 32)) == 4


def _two_folders(root: Path, names_a: list[str], names_b: list[str]) -> Path:
    for side, names, colour in (("trainA", names_a, "black"), ("trainB", names_b, "white")):
        (root / side).mkdir(parents=True)
        for i, name in enumerate(names):
            Image.new("RGB", (20 + i, 24), colour).save(root / side / name)
    return root


def test_two_folders_with_equal_names_are_pairs_whatever_their_suffix(tmp_path: Path) -> None:
    sources = find(str(_two_folders(tmp_path, ["x.png", "y.png"], ["y.jpg", "x.jpg"])))
    assert sources.paired
    assert [Path(s.name).stem for s in sources.a] == [Path(s.name).stem for s in sources.b] == ["x", "y"]


def test_two_folders_with_other_names_are_unpaired(tmp_path: Path) -> None:
    sources = find(str(_two_folders(tmp_path, ["x.png", "y.png", "z.png"], ["u.png", "v.png"])))
    assert not sources.paired
    data = TranslationDataset(sources, 16)
    stream = Stream(data, 2, lambda step: 16, 0, 6, 0, 1)
    keys = [key for batch in stream for key in batch]
    assert sorted(k.a for k in keys[:3]) == [0, 1, 2]
    assert sorted(k.b for k in keys[:2]) == [0, 1]


def test_bad_images_are_named_skipped_and_counted(
    tmp_path: Path, pairs: Path, odd_files: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(pairs / "train", folder)
    shutil.copy(odd_files["cut.jpg"], folder / "cut.jpg")
    Image.new("RGB", (20, 9)).save(folder / "small.png")
    with caplog.at_level(logging.WARNING):
        data = TranslationDataset(find(str(folder)), 32)
    assert (len(data), data.skipped) == (12, 2)
    assert "cut.jpg" in caplog.text
    assert "small.png is 10×9 pixels" in caplog.text
    assert "2 images skipped" in caplog.text
    # The pairs stay pairs when some are left out.
    whole = TranslationDataset(find(str(pairs)), 32)
    for i in range(12):
        assert torch.equal(torch.cat(data[SampleKey(0, i, i, 32)]), torch.cat(whole[SampleKey(0, i, i, 32)]))


def test_too_few_images_and_no_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        find(str(tmp_path / "no"))
    with pytest.raises(DataError, match="holds no images"):
        find(str(tmp_path))
    Image.new("RGB", (64, 32)).save(tmp_path / "one.png")
    with pytest.raises(DataError, match="Only 1 images of A"):
        TranslationDataset(find(str(tmp_path)), 32)


def test_the_cache_keeps_what_fits_and_changes_nothing(pairs: Path) -> None:
    sources = find(str(pairs))
    small = TranslationDataset(sources, 32, cache_gb=2 * 3 * 3 * 32 * 32 / 1e9)
    full = TranslationDataset(sources, 32)
    assert (len(small.a.cache), len(full.a.cache)) == (3, 12)
    for i in range(12):
        assert torch.equal(small[SampleKey(0, i, i, 32)][1], full[SampleKey(0, i, i, 32)][1])


class HubImage:
    """Stands for `datasets.Image`."""


class Table(list):
    """Stands for a `datasets.Dataset`: rows of columns."""

    features: ClassVar[dict[str, object]] = {"id": int, "left": HubImage(), "right": HubImage()}

    def select_columns(self, names: list[str]) -> "Table":
        return Table({name: row[name] for name in names} for row in self)


@pytest.fixture
def hub_splits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The splits that every Hub data set but owner/gone has."""
    splits = ["train", "test"]

    def load_dataset(name: str, split: str) -> Table:
        if name == "owner/gone":
            raise RuntimeError("404\nmore")
        if split not in splits:
            raise ValueError(f'Unknown split "{split}". Should be one of {splits}.')
        return Table({"left": Image.new("L", (32, 32), i), "right": Image.new("RGB", (32, 32))} for i in range(3))

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset, Image=HubImage))
    return splits


def test_a_hub_data_set_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match="pip install datasets"):
        find("owner/name")


def test_two_image_columns_of_the_hub_are_pairs_and_one_holds_halves(
    hub_splits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = TranslationDataset(find("owner/name"), 32)
    assert data.paired
    assert [int(data[SampleKey(0, i, i, 32)].a.max()) for i in range(3)] == [0, 1, 2]
    with pytest.raises(DataError, match=r"could not be had from the Hub: 404$"):
        find("owner/gone")
    monkeypatch.setattr(Table, "features", {"left": HubImage()})
    sources = find("owner/name")
    assert sources.paired and sources.a[1].read().shape == sources.b[1].read().shape == (32, 16, 3)
    assert pickle.loads(pickle.dumps(sources.b[2])).read().max() == 2
    monkeypatch.setattr(Table, "features", {"id": int})
    with pytest.raises(DataError, match="owner/name has no column of images; it has id"):
        find("owner/name")


def test_the_split_val_of_the_hub_may_be_called_validation(hub_splits: list[str]) -> None:
    with pytest.raises(DataError, match=r"^The split val of owner/name could not be had .* Unknown split \"val\""):
        find("owner/name", "val")
    hub_splits.append("validation")
    assert len(find("owner/name", "val").a) == 3


@pytest.mark.parametrize("start", multiprocessing.get_all_start_methods())
def test_workers_make_the_same_samples_however_they_are_started(pairs: Path, start: str) -> None:
    data = TranslationDataset(find(str(pairs)), 32, augment=Augmentation(affine=1), cache_gb=0)
    stream = Stream(data, 4, lambda step: 32, 0, 3)
    here = list(DataLoader(data, batch_sampler=stream))
    there = list(DataLoader(data, batch_sampler=stream, num_workers=1, multiprocessing_context=start))
    assert len(here) == len(there) == 3
    for one, two in zip(here, there, strict=True):
        assert isinstance(two, Batch)
        assert torch.equal(one.a, two.a) and torch.equal(one.b, two.b)


def test_samples_are_a_function_of_their_number(pairs: Path) -> None:
    varied = Augmentation(affine=1, hand_drawn=True)
    first, second = (TranslationDataset(find(str(pairs)), 32, 7, varied) for _ in range(2))
    key = SampleKey(5, 2, 2, 32)
    assert torch.equal(torch.cat(first[key]), torch.cat(second[key]))
    assert not torch.equal(first[key][0], first[SampleKey(6, 2, 2, 32)][0])


def test_processes_share_each_batch_and_resuming_goes_on(pairs: Path) -> None:
    data = TranslationDataset(find(str(pairs)), 32)
    one = list(Stream(data, 4, lambda step: 32, 0, 8, 0, 1))
    two = [list(Stream(data, 4, lambda step: 32, 0, 8, rank, 2)) for rank in range(2)]
    assert one == [a + b for a, b in zip(*two, strict=True)]
    assert one[5:] == list(Stream(data, 4, lambda step: 32, 5, 8, 0, 1))
    assert sorted(key.a for batch in one[:3] for key in batch) == list(range(12))


def test_jitter_moves_pairs_together(pairs: Path) -> None:
    data = TranslationDataset(find(str(pairs)), 32, augment=Augmentation(enlarge=1.5, affine=0.5))
    for number in range(20):
        a, b = data[SampleKey(number, number % 12, number % 12, 32)]
        outline, filled = a.float().mean(0) < 128, b.float().min(0).values < 128
        if filled.sum() > 30:
            assert (outline & ~torch.nn.functional.max_pool2d(filled[None].float(), 5, 1, 2)[0].bool()).sum() <= 4


def test_crops_keep_the_size_of_things(tmp_path: Path) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[::4], picture[1::4] = 255, 255  # stripes two pixels wide
    (tmp_path / "train").mkdir()
    for name in "ab":
        Image.fromarray(np.concatenate([picture, picture], 1)).save(tmp_path / "train" / f"{name}.png")
    sources = find(str(tmp_path))
    varied = Augmentation(enlarge=1)
    for cropped, stripes in ((True, {0, 255}), (False, {127, 128})):
        data = TranslationDataset(sources, 64, augment=varied, cropped=cropped)
        a, b = data[SampleKey(0, 0, 0, 16)]
        assert a.shape == b.shape == (3, 16, 16) and torch.equal(a, b)
        assert set(a.unique().tolist()) <= stripes
        assert data[SampleKey(0, 0, 0, 64)][0].shape == (3, 64, 64)


def test_labels_keep_their_colours(pairs: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    labels = flatten_labels(Image.fromarray(noise), FACADES)
    pixels = augmentation.affine([np.asarray(labels)], 1, np.random.default_rng(1), [True])[0]
    pixels = augmentation.jitter([pixels], 32, 1.2, True, np.random.default_rng(2), [True])[0]
    colours = {tuple(c) for c in pixels.reshape(-1, 3).tolist()}
    assert colours <= set(FACADES.values())


def test_hand_drawn_outlines_stay_black_on_white() -> None:
    clean = np.full((64, 64, 3), 255, np.uint8)
    clean[20:44, 20:22] = clean[20:44, 42:44] = clean[20:22, 20:44] = clean[42:44, 20:44] = 0
    drawn = [augmentation.hand_drawn(clean, np.random.default_rng(i), clean=0) for i in range(40)]
    ink = np.array([(d[:, :, 0] < 128).sum() for d in drawn])
    assert ink.min() > 20
    assert ink.max() > 2 * np.median(ink[ink <= np.median(ink)])
    assert all((d[:4] == 255).all() and (d[..., 0] == d[..., 2]).all() for d in drawn)


def test_a_palette_file_is_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "palette.json"
    labels = LabelSet({"sea": (0, 0, 200), "land": (90, 160, 60)}, "sea", "land")
    write_palette(path, labels)
    assert read_palette(path) == labels
    path.write_text('{"palette": {"sea": [0, 0, 200], "land": [90, 160, 60]}}')
    assert read_palette(path) == labels
    with pytest.raises(DataError, match="does not exist"):
        read_palette(tmp_path / "none.json")
    bad = [
        "[]", "{", '{"palette": {}}', '{"palette": {"sea": [0, 0, 200]}}',
        '{"palette": {"a": [0, 0, 1], "b": [0, 0, 1]}}',
        '{"palette": {"a": [0, 0, 256], "b": [0, 0, 1]}}', '{"palette": {"a": [0, 0], "b": [0, 0, 1]}}',
        '{"palette": {"a": [0, 0, true], "b": [0, 0, 1]}}',
        '{"palette": {"a": [0, 0, 2], "b": [0, 0, 1]}, "foreground": "c"}',
        '{"palette": {"a": [0, 0, 2], "b": [0, 0, 1]}, "rough": "yes"}',
    ]  # fmt: skip
    for text in bad:
        path.write_text(text)
        with pytest.raises(DataError, match="is no palette: it must be JSON like"):
            read_palette(path)


def test_pairs_of_coloured_drawings_are_varied_alike_and_only_a_is_simplified(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    folder.mkdir()
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[8:56, 8:56] = (200, 40, 40)
    picture[31, 31] = (40, 40, 200)
    for i in range(2):
        Image.fromarray(np.concatenate([picture, picture], 1)).save(folder / f"{i}.png")
    alike = Augmentation(enlarge=1, vary_colours=True, warp=2)
    data = TranslationDataset(find(str(tmp_path)), 64, augment=alike)
    batches = [data[SampleKey(n, 0, 0, 64)] for n in range(6)]
    assert all(torch.equal(a, b) for a, b in batches)
    assert len({tuple(a[:, 20, 20].tolist()) for a, _ in batches}) > 4
    simplified = TranslationDataset(
        find(str(tmp_path)), 64, augment=Augmentation(enlarge=1, simplify=True, mirror=False)
    )
    batches = [simplified[SampleKey(n, 0, 0, 64)] for n in range(6)]
    assert all(torch.equal(b, torch.from_numpy(picture).permute(2, 0, 1)) for _, b in batches)
    assert not all(torch.equal(a, b) for a, b in batches)
