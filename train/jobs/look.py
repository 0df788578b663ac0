"""Pictures that somebody dropped, looked at: pairs or two piles, laid out for training, twelve of them shown back.

A draft is a folder. Whoever makes it writes `request.json`; `look` writes `data/` as `train/data/layouts.py` knows it,
the contact sheet `look.jpg`, and `look.json`, which says what was found or, as the key of a sentence, what is wrong.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from i2i_models.errors import I2IError, ImageError
from i2i_models.images.reading import open_image

from ..data.check import SHOWN_SIDE, contact_sheet
from ..data.layouts import find
from ..data.sources import Source, Sources, spread
from . import disk
from .choices import choices
from .folder import DATA, DRAFTS, size_of, write_json
from .piles import MAX_PICTURES, Picture, Refused, Skipped, dropped, named

REQUEST, LOOK, SHEET = "request.json", "look.json", "look.jpg"
FEWEST = 8
"""Pairs, or pictures of a pile, below which nothing is learned but these pictures themselves."""
MIN_SIDE = 32
"""Pixels of a picture's shorter side."""
MAX_SIDE = 1024
"""Pixels of the longer side to which larger pictures are made smaller; training wants 512 at most."""
WIDE = (1.9, 2.1)
"""Width over height of two pictures side by side."""
MOSTLY = 0.8
"""Share of pictures that must be wide, or of names that must be equal, to count as pairs."""
HELD_OUT, MOST_HELD_OUT = 10, 100
"""Every how many-th picture is kept aside to measure on, and how many at most."""
SHOWN = 6
"""Pictures of each domain on the contact sheet."""
DOMAIN = re.compile(r"(?:^|/)(?:train|test|val|validation)?[_-]?([AB])$", re.IGNORECASE)
"""Folders whose name says the domain."""


@dataclasses.dataclass(frozen=True)
class Staged:
    """A picture that can be used, written as a PNG of no more than `MAX_SIDE`."""

    group: str
    name: str
    """Without suffix; no other picture of its pile has it."""
    path: Path
    ratio: float
    """Width over height."""
    digest: str
    """Of its pixels."""


Pile = dict[str, Staged]
"""Pictures of one domain by name."""


def look(draft: Path, paired: bool | None = None) -> None:
    """Look at a draft's pictures and say what they are in `look.json`; whatever is wrong with them is said there, too.

    Args:
        draft: its folder.
        paired: whether they are pairs, if somebody knows better.
    """
    skipped = Skipped()
    shutil.rmtree(draft / DATA, ignore_errors=True)
    try:
        found = _look(draft, paired, skipped)
    except Refused as refused:
        found = {"error": refused.key, "values": refused.values}
    except I2IError as error:
        found = {"error": "said", "values": {"said": str(error)}}
    except OSError as error:
        found = {"error": "disk", "values": {"said": error.strerror or str(error)}}
    if "error" in found:
        shutil.rmtree(draft / DATA, ignore_errors=True)
    write_json(draft / LOOK, {**found, "skipped": skipped.files[:50], "skipped_count": len(skipped.files)})


def _look(draft: Path, paired: bool | None, skipped: Skipped) -> dict[str, Any]:
    if draft.parent.name == DRAFTS:
        _make_room(draft)
    request = json.loads((draft / REQUEST).read_text(encoding="utf-8"))
    place = request.get("named") or ""
    if place and not Path(place).is_absolute() and place.count("/") == 1 and not place.startswith((".", "~")):
        return _of_sources(draft, find(place), place, _has_split(place))
    if place:
        groups = [named(Path(place).expanduser(), skipped)]
    else:
        groups = [dropped(request[pile], skipped) for pile in ("a", "b") if request.get(pile)]
    if not groups:
        raise Refused("nothing")
    scratch = draft / "staged"
    try:
        staged = [_stage(pictures, scratch / str(number), skipped) for number, pictures in enumerate(groups)]
        _lay_out(draft / DATA, [_pile(pictures) for pictures in _by_domain(staged)], paired, skipped)
    except Refused as refused:
        if refused.key != "too_many" or not place:
            raise
        return _in_place(draft, Path(place).expanduser().resolve(), refused)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return _of_sources(draft, find(str(draft / DATA)), str(draft / DATA), True)


def _make_room(draft: Path) -> None:
    """Delete what nobody needs any more of the jobs beside a draft.

    Raises:
        Refused: they take more room than they may even so.
    """
    root = draft.parents[1]
    disk.tidy(root, keep=draft)
    if (taken := size_of(root)) > disk.MAX_ALL:
        raise Refused("no_room", taken=f"{taken / 1e9:.0f}", limit=f"{disk.MAX_ALL / 1e9:.0f}")


def _has_split(name: str) -> bool:
    try:
        return bool(find(name, "test").a)
    except I2IError:
        return False


def _in_place(draft: Path, folder: Path, refused: Refused) -> dict[str, Any]:
    """What is told of a folder with too many pictures to be copied, which training reads where they lie.

    Raises:
        Refused: as given, if the folder is laid out in a way that training does not know; if its pictures are one pile.
    """
    try:
        sources = find(str(folder))
    except I2IError:
        raise refused from None
    if sources.a[0].half:
        shapes = [(2 * pixels.shape[1], pixels.shape[0]) for pixels in _shown(sources.a)]
        if sum(WIDE[0] <= width / height <= WIDE[1] for width, height in shapes) < MOSTLY * len(shapes):
            raise Refused("one_pile", count=len(sources.a))
    return _of_sources(draft, sources, str(folder), _has_split(str(folder)))


