"""A checkpoint's model card as the page shows it."""

import re

import i2i_models as i2i
from ui import text
from ui.payload import to_data_url


def card_markdown(translator: i2i.Translator) -> str:
    """The model card without its front matter, with the checkpoint's own pictures inside it.

    A checkpoint without a card has a sentence instead.
    """
    card = re.sub(r"\A---\n.*?\n---\n", "", translator.card.replace("\r\n", "\n"), flags=re.DOTALL)
    folder = translator.folder

    def inline(match: re.Match[str]) -> str:
        path = (folder / match["path"]).resolve() if folder else None
        # A card may come from anybody: it shows pictures of its own folder and no other file.
        if path is None or folder is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
            return match["alt"]
        try:
            return f"![{match['alt']}]({to_data_url(i2i.open_image(path), 'WEBP', quality=90)})"
        except i2i.ImageError:
            return match["alt"]

    shown = re.sub(r"!\[(?P<alt>[^\]]*)\]\((?!https?:|data:)(?P<path>[^)\s]+)\)", inline, card).strip()
    return shown or text.CONTROLS["no_card"]
