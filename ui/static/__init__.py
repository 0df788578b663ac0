"""The page without a server: a folder of HTML, JavaScript and ONNX files that any host of plain files serves.

The editor, the style pad and the views around them are the very scripts of the Gradio page, joined into one; networks
run through ui/browser. client.js stands where the server's functions do, page.js where Gradio's controls do.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.directions import source, target
from i2i_models.export import write_onnx
from ui import i18n, text
from ui.browser import files
from ui.editor import SCRIPTS, input_spec
from ui.history import history_parts
from ui.multimodal import SCRIPTS as STYLE_SCRIPTS
from ui.multimodal.answers import style_controls
from ui.tabs import tab_of
from ui.theme import THEME
from ui.uploads import MAX_FILE_BYTES

HERE = Path(__file__).parent
UI = HERE.parent
WORKING = ("network.js", "worker.js", "fitting.js", "chance.js")
"""The modules of ui/browser that run networks; what else is there asks a server."""
RUNTIME = {"ort.mjs": "ort.mjs", "ort.wasm.gz": "ort.wasm", "runtime.json": "runtime.json", "LICENSE": "LICENSE"}
"""ONNX Runtime Web by name here and there. The script unpacks what is packed."""


def write_page(folder: Path, translators: Sequence[i2i.Translator]) -> None:
    """Write the page with these models into an empty or new folder.

    Raises:
        ExportError: as `write_onnx`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    models = [_write_model(folder, translator) for translator in translators]
    for name in WORKING:
        _copy(files.HERE / name, folder / "browser" / name)
    _copy(HERE / "outlines.js", folder / "browser" / "outlines.js")
    for name, there in RUNTIME.items():
        _copy(files.HERE / "runtime" / name, folder / "runtime" / there)
    _copy(UI.parent / "LICENSE", folder / "LICENSE")
    (folder / "page.css").write_text(_css(), encoding="utf-8")
    (folder / "page.js").write_text(_script(), encoding="utf-8")
    settings = {
        "models": models,
        "languages": _in_languages(lambda: _words()),
        "templates": {"draw": _template("editor/translation.html"), "styles": _template("multimodal/multimodal.html")},
        "limits": {"bytes": MAX_FILE_BYTES, **history_parts().limits},
    }
    # A "<" would end the element in which the settings stand.
    embedded = json.dumps(settings, ensure_ascii=False).replace("<", "\\u003c")
    page = _read(HERE / "index.html").replace("{{title}}", text.PAGE["title"])
    page = page.replace("{{no_script}}", text.STATIC["no_script"]).replace("{{settings}}", embedded)
    (folder / "index.html").write_text(page, encoding="utf-8")


def _write_model(folder: Path, translator: i2i.Translator) -> dict[str, Any]:
    """Write a model's graphs and examples; what the page must know of it before they are loaded."""
    name, can = translator.info.name.replace("/", "--"), translator.capabilities
    place = folder / "models" / name
    described, _ = write_onnx(translator, place)
    examples: dict[str, list[str]] = {}
    for direction in can.directions:
        kept = examples[direction] = []
        for path in translator.examples_of(source(direction)):
            there = Path(checkpoints.EXAMPLES[source(direction)]) / path.name
            _copy(path, place / there)
            kept.append(f"models/{name}/{there.as_posix()}")
    card = translator.folder and translator.folder / checkpoints.CARD
    if card and card.is_file():
        _copy(card, place / checkpoints.CARD)  # which names its data and their licence
    names = {key: domain.name for key, domain in translator.info.domains.items()}
    return {
        "name": name,
        "title": translator.info.title,
        "method": can.title,
        "view": "styles" if tab_of(translator).name == "multimodal" else "draw",
        "chance": can.chance,
        "styleDim": can.style_dim,
        "directions": {d: f"{names[source(d)]} → {names[target(d)]}" for d in can.directions},
        "specs": {d: {**input_spec(translator, d), "examples": len(examples[d])} for d in can.directions},
        "spaces": {target(d): style_controls(translator, d) for d in can.directions} if can.style_dim else {},
        "examples": examples,
        "bytes": sum(file["bytes"] for file in described["files"].values()),
    }


def _words() -> dict[str, Any]:
    editor = {**text.EDITOR, **text.HISTORY, **text.INSIDE, **text.STATIC}
    texts = {"draw": editor, "styles": {**text.EDITOR, **text.MULTIMODAL, **text.HISTORY, **text.INSIDE, **text.STATIC}}
    return {"page": dict(text.PAGE), "controls": dict(text.CONTROLS), "texts": texts}


def _in_languages(make: Any) -> dict[str, Mapping[str, Any]]:
    found = {}
    for language in (i18n.ENGLISH, *i18n.LOCALES):
        with i18n.speaking(language):
            found[language] = make()
    return found


def _template(name: str) -> str:
    html = _read(UI / name)
    for part in ("editor", "history", "inside"):
        html = html.replace(f"<!-- {part} -->", _read(UI / part / f"{part}.html"))
    return html


def _css() -> str:
    shared = [UI / "editor" / "editor.css", UI / "history" / "history.css"]
    own = {"draw": UI / "editor" / "translation.css", "styles": UI / "multimodal" / "multimodal.css"}
    views = (f"#{name}-view {{\n{''.join(map(_read, [*shared, path]))}\n}}" for name, path in own.items())
    return "\n".join((THEME._get_theme_css(), _read(HERE / "page.css"), *views))


def _script() -> str:
    """All scripts in one function; each view's own in a function that is called when the view is first seen."""
    shared = [*(UI / "editor" / name for name in SCRIPTS), HERE / "client.js"]
    draw = [UI / "editor" / name for name in ("interpolation.js", "translation.js")]
    styles = [UI / "multimodal" / name for name in STYLE_SCRIPTS]
    inside = UI / "inside" / "inside.js"

    def view(paths: list[Path]) -> str:
        body = "\n".join(map(_read, paths))
        return f"({{ element, props, server, trigger, watch }}) => {{\nconst LocalClient = StaticClient;\n{body}\n}}"

    parts = (*map(_read, shared), history_parts().js, _read(inside))
    starts = f"const START = {{\ndraw: {view(draw)},\nstyles: {view(styles)},\n}};"
    return "\n".join(("(() => {", *parts, starts, _read(HERE / "page.js"), "})();\n"))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _copy(path: Path, there: Path) -> None:
    there.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, there)
