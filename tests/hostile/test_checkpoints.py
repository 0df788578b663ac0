"""Damaged checkpoints: each is refused with a sentence or loads right; none crashes or takes memory without need."""

import json
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tiny_checkpoints import PAIRED, STYLED, save_checkpoints

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.networks import methods
from ui.catalog import Catalog
from ui.compare import find_tasks
from ui.editor import input_spec
from ui.model_card import card_html

MOST_MEMORY = 200_000_000
"""Bytes that reading a checkpoint of some kilobytes may take."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints in order, a styles file included."""
    folder = tmp_path_factory.mktemp("whole")
    save_checkpoints(folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of one of them, to damage."""

    def copied(name: str) -> Path:
        return Path(shutil.copytree(whole / name, tmp_path / name, dirs_exist_ok=True))

    return copied


def memory(what: str) -> int:
    """Bytes that this process holds (VmRSS), or held at most (VmHWM)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def read(folder: Path) -> bool:
    """Whether a checkpoint loads; if so it must work. Anything but `CheckpointError` and success fails the test."""
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak, which an earlier test has set
    held = memory("VmRSS")
    try:
        network, info = methods.read(folder)
    except i2i.CheckpointError as error:
        assert 20 < len(str(error)) < 500 and "Traceback" not in str(error)
        return False
    finally:
        assert memory("VmHWM") - held < MOST_MEMORY
    y = network.translate(torch.zeros(1, 3, info.size, info.size), "A2B")
    assert y.shape[0] == 1 and bool(y.isfinite().all())
    return True


@pytest.mark.parametrize("name", [PAIRED, STYLED])
def test_every_file_cut_at_ten_places(copy: Callable[[str], Path], name: str) -> None:
    folder = copy(name)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        for part in range(10):
            path.write_bytes(data[: len(data) * part // 10])
            # Only a missing newline at the end would be no loss, and no tenth ends there.
            assert not read(folder), f"{path.name} cut at {part} tenths was taken"
        path.write_bytes(data)
        assert read(folder)


@pytest.mark.parametrize("file", [checkpoints.CONFIG, checkpoints.WEIGHTS])
def test_flipped_bits(copy: Callable[[str], Path], file: str) -> None:
    folder, chance = copy(PAIRED), random.Random(0)
    path = folder / file
    data = path.read_bytes()
    # Most of a weights file is numbers, where a flip is another number: look at its header above all.
    places = [chance.randrange(min(len(data), 4000)) for _ in range(60)] + [
        chance.randrange(len(data)) for _ in range(20)
    ]
    for place in places:
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :])
        read(folder)
    path.write_bytes(data)
    assert read(folder)


def test_weights_that_are_not_the_networks(copy: Callable[[str], Path]) -> None:
    folder = copy(PAIRED)
    path = folder / checkpoints.WEIGHTS
    state = load_file(path)
    key = next(k for k, v in state.items() if v.dim() == 4 and v.shape[0] != v.shape[1])
    changes: dict[str, dict[str, torch.Tensor]] = {
        "swapped sides": {key: state[key].transpose(0, 1).contiguous()},
        "one number": {key: torch.zeros(())},
        "nothing": {key: torch.zeros(0, 3, 4, 4)},
        "NaN": {key: torch.full_like(state[key], float("nan"))},
        "infinite": {key: torch.full_like(state[key], float("inf"))},
        "beyond float16": {key: torch.full(state[key].shape, 1e39, dtype=torch.float64)},
        "whole numbers": {key: torch.ones(state[key].shape, dtype=torch.int64)},
        "complex": {key: torch.ones(state[key].shape, dtype=torch.complex64)},
        "one more": {"more": torch.zeros(3)},
    }
    for what, change in changes.items():
        save_file({**state, **change}, path)
        assert not read(folder), what
    save_file({k: v for k, v in state.items() if k != key}, path)
    assert not read(folder)
    shutil.copy(copy(STYLED) / checkpoints.WEIGHTS, path)
    assert not read(folder)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 10**9),
        struct.pack("<Q", 2) + b"{}",
        b'%s{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}' % struct.pack("<Q", 78),
        b"\x80\x04cos\nsystem\n(S'touch hacked'\ntR.",
        b"PK\x03\x04" + b"\0" * 100,
    ],
    ids=["endless header", "long header", "no tensors", "four terabytes", "a pickle", "a torch archive"],
)
def test_weights_files_that_lie(copy: Callable[[str], Path], header: bytes) -> None:
    folder = copy(PAIRED)
    (folder / checkpoints.WEIGHTS).write_bytes(header)
    assert not read(folder)
    with pytest.raises(i2i.CheckpointError):
        i2i.load(folder, lazy=True).translate(i2i.open_image(_picture()))


