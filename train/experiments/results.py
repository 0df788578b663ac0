"""The results of experiments: a table is a JSON file of docs/results/, made by the command that measures it.

A file says what the paper's table is, what was done here, and for each row what the paper has and what every run (a
seed) found. `findings`, sentences by whoever looked at the numbers, are kept when the file is written anew.
"""

import dataclasses
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from i2i_models.errors import DataError

RESULTS = Path("docs/results")
"""Where the tables are, seen from the project's folder."""
FIELDS = ("title", "source", "here", "command", "columns", "rows")


@dataclasses.dataclass(frozen=True)
class Row:
    """One setting that is measured."""

    key: str
    """In files and on the command line."""
    name: str
    """In the table."""
    paper: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """What the paper has, by column; of the same scale."""


@dataclasses.dataclass(frozen=True)
class Column:
    """One number that is measured of every row."""

    heading: str
    digits: int = 3
    """After the point."""
    better: str = "higher"
    """Which is better: higher, lower, or neither."""


@dataclasses.dataclass(frozen=True)
class Table:
    """What a command measures."""

    name: str
    """Of its file."""
    title: str
    source: str
    """The paper, and the number of its table or section."""
    here: str
    """What was done here, and in what it differs from the paper."""
    command: str
    columns: Mapping[str, Column]
    """By the names of the values; the first is drawn."""
    rows: Sequence[Row]


def done(folder: Path, table: Table, row: str, seed: int) -> bool:
    """Whether a run's result is there already.

    Raises:
        DataError: the file is damaged.
    """
    return any(run["seed"] == seed for run in read(folder, table.name).get("rows", {}).get(row, {}).get("runs", []))


def record(folder: Path, table: Table, row: str, run: Mapping[str, Any]) -> None:
    """Put the result of a run into the table's file, in place of an earlier one of the same seed.

    Args:
        run: `seed`, `values` by column, `minutes`, and what else belongs to it, such as a `histogram`.

    Raises:
        DataError: the file is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{table.name}.lock"):
        kept = read(folder, table.name)
        before = kept.get("rows", {})
        rows = {
            r.key: {"name": r.name, "paper": dict(r.paper), "runs": before.get(r.key, {}).get("runs", [])}
            for r in table.rows
        }
        runs = [other for other in rows[row]["runs"] if other["seed"] != run["seed"]]
        rows[row]["runs"] = sorted([*runs, {**run, "device": device()}], key=lambda one: one["seed"])
        content = {
            "title": table.title,
            "source": table.source,
            "here": table.here,
            "command": table.command,
            "columns": {name: dataclasses.asdict(column) for name, column in table.columns.items()},
            "rows": rows,
            "findings": kept.get("findings", []),
        }
        path = folder / f"{table.name}.json"
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(unfinished, path)


def read(folder: Path, name: str) -> dict[str, Any]:
    """A table's file; empty where there is none yet.

    Raises:
        DataError: it is damaged.
    """
    path = folder / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        missing = [field for field in FIELDS if field not in content]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error}): restore it, or delete it and measure again.") from None
    if missing:
        raise DataError(f"{path} has no {missing[0]}: restore it, or delete it and measure again.")
    return content


def device() -> str:
    """The GPU, or the processor and its cores, in words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = [line for line in cpuinfo.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    return f"{name}, {os.cpu_count()} cores"
