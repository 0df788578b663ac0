"""The images that a checkpoint is measured on: those of a split that training did not see."""

from i2i_models.checkpoints import Info

from .dataset import TranslationDataset
from .layouts import find


def held_out(info: Info, data: str, split: str, size: int, limit: int = 1000) -> TranslationDataset:
    """The images of a split in the domains of a checkpoint. True pairs stay pairs.

    Args:
        info: of the checkpoint; a training with --direction B2A had the data's sides swapped.
        data: as for training.
        size: side of the square images.
        limit: at most this many of each domain, spread over the split.

    Raises:
        DataError: there is no such data set or split, or no image in it that can be read.
    """
    sources = find(data, split)
    if info.training.get("direction") == "B2A":
        sources = sources.swapped()
    sources = sources.for_domains(info.domains["A"], info.domains["B"])
    nearest = (info.domains["A"].kind == "labels", info.domains["B"].kind == "labels")
    return TranslationDataset(sources.spread(limit), size, nearest=nearest, minimum=1)
