"""What the Compare tab compares: who does the same, by which numbers, and where the truth is known."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

import i2i_models as i2i
from i2i_models import checkpoints
from train.evaluation import evaluate
from ui import compare, text
from ui.answers import Answers
from ui.catalog import Catalog
from ui.errors import sentences
from ui.uploads import Uploads

OUTLINES = {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("emoji")}
LABELS = {"A": checkpoints.Domain("labels", "labels", {"wall": (1, 2, 3)}), "B": checkpoints.Domain("photo")}
TO_EMOJI, TO_OUTLINE = "outline (outline) to emoji (picture)", "emoji (picture) to outline (outline)"


def save(folder: Path, name: str, network: Any, domains: dict[str, checkpoints.Domain], rows: list[Any] = []) -> Path:  # noqa: B006
    checkpoints.save(folder / name, network, checkpoints.Info(name, name, network.method, 32, domains))
    (folder / name / "metrics.json").write_text(json.dumps({"metrics": rows}))
    return folder / name


def truth(l1: float, ssim: float | None = None, direction: str = "A2B") -> dict[str, Any]:
    row = {"metric": "truth", "direction": direction, "split": "test", "size": 32, "images": 9, "l1": l1}
    return row | ({} if ssim is None else {"ssim": ssim})


def pix2pix() -> i2i.Pix2Pix:
    return i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three that know outlines and emoji, one of them in both directions; one that does something else."""
    folder = tmp_path_factory.mktemp("checkpoints")
    munit = i2i.MUNIT(i2i.MUNITConfig(base_width=4, blocks=1, mlp_width=8, discriminator_width=4))
    with_examples = save(folder, "a-pix2pix", pix2pix(), OUTLINES, [truth(0.2, 0.7), truth(0.9, direction="B2A")])
    save(folder, "b-pix2pix", pix2pix(), OUTLINES, [truth(0.1), {"metric": "variety", "direction": "A2B"}])
    save(folder, "c-munit", munit, OUTLINES)
    save(folder, "d-labels", pix2pix(), LABELS)
    examples = with_examples / "examples"
    (examples / "truth").mkdir(parents=True)
    for name, colour in (("1", "red"), ("2", "blue")):
        Image.new("RGB", (32, 32), colour).save(examples / f"{name}.png")
    (examples / "0-broken.png").write_text("no picture")
    Image.new("RGB", (32, 32), "lime").save(examples / "truth" / "2.png")
    return folder


@pytest.fixture(scope="module")
def catalog(folder: Path) -> Catalog:
    return Catalog(folder)


@pytest.fixture(scope="module")
def tasks(catalog: Catalog) -> dict[str, compare.Task]:
    return compare.find_tasks(catalog.translators.values())


def test_methods_are_grouped_by_what_they_do(tasks: dict[str, compare.Task]) -> None:
    grouped = {key: [(m["checkpoint"], m["direction"]) for m in task["methods"]] for key, task in tasks.items()}
    assert grouped == {
        TO_EMOJI: [("a-pix2pix", "A2B"), ("b-pix2pix", "A2B"), ("c-munit", "A2B")],
        TO_OUTLINE: [("c-munit", "B2A")],
        "labels (labels) to photo (picture)": [("d-labels", "A2B")],
    }
    assert next(iter(tasks)) == TO_EMOJI, "what most methods do comes first"
    assert tasks[TO_EMOJI]["title"] == "outline → emoji"


def test_equal_domains_the_other_way_round_are_the_same_task(folder: Path, tmp_path: Path) -> None:
    there = i2i.load(folder / "a-pix2pix")
    save(tmp_path, "back", i2i.load(folder / "c-munit").network, {"A": OUTLINES["B"], "B": OUTLINES["A"]})
    tasks = compare.find_tasks([there, i2i.load(tmp_path / "back")])
    assert [(m["name"], m["direction"]) for m in tasks[TO_EMOJI]["methods"]] == [("pix2pix", "A2B"), ("MUNIT", "B2A")]


def test_two_of_one_method_are_told_apart_by_their_names(tasks: dict[str, compare.Task]) -> None:
    assert [m["name"] for m in tasks[TO_EMOJI]["methods"]] == ["pix2pix · a-pix2pix", "pix2pix · b-pix2pix", "MUNIT"]
    assert [m["styled"] for m in tasks[TO_EMOJI]["methods"]] == [False, False, True]


