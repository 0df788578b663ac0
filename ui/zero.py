"""Many pictures at once; on ZeroGPU by a GPU that is lent for them.

A live answer takes the processor 10 to 30 ms and handing it over takes longer, so live answers stay where they are.
"""

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import i2i_models as i2i
from i2i_models.directions import Direction
from i2i_models.inference.engine import TorchEngine, on_zero_gpu
from i2i_models.networks import methods

if TYPE_CHECKING:
    from ui.serving import Catalog

log = logging.getLogger(__name__)

MANY = 16
"""Pictures from which on a GPU is worth the hand-over, which may include starting a process and reading the weights."""
IN_ONE_TURN = 4
"""Pictures in one of the catalogue's turns: whoever drags meanwhile waits for as many at most."""
SECONDS = 15
"""For which a GPU is asked for; what is not used is given back, but less is had sooner."""

Draw = Callable[[str, Direction, np.ndarray, np.ndarray], np.ndarray]


def decode_each(catalog: "Catalog", translator: i2i.Translator, codes: i2i.Codes, styles: Tensor) -> list[Image.Image]:
    """One image's codes in each of any number of `styles` `(K, style_dim)`; takes the catalogue's turns itself."""
    if draw_on_gpu is not None and translator.folder is not None and len(styles) >= MANY:
        try:
            drawn = draw_on_gpu(str(translator.folder), codes.direction, codes.tensor.numpy(), styles.numpy())
        except Exception as error:
            # None free, or the visitor has used up what they are lent: then it takes a little longer.
            log.warning("no GPU was lent (%s): the processor draws", error)
        else:
            return translator.finish(torch.from_numpy(drawn), codes)
    pictures = []
    for some in styles.split(IN_ONE_TURN):
        with catalog.turn():
            pictures += translator.decode_each(codes, some)
    return pictures


def _draw(folder: str, direction: Direction, codes: np.ndarray, styles: np.ndarray) -> np.ndarray:
    """Codes and `(K, style_dim)` → `(K, 3, H, W)` in [-1, 1].

    ZeroGPU runs it in a process forked for it, the only one that may touch CUDA. What comes in and goes out is pickled;
    what other threads held at the fork stays locked there forever, so nothing of the page is used.
    """
    engine = _engine(folder)
    placed, style = (torch.from_numpy(values).to(engine.device) for values in (codes, styles))
    return engine.decode(placed, direction, style).cpu().numpy()


@functools.lru_cache(maxsize=8)
def _engine(folder: str) -> TorchEngine:
    return TorchEngine(methods.read(Path(folder))[0], "cuda" if torch.cuda.is_available() else "cpu")


def _lent() -> Draw | None:
    """`_draw` on a lent GPU; None where none is lent. ZeroGPU needs it to be there before the page is launched."""
    if not on_zero_gpu():
        return None
    import spaces  # every Space has it

    return spaces.GPU(duration=SECONDS)(_draw)


draw_on_gpu = _lent()
