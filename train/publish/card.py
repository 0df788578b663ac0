"""The model card of a checkpoint, made from its own files."""

import inspect
import json
import re
from itertools import permutations
from pathlib import Path
from string import Template
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from i2i_models import checkpoints
from i2i_models.directions import DOMAINS
from i2i_models.networks.methods import METHODS
from i2i_models.networks.network import TranslationNetwork

from ..evaluation.measures import MEASURES, Values

TEMPLATE = Path(__file__).with_name("card_template.md")
ABOUT = ("metric", "direction", "split", "size", "images", "readers")
"""The keys of a row of metrics that say what was measured; the others are results."""
ABOUT_DATA = ("data_note", "dataset", "license", "history")
"""The keys of a training's record that are about its data, weights and past; the others are settings."""

SPELLED = {
    **{"l1": "L1", "psnr": "PSNR", "ssim": "SSIM", "iou": "IoU", "lpips": "LPIPS", "fid": "FID", "kid": "KID"},
    **{"st": "ST", "f1": "F1", "frechet": "Fréchet", "is": "IS", "cis": "CIS"},
}
NOT_MEASURED = "Not measured yet: `python -m train evaluate` does, and writes samples and examples."


def write_card(folder: Path) -> None:
    """Write `README.md` from the checkpoint's `config.json` and, if there, its `metrics.json` and recipe's notes."""
    config = json.loads((folder / checkpoints.CONFIG).read_text(encoding="utf-8"))
    measured = folder / checkpoints.METRICS
    metrics = json.loads(measured.read_text(encoding="utf-8"))["metrics"] if measured.is_file() else []
    notes = Path(__file__).parents[1] / "recipes" / f"{folder.name}.md"
    training = config["training"]
    settings = {k: v for k, v in training.items() if k not in ABOUT_DATA and v not in (None, "")}
    method = METHODS[config["method"]]
    names = {key: domain["name"] for key, domain in config["domains"].items()}
    samples = f"![samples](samples.png)\n\nRows: {_samples_rows(method, names)}.\n"
    card = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        front_matter=front_matter(folder.name, config, metrics),
        name=folder.name,
        title=config["title"],
        method=method.title,
        size=config["size"],
        samples=samples if (folder / "samples.png").is_file() else "",
        domains=f"A is {names['A']}, B is {names['B']}.",
        metrics=_table([line for row in metrics for line in _lines(row)]) if metrics else NOT_MEASURED,
        explained="\n".join(_explained(metrics)),
        notes=notes.read_text(encoding="utf-8") if notes.is_file() else "",
        data=training.get("data_note", ""),
        seen=_data_name(training),
        history="\n".join(f"- {line}" for line in training.get("history", ())),
        settings=_table([{"setting": k, "value": v} for k, v in settings.items()]),
    )
    checkpoints.write_text(folder / checkpoints.CARD, re.sub(r"\n{3,}", "\n\n", card))


def front_matter(name: str, config: dict[str, Any], metrics: list[Values]) -> str:
    """The YAML block of a card, by which the Hub finds, filters and compares models."""
    training = config["training"]
    dataset = training.get("dataset")
    return ModelCardData(
        license=training.get("license", "mit"),
        library_name="i2i_models",
        pipeline_tag="image-to-image",
        tags=["image-to-image", config["method"], "gan"],
        datasets=[dataset] if dataset else None,
        model_name=name,
        eval_results=[result for row in metrics for result in _eval_results(row, training)],
    ).to_yaml()


def _eval_results(row: Values, training: dict[str, Any]) -> list[EvalResult]:
    """An entry of the model-index for each measured value."""
    known = _data_name(training)
    return [
        EvalResult(
            task_type="image-to-image",
            # The Hub asks for the id of a data set; data that have no repo there get their name.
            dataset_type=training.get("dataset") or re.sub(r"\W+", "-", known.lower()).strip("-"),
            dataset_name=known,
            dataset_split=str(row["split"]),
            metric_type=name if name in SPELLED else f"{row['metric']}_{name}",
            metric_name=f"{row['metric']} {_words(name)}, {row['direction']}, {row['images']} images, {row['size']} px",
            metric_value=value,
        )
        for name, value in row.items()
        if name not in ABOUT and "_of_" not in name
    ]


def _data_name(training: dict[str, Any]) -> str:
    """The name of the training data: their id on the Hub, or the beginning of the note about them."""
    noted = re.split(r"\s*[(:,.]", training.get("data_note", ""))[0]
    return training.get("dataset") or noted or "the images of one collection"


def _lines(row: Values) -> list[dict[str, Any]]:
    """A line of the table for each result; the results `_of_` something else stand beside it."""
    lines = []
    for name, value in row.items():
        if name in ABOUT or "_of_" in name:
            continue
        beside = {k.removeprefix(f"{name}_of_"): v for k, v in row.items() if k.startswith(f"{name}_of_")}
        lines.append(
            {
                "direction": row["direction"],
                "metric": row["metric"],
                "": _words(name),
                "result": value,
                "beside": ", ".join(f"{_words(of)}: {v}" for of, v in beside.items()),
                "images": f"{row['images']} of {row['split']}, {row['size']} px",
            }
        )
    return lines


def _words(name: str) -> str:
    return " ".join(SPELLED.get(word, word) for word in name.split("_"))


def _explained(metrics: list[Values]) -> list[str]:
    """A line about each measure that was taken: its docstring."""
    taken = dict.fromkeys(row["metric"] for row in metrics)
    return [f"- **{name}**: {' '.join((inspect.getdoc(MEASURES[name]) or '').split())}" for name in taken]


def _samples_rows(method: type[TranslationNetwork], names: dict[str, str]) -> str:
    """Describe the rows of samples.png, as the method's `grid` draws them."""
    if method.paired:
        return "inputs that training never saw, results, truth"
    if method.encode_style is not TranslationNetwork.encode_style:
        shown = "in four random styles and in that of the {other} below or above it"
    elif hasattr(method, "reconstruct"):
        shown = "reconstructed, translated, and back again"
    else:
        shown = "translated, and back again"
    halves = [f"{names[k]} {shown.format(other=names[other])}" for k, other in permutations(DOMAINS)]
    return "; ".join(halves) + "; none of them seen in training"


def _table(rows: list[dict[str, Any]]) -> str:
    columns = list(rows[0]) if rows else ["nothing"]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    cells = [[str(row[name]).replace("|", "\\|").replace("\n", " ") for name in columns] for row in rows]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in cells])
