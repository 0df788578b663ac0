"""The model card of a checkpoint, made from its own files."""

import json
from pathlib import Path
from string import Template
from typing import Any

from i2i_models import checkpoint

TEMPLATE = Path(__file__).with_name("card_template.md")


def write_card(folder: Path) -> None:
    """Write `README.md` from the checkpoint's `config.json` and `metrics.json` and the recipe's notes, if there."""
    config = json.loads((folder / checkpoint.CONFIG).read_text(encoding="utf-8"))
    metrics = json.loads((folder / checkpoint.METRICS).read_text(encoding="utf-8"))["metrics"]
    notes = Path(__file__).parent / "recipes" / f"{folder.name}.md"
    training = {k: v for k, v in config["training"].items() if k != "data_note" and v not in (None, "")}
    card = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=folder.name,
        title=config["title"],
        method=config["method"],
        size=config["size"],
        metrics=_table(list(dict.fromkeys(name for row in metrics for name in row)), metrics),
        notes=notes.read_text(encoding="utf-8") if notes.is_file() else "",
        data=config["training"].get("data_note", ""),
        settings=_table(["setting", "value"], [{"setting": k, "value": v} for k, v in training.items()]),
    )
    checkpoint.write_text(folder / checkpoint.CARD, card)


def _table(columns: list[str], rows: list[dict[str, Any]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(row.get(name, "")) for name in columns) + " |" for row in rows]
    return "\n".join(lines)
