"""From a training to a checkpoint."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from i2i_models import checkpoints
from i2i_models.checkpoints import Domain
from i2i_models.hub import is_hub_id
from i2i_models.images.palettes import read_palette
from i2i_models.networks.network import TranslationNetwork

from ..data.sources import Ranges
from .options import Job


def export_checkpoint(
    folder: Path,
    job: Job,
    step: int,
    network: TranslationNetwork,
    discriminators: nn.Module,
    history: Sequence[str] = (),
    ranges: Ranges = (None, None),
) -> None:
    """Write a training's network and discriminators as a checkpoint.

    Args:
        folder: of the checkpoint; made if it is not there.
        step: how many steps the network was trained.
        history: a line for each time that the training went on with other options.
        ranges: of the values of each domain, where its images have more than 8 bits.
    """
    o = job.options
    labels = read_palette(o.palette) if o.palette else None
    domains = {
        key: Domain.of_labels(name, labels) if labels and kind == "labels" else Domain(name, kind)
        for key, name, kind in (("A", o.name_a, o.kind_a), ("B", o.name_b, o.kind_b))
    }
    domains = {k: dataclasses.replace(domains[k], range=r) for k, r in zip(domains, ranges, strict=True)}
    title = f"{o.name_a[:1].upper()}{o.name_a[1:]} → {o.name_b}"
    training = {**job.settings(), "step": step, "data_note": o.data_note, "license": o.license}
    if history:
        training["history"] = list(history)
    if is_hub_id(o.data) and not Path(o.data).exists():
        training["dataset"] = o.data
    info = checkpoints.Info(o.output.name, title, network.method, o.size, domains, training)
    checkpoints.save(folder, network, info, discriminators)
