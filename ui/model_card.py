"""A checkpoint's model card as the page shows it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

import i2i_models as i2i
from ui import text
from ui.payload import open_picture, to_data_url
from ui.uploads import shrink

MOST_CHARS = 64_000
"""Of a card that are shown."""
MOST_PICTURES = 10
PICTURE_BYTES = 8_000_000
"""Of a picture's file; larger ones are left out."""
PICTURE_SIDE = 1024
"""Pixels of the longer side of a picture as it is shown."""


def card_html(translator: i2i.Translator) -> str:
    """The model card without its front matter as HTML for `gr.Markdown`; a sentence for a checkpoint without a card.

    A card may come from anybody. It shows pictures of its own folder, small ones and not many; a picture elsewhere is
    a link, since loading it would tell who looks. Markup in it is shown as text.
    """
    card = translator.card.replace("\r\n", "\n")
    if card.startswith("---\n"):
        front, found, rest = card[4:].partition("\n---\n")
        card = rest if found else front
    return markdown_html(card, translator.folder) or text.CONTROLS["no_card"]


def markdown_html(markdown: str, folder: Path | None) -> str:
    """The first `MOST_CHARS` of Markdown as HTML for `gr.Markdown`, with pictures of `folder` alone."""
    cut = markdown[:MOST_CHARS].strip()
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=CardRenderer).enable(["table", "strikethrough"])
    html = parser.render(cut, {"folder": folder, "pictures": 0})
    # Markdown would end the HTML at an empty line, as there are in code.
    return html.replace("\n\n", "\n&#10;")


class CardRenderer(RendererHTML):
    """Markdown as HTML, but for pictures. `env` has the checkpoint's `folder` and the number of `pictures` so far."""

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A picture of the folder inside of the page, a link to one elsewhere, the words for any other."""
        token = tokens[idx]
        words = self.renderInlineAsText(token.children or [], options, env)
        src = str(token.attrGet("src") or "")
        if src.startswith(("https://", "http://")):
            link = Token("link_open", "a", 1, attrs={"href": src, "rel": "noreferrer"})
            return self.renderToken([link], 0, options, env) + _escaped(words or src) + "</a>"
        if env["pictures"] < MOST_PICTURES and (shown := _picture(env["folder"], src)):
            env["pictures"] += 1
            return self.renderToken([Token("image", "img", 0, attrs={"src": shown, "alt": words})], 0, options, env)
        return _escaped(words)


def _picture(folder: Path | None, name: str) -> str | None:
    """A picture of the folder as a small data URL; None for what is none, too large, or elsewhere."""
    if folder is None:
        return None
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or path.stat().st_size > PICTURE_BYTES:
            return None
        image = open_picture(path)
    except (OSError, ValueError, i2i.ImageError):
        return None
    shrink(image, PICTURE_SIDE, "picture")
    return to_data_url(image, "WEBP", quality=90)


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
