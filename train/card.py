"""The model card of a checkpoint, made from its own files."""

import inspect
import json
from pathlib import Path
from string import Template
from typing import Any

from i2i_models import checkpoint
from i2i_models.methods import METHODS
from i2i_models.network import TranslationNetwork

from .measures import MEASURES, Values

TEMPLATE = Path(__file__).with_name("card_template.md")
ABOUT = ("metric", "direction", "split", "size", "images")
"""What a row of metrics says about itself; all else in it was measured."""

SPELLED = {"l1": "L1", "psnr": "PSNR", "ssim": "SSIM", "iou": "IoU", "lpips": "LPIPS", "fid": "FID", "kid": "KID"}


def write_card(folder: Path) -> None:
    """Write `README.md` from the checkpoint's `config.json` and `metrics.json` and the recipe's notes, if there."""
    config = json.loads((folder / checkpoint.CONFIG).read_text(encoding="utf-8"))
    metrics = json.loads((folder / checkpoint.METRICS).read_text(encoding="utf-8"))["metrics"]
    notes = Path(__file__).parent / "recipes" / f"{folder.name}.md"
    training = {k: v for k, v in config["training"].items() if k != "data_note" and v not in (None, "")}
    method = METHODS[config["method"]]
    names = {key: domain["name"] for key, domain in config["domains"].items()}
    card = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=folder.name,
        title=config["title"],
        tag=config["method"],
        method=method.title,
        size=config["size"],
        rows=_samples_rows(method, names),
        domains=f"A is {names['A']}, B is {names['B']}.",
        metrics=_table([line for row in metrics for line in _lines(row)]),
        explained="\n".join(_explained(metrics)),
        notes=notes.read_text(encoding="utf-8") if notes.is_file() else "",
        data=config["training"].get("data_note", ""),
        settings=_table([{"setting": k, "value": v} for k, v in training.items()]),
    )
    checkpoint.write_text(folder / checkpoint.CARD, card)


def _lines(row: Values) -> list[dict[str, Any]]:
    """A line of the table for each measured value; what is measured `_of_` something else stands beside it."""
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
    """A line for each measure that was taken."""
    taken = dict.fromkeys(row["metric"] for row in metrics)
    return [f"- **{name}**: {' '.join((inspect.getdoc(MEASURES[name]) or '').split())}" for name in taken]


def _samples_rows(method: type[TranslationNetwork], names: dict[str, str]) -> str:
    """What the rows of samples.png are, as the method's `grid` draws them."""
    if method.paired:
        return "inputs that training never saw, results, truth"
    if hasattr(method, "encode_style"):
        shown = "in four random styles and in that of the {other} below or above it"
    elif hasattr(method, "reconstruct"):
        shown = "reconstructed, translated, and back again"
    else:
        shown = "translated, and back again"
    halves = [f"{names[k]} {shown.format(other=names[other])}" for k, other in ("AB", "BA")]
    return "; ".join(halves) + "; none of them seen in training"


def _table(rows: list[dict[str, Any]]) -> str:
    columns = list(rows[0]) if rows else ["nothing"]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    cells = [[str(row[name]).replace("|", "\\|").replace("\n", " ") for name in columns] for row in rows]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in cells])
