"""What a page may offer for a training: every option with its command-line name, and how much memory it takes."""

import ast
import dataclasses
import inspect
import textwrap
from pathlib import Path
from typing import Any, get_args, get_type_hints

from i2i_models.networks.methods import METHODS

from ..data.augmentation import Augmentation
from ..loop import memory
from ..loop.budget import NARROWEST
from ..loop.options import Options

LEFT_OUT = {
    *("data", "output", "run", "resume", "change", "start_from", "minutes", "steps", "size"),
    *("name_a", "name_b", "kind_a", "kind_b", "push_to_hub", "push_every", "push_private"),
}
"""Options that a page has controls for."""
SIZES = (64, 128, 256, 512)
KINDS = {"bool": (bool,), "int": (int,), "float": (float,), "str": (str, Path), "pair": (tuple[float, float],)}
"""Types of options, by the names that a page knows."""


def choices() -> dict[str, Any]:
    """`options`: by method `{name, default, type, about, values}` of each; `memory`: bytes by method and size, at the
    narrowest width; `free`: bytes that are."""
    return {
        "options": {name: options(name) for name in METHODS},
        "memory": {name: least_memory(name) for name in METHODS},
        "free": round(memory.available()),
    }


def options(method: str) -> list[dict[str, Any]]:
    """The options of a method's training, its network's and its losses', as `--help` has them."""
    cls: Any = METHODS[method]
    defaults = Options(data="", output=Path(), **cls.training_defaults)
    groups = (defaults, cls.Config(), cls.Objective(), Augmentation())
    return [option for group in groups for option in _options(group) if option["name"] not in LEFT_OUT]


def least_memory(method: str) -> dict[str, int]:
    """Bytes that a method takes by size, in its narrowest form."""
    cls: Any = METHODS[method]
    widths = {name: NARROWEST for name in memory.WIDTHS if hasattr(cls.Config(), name)}
    parameters = memory.parameters(cls, cls.Config(**widths))
    return {str(size): round(memory.needed_by(cls, parameters, NARROWEST, size, 1)) for size in SIZES}


def _options(group: Any) -> list[dict[str, Any]]:
    about, hints = _docstrings(type(group)), get_type_hints(type(group))
    found = []
    for field in dataclasses.fields(group):
        value, hint = getattr(group, field.name), hints[field.name]
        allowed = [v for v in get_args(hint) if isinstance(v, str)]
        kinds = [kind for kind, hints in KINDS.items() if any(h == hint or h in get_args(hint) for h in hints)]
        if not allowed and not kinds:
            continue
        found.append(
            {
                "name": field.name,
                "option": f"--{field.name.replace('_', '-')}",
                "default": value,
                "type": "choice" if allowed else kinds[0],
                "values": allowed,
                "about": about.get(field.name, ""),
            }
        )
    return found


def _docstrings(cls: type) -> dict[str, str]:
    """The docstring after each field of a class."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, after in zip(tree.body, tree.body[1:], strict=False):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            found[field.target.id] = " ".join(str(after.value.value).split())  # type: ignore[attr-defined]
    return found
