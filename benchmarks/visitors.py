"""What visitors of a benchmark draw, and what they can ask a page."""

import base64
import io
import random
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw


@dataclass
class Model:
    """One direction of a checkpoint, and the component and function that answer for it."""

    checkpoint: str
    direction: str
    background: str
    size: int
    colours: list[str]
    component: int
    function: str


def models_of(config: dict[str, Any]) -> list[Model]:
    """What the page's translation views and its style component can be asked."""
    found = []
    for component in config["components"]:
        functions = component["props"].get("server_fns") or []
        props = component["props"].get("props") or {}
        # The comparison asks the same function as the translation views: one is enough.
        function = next((name for name in ("draw", "translate") if name in functions and "truths" not in functions), "")
        for name, spec in props.get("input_specs", {}).items() if function else ():
            checkpoint, _, direction = name.rpartition(" ")
            colours = list(spec["palette"].values()) or ["#000000"]
            model = Model(checkpoint, direction, spec["background"], spec["size"], colours, component["id"], function)
            found.append(model)
    return found


class Drawing:
    """A drawing at the network's size, whose strokes go on at random."""

    def __init__(self, model: Model, chance: random.Random) -> None:
        self.size, self.chance, self.colours = model.size, chance, model.colours
        self.image = Image.new("RGB", (model.size, model.size), model.background)
        self.lift()

    def lift(self) -> None:
        """Put the pen down elsewhere, in another colour."""
        self.at = tuple(self.chance.uniform(0.2, 0.8) * self.size for _ in "xy")
        self.colour = self.chance.choice(self.colours)

    def move(self) -> None:
        """Go on with the stroke."""
        step = self.size / 16
        to = tuple(min(max(v + self.chance.gauss(0, step), 0), self.size - 1) for v in self.at)
        ImageDraw.Draw(self.image).line([self.at, to], fill=self.colour, width=max(2, self.size // 64))
        self.at = to

    def url(self) -> str:
        """The drawing as the page sends it."""
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG")
        return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
