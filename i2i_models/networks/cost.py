"""What translating with a network costs, found without its weights and without computing."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from .. import checkpoints
from .methods import method_of


class Cost(NamedTuple):
    """Of one translation of one image in float32, in the direction that costs most."""

    multiply_adds: float
    bytes: int
    """The most that one operation's inputs, weights and output take together."""


def cost_of(folder: Path) -> Cost:
    """What a checkpoint folder's `config.json` describes; nothing else in the folder is read.

    Raises:
        CheckpointError, ShapeError: it describes no network, or one that does not take images of its size.
    """
    network_class = method_of(folder)
    config = checkpoints.read_config(folder)
    with torch.device("meta"), torch.no_grad():
        network = network_class(network_class.Config.from_dict(config["network"])).eval()
        image = torch.empty(1, 3, config["size"], config["size"])
        costs = []
        for direction in network.directions:
            with _Counter() as counter:
                network.translate(image, direction)
            costs.append(Cost(counter.multiply_adds, counter.bytes))
    return max(costs, key=lambda cost: cost.multiply_adds)


class _Counter(TorchDispatchMode):
    """Counts in this thread alone, as `FlopCounterMode` does not, which hooks into the modules of all threads."""

    def __init__(self) -> None:
        super().__init__()
        self.multiply_adds, self.bytes = 0.0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        self.bytes = max(self.bytes, sum(x.nbytes for x in (*args, made) if isinstance(x, Tensor)))
        if count := flop_registry.get(func._overloadpacket):
            self.multiply_adds += count(*args, **(kwargs or {}), out_val=made) / 2
        return made
