"""Many pictures at once; on ZeroGPU a GPU that is lent for them draws them.

A live answer takes the processor 10 to 30 ms and handing it over takes longer, so live answers never go there.
"""

import functools
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import i2i_models as i2i
from i2i_models.directions import Direction
from i2i_models.inference.engine import TorchEngine, on_zero_gpu
from i2i_models.networks import methods
from ui.pool import Pool

log = logging.getLogger(__name__)

MANY = 16
"""Fewest pictures that are worth handing over, which may include starting a process and reading the weights."""
IN_ONE_SLOT = 4
"""Pictures drawn in one slot of the pool: whoever drags meanwhile waits for at most as many."""
SECONDS = 15
"""Time for which a GPU is asked for. Unused time is given back, but a shorter loan starts sooner."""

Draw = Callable[[str, Direction, np.ndarray, np.ndarray], np.ndarray]


def decode_each(pool: Pool, translator: i2i.Translator, codes: i2i.Codes, styles: Tensor) -> list[Image.Image]:
    """One image's codes in each of `styles` `(K, style_dim)`, K of any size; takes slots of the pool itself."""
    if draw_on_gpu is not None and translator.folder is not None and len(styles) >= MANY:
        try:
            drawn = draw_on_gpu(str(translator.folder), codes.direction, codes.tensor.numpy(), styles.numpy())
        except Exception as error:
            # None is free, or the visitor has used up their quota: then it takes a little longer.
            log.warning("no GPU was lent (%s): the processor draws", error)
        else:
            return translator.finish(torch.from_numpy(drawn), codes)
    pictures = []
    for some in styles.split(IN_ONE_SLOT):
        with pool.slot():
            pictures += translator.decode_each(codes, some)
    return pictures


def _draw(folder: str, direction: Direction, codes: np.ndarray, styles: np.ndarray) -> np.ndarray:
    """Codes and `(K, style_dim)` → `(K, 3, H, W)` in [-1, 1].

    ZeroGPU runs it in a process forked for it, the only one that may touch CUDA. Arguments and result are pickled. A
    lock that another thread held at the fork stays locked there forever, so nothing of the page is used.
    """
    engine = _engine(folder)
    placed, style = (torch.from_numpy(values).to(engine.device) for values in (codes, styles))
    return engine.decode(placed, direction, style).cpu().numpy()


@functools.lru_cache(maxsize=8)
def _engine(folder: str) -> TorchEngine:
    return TorchEngine(methods.read(Path(folder))[0], "cuda" if torch.cuda.is_available() else "cpu")


def _lent() -> Draw | None:
    """`_draw` on a lent GPU; None where none is lent. ZeroGPU needs the function before the page is launched."""
    if not on_zero_gpu():
        return None
    import spaces  # every Space has it

    return spaces.GPU(duration=SECONDS)(_draw)


draw_on_gpu = _lent()