def _shown(side: Sequence[Source]) -> list[np.ndarray]:
    """Pictures of a domain for the contact sheet; one that cannot be read, which training leaves out, is left out."""
    shown = []
    for i in spread(len(side), SHOWN):
        with contextlib.suppress(ImageError):
            shown.append(side[i].read())
    return shown


def _of_sources(draft: Path, sources: Sources, data: str, held_out: bool) -> dict[str, Any]:
    """What is told of a data set as training will read it, and its contact sheet.

    Raises:
        Refused: none of the pictures that were to be shown can be read.
    """
    rows = [_shown(side) for side in (sources.a, sources.b)]
    if not all(rows):
        raise Refused("none_readable")
    squares = ([_square(Image.fromarray(pixels)) for pixels in pictures] for pictures in rows)
    contact_sheet(squares, SHOWN, 6, "white").save(draft / SHEET, quality=88)
    return {
        "paired": sources.paired,
        "a": len(sources.a),
        "b": len(sources.b),
        "data": data,
        "held_out": held_out,
        "side_by_side": sources.paired and any(source.half for source in sources.a[:1]),
        **choices(),
    }


def _square(picture: Image.Image) -> Image.Image:
    """A picture's middle, as the contact sheet shows it."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side)).resize((SHOWN_SIDE, SHOWN_SIDE))


def _stage(pictures: Iterable[Picture], folder: Path, skipped: Skipped) -> list[Staged]:
    """Write the pictures that can be read and are large enough."""
    folder.mkdir(parents=True)
    found: list[Staged] = []
    for picture in pictures:
        if len(found) >= MAX_PICTURES:
            raise Refused("too_many", count=f"> {MAX_PICTURES}", limit=MAX_PICTURES)
        try:
            image = open_image(picture.content)
        except ImageError:
            skipped.add(picture.name, "unreadable")
            continue
        if min(image.size) < MIN_SIDE:
            skipped.add(picture.name, "too_small")
            continue
        image.thumbnail((2 * MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        path = folder / f"{len(found)}.png"
        image.save(path, compress_level=1)
        name = re.sub(r"[^\w.-]+", "_", Path(picture.name).stem)[:60] or "picture"
        digest = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
        found.append(Staged(picture.group, name, path, image.width / image.height, digest))
    if not found:
        smaller = any(why == "too_small" for _, why in skipped.files)
        raise Refused("all_too_small" if smaller else "none_readable", side=MIN_SIDE)
    return found


def _by_domain(groups: list[list[Staged]]) -> list[list[Staged]]:
    """One pile, or A and B: as they were dropped, or as the folders say in which they lie."""
    if len(groups) == 2:
        return groups
    (pictures,) = groups
    folders = sorted({picture.group for picture in pictures})
    domains = {folder: match[1].upper() for folder in folders if (match := DOMAIN.search(folder))}
    if set(domains.values()) == {"A", "B"}:
        return [[p for p in pictures if domains.get(p.group) == domain] for domain in "AB"]
    if len(folders) == 2 and not {Path(folder).name for folder in folders} & {"train", "test", "val"}:
        return [[p for p in pictures if p.group == folder] for folder in folders]
    if len(folders) > 3:
        raise Refused("many_folders", count=len(folders))
    return [pictures]


def _pile(pictures: list[Staged]) -> Pile:
    """The pictures by name; where names are equal, the later ones get a number."""
    pile: Pile = {}
    for picture in pictures:
        name, number = picture.name, 2
        while name in pile:
            name, number = f"{picture.name}-{number}", number + 1
        pile[name] = picture
    return pile


def _lay_out(folder: Path, piles: list[Pile], paired: bool | None, skipped: Skipped) -> None:
    """Move the pictures into the layout of a data set, every tenth of them held out."""
    if len(piles) == 1:
        (pile,) = piles
        wide = {name: picture for name, picture in pile.items() if WIDE[0] <= picture.ratio <= WIDE[1]}
        if len(wide) < MOSTLY * len(pile):
            raise Refused("one_pile", count=len(pile))
        for name in pile.keys() - wide.keys():
            skipped.add(name, "not_wide")
        return _write(folder, {"": wide})
    a, b = piles
    if {picture.digest for picture in a.values()} == {picture.digest for picture in b.values()}:
        raise Refused("same_piles")
    common = [name for name in a if name in b]
    if len(common) >= MOSTLY * max(len(a), len(b)) if paired is None else paired:
        if not common:
            raise Refused("no_common_names")
        for name in sorted((a.keys() | b.keys()) - set(common)):
            skipped.add(name, "no_partner")
        a, b = ({name: pile[name] for name in common} for pile in piles)
    else:  # names that happen to be equal must not make pairs of them
        a, b = ({f"{key}-{n}": picture for n, picture in pile.items()} for key, pile in zip("ab", piles, strict=True))
    _write(folder, {"A": a, "B": b})


def _write(folder: Path, piles: dict[str, Pile]) -> None:
    count = min(map(len, piles.values()))
    if count < FEWEST:
        raise Refused("too_few", count=count, limit=FEWEST)
    for domain, pile in piles.items():
        aside = set(list(pile)[HELD_OUT // 2 :: HELD_OUT][:MOST_HELD_OUT])
        for name, picture in pile.items():
            where = folder / f"{'test' if name in aside else 'train'}{domain}"
            where.mkdir(parents=True, exist_ok=True)
            os.replace(picture.path, where / f"{name}.png")
