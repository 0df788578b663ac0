"""The papers' ablations, row by row: `python -m train ablate TABLE --data DIR`."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
import tyro

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.errors import DataError, TrainingError

from ..data.held_out import held_out
from ..evaluation.case import Case, make_case
from ..evaluation.measures import MEASURES
from ..loop.progress import read_progress
from ..loop.state import STATE
from .ablations import ABLATIONS, Ablation
from .results import RESULTS, done, record

BATCH = 16
"""Held-out images translated at once."""


def ablate(
    table: tyro.conf.Positional[str],
    data: str,
    rows: tuple[str, ...] = (),
    seeds: tuple[int, ...] = (1,),
    keep: bool = False,
    runs: Path = Path("runs/ablate"),
    results: Path = RESULTS,
) -> None:
    """Train and measure the rows of one of the papers' ablations, by the ordinary training and evaluation.

    Each row and seed is kept in RESULTS/TABLE.json and not done again; one that was interrupted goes on where it was.

    Args:
        table: which ablation: pix2pix-losses, pix2pix-generators or pix2pix-discriminators (of facades), unit (of
            ground and satellite) or munit (of sketches and avatars).
        data: the data set that the table is of, as for training.
        rows: keys of the rows to run; all by default.
        seeds: of the trainings; each is a run of every row.
        keep: leave checkpoints and training states in RUNS; by default they go once a run is measured.
        runs: where the trainings are.
        results: the folder of the tables.
    """
    ablation = ABLATIONS.get(table)
    if ablation is None:
        raise TrainingError(f"There is no ablation {table!r}, but {', '.join(ABLATIONS)}.")
    if unknown := [row for row in rows if row not in ablation.options]:
        raise TrainingError(f"{table} has no row {unknown[0]!r}, but {', '.join(ablation.options)}.")
    for seed in seeds:
        for row in rows or ablation.options:
            if not done(results, ablation.table, row, seed):
                run = run_row(ablation, row, seed, data, runs / table / row / str(seed))
                record(results, ablation.table, row, run)
                if not keep:
                    shutil.rmtree(runs / table / row / str(seed))
                print(f"{table}, {row}, seed {seed}: {run['values']}", flush=True)


def run_row(ablation: Ablation, row: str, seed: int, data: str, folder: Path) -> dict[str, Any]:
    """Train a row, from its last saved state if there is one, and measure it; the run as `record` takes it.

    Raises:
        TrainingError: the training stopped.
        DataError: a measure does not apply to the data.
    """
    output, run = folder / "checkpoint", folder / "run"
    if not (output / checkpoints.CONFIG).is_file():
        command = [
            *(sys.executable, "-m", "train", ablation.method, "--data", data),
            *("--output", str(output), "--run", str(run), "--seed", str(seed), "--sample-every", "1000000"),
            *(*ablation.common, *ablation.options[row]),
            *(["--resume"] if (run / STATE).is_file() else []),
        ]
        if subprocess.run(command, check=False).returncode:
            raise TrainingError(f"The training of {folder} stopped: the same command goes on where it was.")
    minutes = round(read_progress(run)[-1]["seconds"] / 60, 2)
    return {"seed": seed, "values": measured(ablation, output, data), "minutes": minutes}


@torch.inference_mode()
def measured(ablation: Ablation, checkpoint: Path, data: str) -> dict[str, float]:
    """A checkpoint's values, by column, in the first direction in which its measures apply.

    Raises:
        DataError: in none they do.
    """
    translator = i2i.load(checkpoint)
    network, info = translator.network, translator.info
    images = held_out(info, data, "test", info.size)
    for direction in network.directions:
        values = _values(ablation, make_case(network, info, direction, images, BATCH))
        if values is not None:
            return values
    needed = ", ".join(sorted({measure for measure, _ in ablation.measured.values()}))
    raise DataError(f"{data} cannot be measured by {needed}: {ablation.table.here}")


def _values(ablation: Ablation, case: Case) -> dict[str, float] | None:
    """The values in a direction; None where a measure does not apply."""
    found: dict[str, Any] = {}
    for measure, _ in ablation.measured.values():
        if measure not in found:
            found[measure] = MEASURES[measure](case)
        if found[measure] is None:
            return None
    return {key: round(float(found[measure][name]), 4) for key, (measure, name) in ablation.measured.items()}