LIES: dict[str, Any] = {
    "width": {"network": {"base_width": 10**9}},
    "negative width": {"network": {"base_width": -4}},
    "broken width": {"network": {"base_width": 4.5}},
    "width in words": {"network": {"base_width": "4"}},
    "depth": {"network": {"depth": 10**9}},
    "another depth": {"network": {"depth": 5}},
    "unknown setting": {"network": {"__class__": "os.system"}},
    "no settings": {"network": None},
    "size": {"size": 10**12},
    "odd size": {"size": 33},
    "truth for a size": {"size": True},
    "method": {"method": "../../evil"},
    "another method": {"method": "cyclegan"},
    "format": {"format": 10**9},
    "domains": {"domains": {"A": {}, "B": {}}},
    "domains in words": {"domains": {"A": "x", "B": "y"}},
    "palette": {"domains": {"A": {"name": "a", "palette": {"x": [1, 2]}}, "B": {"name": "b"}}},
    "abilities": {"abilities": {"paired": "yes"}},
    "a list for a title": {"title": ["x"]},
    "a title of a book": {"title": "x" * 1000},
    "half a surrogate for a title": {"title": "\ud800"},
    "a list for the training": {"training": [1]},
    "a colour beyond": {"domains": {"A": {"name": "a", "palette": {"x": [1, 2, 999]}}, "B": {"name": "b"}}},
    "a number for a name": {"domains": {"A": {"name": 7}, "B": {"name": "b"}}},
    "a list for a kind": {"domains": {"A": {"name": "a", "kind": ["labels"]}, "B": {"name": "b"}}},
    "deep": {"training": "[" * 100_000},
    "endless": {"training": "x" * 2_000_000},
    "other abilities": {"abilities": None},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_configs_that_lie(copy: Callable[[str], Path], lie: dict[str, Any]) -> None:
    folder = copy(PAIRED)
    path = folder / checkpoints.CONFIG
    config = json.loads(path.read_text())
    for field, value in lie.items():
        inner = isinstance(value, dict) and field == "network"
        config[field] = {**config[field], **value} if inner else value
    path.write_text(json.dumps(config))
    # A checkpoint that says nothing of its capabilities is an old one.
    assert read(folder) == (lie == LIES["other abilities"])


def _picture() -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inside: st.lists(inside, max_size=5) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=10,
)
ROW = st.fixed_dictionaries(
    {"metric": st.just("truth") | JSON, "direction": st.just("A2B") | JSON, "l1": JSON},
    optional={"ssim": JSON, "split": JSON, "images": JSON},
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.dictionaries(st.sampled_from(("title", "size", "domains", "network", "abilities", "training")), JSON),
    domain=st.fixed_dictionaries({"name": st.just("a") | JSON}, optional={"kind": JSON, "palette": JSON}),
    metrics=st.lists(ROW, max_size=3).map(lambda rows: {"metrics": rows}) | JSON,
    card=st.binary(max_size=60),
)
def test_a_broken_checkpoint_costs_itself_alone(
    copy: Callable[[str], Path], changes: dict[str, Any], domain: Any, metrics: Any, card: bytes
) -> None:
    """Whatever its files hold, what the page is built of can be built and sent, the others' part too."""
    folder, other = copy(PAIRED), copy(STYLED)
    config = json.loads((folder / checkpoints.CONFIG).read_text())
    domains = {"A": {**config["domains"]["A"], **domain}, "B": config["domains"]["B"]}
    (folder / checkpoints.CONFIG).write_text(json.dumps({**config, "domains": domains, **changes}))
    (folder / checkpoints.METRICS).write_text(json.dumps(metrics))
    (folder / checkpoints.CARD).write_bytes(card)
    is_built(folder.parent, other.name)
    shutil.rmtree(folder)


def test_deep_files_cost_their_checkpoint_alone(copy: Callable[[str], Path]) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    folder, other = copy(PAIRED), copy(STYLED)
    (folder / checkpoints.METRICS).write_text(f'{{"metrics": {deep}}}')
    is_built(folder.parent, PAIRED, other.name)
    config = (folder / checkpoints.CONFIG).read_text()
    (folder / checkpoints.CONFIG).write_text(config.replace('"training": {}', f'"training": {deep}'))
    is_built(folder.parent, other.name)


def is_built(folder: Path, *names: str) -> None:
    """Make of a folder of checkpoints what the page is made of; some of them must be there."""
    catalog = Catalog(folder)
    translators = catalog.translators.values()
    assert set(names) <= set(catalog.translators)
    tasks = find_tasks(translators)
    assert {method["checkpoint"] for task in tasks.values() for method in task["methods"]} == set(catalog.translators)
    specs = [input_spec(translator, direction) for translator in translators for direction in translator.directions]
    # As Gradio sends it, which takes no number that is too long, and no text that is none.
    assert orjson.dumps([tasks, specs, [translator.info.title for translator in translators]])
    assert orjson.dumps([card_html(translator) for translator in translators])
