"""The drawer: every option of the command line by its name, and what of it a visitor changed."""

import math
from pathlib import Path
from typing import Any

import gradio as gr

import i2i_models as i2i
from ui import text
from ui.training.jobs import JobError

HERE = Path(__file__).parent
Found = dict[str, Any]
"""What `python -m train.jobs look` said of a draft."""


def drawer(name: str) -> gr.HTML:
    """Fields for the options of `table`, which is its value, under the current block.

    Args:
        name: its id.
    """
    return gr.HTML(
        [], html_template='<div class="options" data-part="options"></div>', apply_default_css=False, elem_id=name,
        css_template=(HERE / "options.css").read_text(encoding="utf-8"),
        js_on_load=(HERE / "options.js").read_text(encoding="utf-8"),
    )  # fmt: skip


def table(found: Found, method: str, batch_size: int) -> list[list[Any]]:
    """Rows of option, value, help, type and the values of a choice, for a method."""
    rows = []
    for option in found["options"][method]:
        value = batch_size if option["name"] == "batch_size" else option["default"]
        said = "" if value is None else _plain(value)
        rows.append([option["option"], said, option["about"], option["type"], option["values"]])
    return rows


def arguments(found: Found, method: str, rows: Any) -> list[str]:
    """Command-line arguments of what differs from the defaults.

    Args:
        rows: of the table, as the browser sends it.

    Raises:
        JobError: a value is not of its option's kind.
    """
    given = {str(row[0]): str(row[1]).strip() for row in rows or () if isinstance(row, list) and len(row) > 1}
    found_arguments: list[str] = []
    for option in found["options"][method]:
        name, default = option["option"], option["default"]
        value = given.get(name, "")
        if value in ("", "None") or value == ("" if default is None else _plain(default)):
            continue
        _check(option, value)
        if option["type"] == "bool":
            found_arguments.append(name if value.lower() in ("true", "yes", "1") else f"--no-{name[2:]}")
        elif option["type"] == "pair":
            found_arguments += [name, *value.split()]
        else:
            found_arguments += [name, value]
    return found_arguments


def of_checkpoint(translator: i2i.Translator, changed: list[str], size: int) -> list[str]:
    """The arguments with the network's settings taken from the checkpoint that a training begins with.

    Raises:
        JobError: its network does not take images of this size.
    """
    network = translator.network
    if size % network.multiple:
        raise JobError(text.TRAINING["bad_start_size"].format(name=translator.info.name, multiple=network.multiple))
    own: Any = network.config
    defaults: Any = type(own)()
    kept = list(changed)
    for name, value in vars(own).items():
        option = f"--{name.replace('_', '-')}"
        for form in (option, f"--no-{name.replace('_', '-')}"):
            if form in kept:
                at = kept.index(form)
                del kept[at : at + (1 if isinstance(value, bool) else 2)]
        if value != getattr(defaults, name):
            kept += [option if value else f"--no-{option[2:]}"] if isinstance(value, bool) else [option, str(value)]
    return kept


def fits(found: Found, method: str, size: int) -> bool:
    """Whether there is memory for a method at a size."""
    return float(found["memory"][method].get(str(size), math.inf)) <= float(found["free"])


def left_out(found: Found) -> str:
    """Markdown that names the files that cannot be used; empty if there are none."""
    count, files = found.get("skipped_count", 0), found.get("skipped", [])
    if not count:
        return ""
    lines = [text.TRAINING["left_out"].format(count=count)]
    lines += [f"- `{_name(name)}`: {text.TRAINING.get(f'left_{why}', why)}" for name, why in files[:12]]
    return "\n".join([lines[0], "", *lines[1:]]) + ("\n- …" if count > 12 else "")


def _check(option: dict[str, Any], value: str) -> None:
    kind, fits_kind = option["type"], True
    if kind == "choice":
        fits_kind = value in option["values"]
    elif kind == "bool":
        fits_kind = value.lower() in ("true", "false", "yes", "no", "1", "0")
    elif kind in ("int", "float"):
        try:
            fits_kind = math.isfinite(int(value) if kind == "int" else float(value))
        except ValueError:
            fits_kind = False
    elif kind == "pair":
        try:
            low, high = map(float, value.split())
            fits_kind = math.isfinite(high - low)
        except ValueError:
            fits_kind = False
    if not fits_kind:
        allowed = ", ".join(option["values"]) if kind == "choice" else text.TRAINING[f"kind_of_{kind}"]
        raise JobError(text.TRAINING["bad_option"].format(option=option["option"], value=value[:40], allowed=allowed))


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _name(words: Any) -> str:
    # Names come from outside: no markup of theirs is meant.
    return str(words).replace("`", "'").replace("<", "‹")[-80:]