def test_figures_are_those_of_the_direction_and_the_best_is_marked(tasks: dict[str, compare.Task]) -> None:
    shown = [[(f["label"], f["value"], f["best"]) for f in m["figures"]] for m in tasks[TO_EMOJI]["methods"]]
    assert shown == [
        [("L1", "0.200", False), ("SSIM", "0.700", False)],
        [("L1", "0.100", True), ("SSIM", "–", False)],
        [("L1", "–", False), ("SSIM", "–", False)],
    ]
    assert tasks[TO_EMOJI]["methods"][0]["figures"][0]["about"] == "9 test images, 32 px"
    assert tasks[TO_EMOJI]["legend"].startswith("outline → emoji, test images: L1")
    assert tasks[TO_OUTLINE]["methods"][0]["figures"] == [] and tasks[TO_OUTLINE]["legend"] == ""


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"metrics": 5}', '{"metrics": [1]}', '{"metrics": [{"metric": "truth"}]}']
)
def test_damaged_metrics_are_none(folder: Path, tmp_path: Path, damage: str) -> None:
    save(tmp_path, "x", pix2pix(), OUTLINES)
    (tmp_path / "x" / "metrics.json").write_text(damage)
    (task,) = compare.find_tasks([i2i.load(tmp_path / "x")]).values()
    assert task["methods"][0]["figures"] == []


def test_a_number_that_is_none_is_left_out(tmp_path: Path) -> None:
    save(tmp_path, "x", pix2pix(), OUTLINES, [truth("much")])  # type: ignore[arg-type]
    (task,) = compare.find_tasks([i2i.load(tmp_path / "x")]).values()
    assert task["methods"][0]["figures"] == []


def test_every_figure_has_its_words() -> None:
    for figure in compare.FIGURES:
        assert {f"figure_{figure.value}", f"legend_{figure.value}"} <= set(text.COMPARE)


def test_the_editor_has_the_examples_of_the_checkpoint_with_truths(tasks: dict[str, compare.Task]) -> None:
    task = tasks[TO_EMOJI]
    assert (task["checkpoint"], task["direction"], task["truths"]) == ("a-pix2pix", "A2B", True)
    assert tasks[TO_OUTLINE]["truths"] is False


def test_truths_stand_in_the_order_of_the_examples(catalog: Catalog) -> None:
    payload = {"checkpoint": "a-pix2pix", "direction": "A2B"}
    examples, truths = Uploads(catalog).examples(payload)["examples"], compare.truths(catalog)(payload)["truths"]
    assert len(examples) == len(truths) == 2, "the broken example counts in neither"
    assert truths[0] is None
    shown = i2i.open_image(base64.b64decode(truths[1].partition(",")[2])).getpixel((5, 5))
    assert isinstance(shown, tuple) and shown[1] > 200 > 60 > shown[0]


@pytest.mark.parametrize("bad", [None, {}, {"checkpoint": "nobody"}, {"checkpoint": "a-pix2pix", "direction": "B2A"}])
def test_a_bad_question_for_truths_gets_a_sentence(catalog: Catalog, bad: Any) -> None:
    assert set(sentences(compare.truths(catalog))(bad)) == {"error"}


def test_evaluation_ships_the_truth_beside_each_example(folder: Path, pairs: Path, tmp_path: Path) -> None:
    save(tmp_path, "x", pix2pix(), OUTLINES)
    evaluate.evaluate(tmp_path / "x", str(pairs), batch_size=4)
    translator = i2i.load(tmp_path / "x")
    assert len(translator.examples) == 4
    for example in translator.examples:
        found = Image.open(compare.truth_of(example))
        both = Image.open(pairs / "test" / example.name).convert("RGB")
        assert found.tobytes() == both.crop((32, 0, 64, 32)).tobytes()


def test_the_tab_builds_and_its_words_exist(catalog: Catalog) -> None:
    with gr.Blocks() as page, gr.Tab(id="compare") as tab:
        compare.compare_tab(tab, Answers(catalog), list(catalog.translators.values()))
    assert all(fn.api_visibility == "private" for fn in page.fns.values()), "no event of the page is for programs"
    html, script = ((compare.HERE / f"compare.{kind}").read_text() for kind in ("html", "js"))
    named = set(re.findall(r"\{\{texts\.(\w+)\}\}", html)) | set(re.findall(r"texts\.(\w+)", script))
    assert named <= {*text.EDITOR, *text.HISTORY, *text.COMPARE}
    by_python = {"task", "about", "measured", "legend"}
    built = {key for key in text.COMPARE if key.startswith(("figure_", "legend_"))}
    assert set(text.COMPARE) <= named | by_python | built, "texts that nobody shows"
