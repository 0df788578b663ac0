"""What was dropped or named, as files of pictures in named groups: single files, folders, ZIPs of untrusted origin."""

import dataclasses
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from i2i_models.images.reading import SUFFIXES, is_litter

MAX_PICTURES = 5000
"""Of both piles together; more are for the command line, which does not copy them."""
MAX_FILE = 40_000_000
"""Bytes of a picture's file."""
MAX_ALL = 2_000_000_000
"""Bytes of all files together, unpacked."""


class Refused(Exception):
    """What was dropped cannot be used; `key` and `values` make the page's sentence."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(f"{key}: {values}")
        self.key, self.values = key, values


@dataclasses.dataclass(frozen=True)
class Picture:
    """A file that may be a picture."""

    group: str
    """The folder that it lies in, as a path with `/`; empty for a file dropped by itself."""
    name: str
    content: bytes


@dataclasses.dataclass
class Skipped:
    """What is left out, and why: `(name, key of a sentence)`."""

    files: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def add(self, name: str, why: str) -> None:
        """Leave a file out."""
        self.files.append((name, why))


def dropped(files: list[tuple[str, str]], skipped: Skipped) -> Iterator[Picture]:
    """The pictures of files that were dropped, ZIPs unpacked in memory.

    Args:
        files: path here and name there of each.

    Raises:
        Refused: a ZIP that unfolds into too much, or too many pictures.
    """
    if len(files) > MAX_PICTURES:
        raise Refused("too_many", count=len(files), limit=MAX_PICTURES)
    for path, name in files:
        if zipfile.is_zipfile(path):
            yield from unpacked(Path(path), name, skipped)
        elif Path(path).stat().st_size > MAX_FILE:
            skipped.add(name, "file_too_large")
        else:
            yield Picture("", name, Path(path).read_bytes())


def unpacked(path: Path, archive: str, skipped: Skipped) -> Iterator[Picture]:
    """The pictures in a ZIP. Nothing is written under a name of its choice, and no size that it claims is believed.

    Raises:
        Refused: it is damaged, or unfolds into too much.
    """
    left = MAX_ALL
    try:
        with zipfile.ZipFile(path) as file:
            members = [m for m in file.infolist() if not m.is_dir()]
            count = sum(PurePosixPath(m.filename).suffix.lower() in SUFFIXES for m in members)
            if count > MAX_PICTURES or len(members) > 4 * MAX_PICTURES:
                raise Refused("too_many", count=max(count, MAX_PICTURES + 1), limit=MAX_PICTURES)
            for member in members:
                inside = PurePosixPath(member.filename.replace("\\", "/"))
                if is_litter(inside):
                    continue
                if inside.is_absolute() or ".." in inside.parts:
                    skipped.add(member.filename, "points_outside")
                elif stat.S_ISLNK(member.external_attr >> 16):
                    skipped.add(member.filename, "is_link")
                elif inside.suffix.lower() not in SUFFIXES:
                    skipped.add(member.filename, "no_picture")
                elif member.flag_bits & 1:
                    skipped.add(member.filename, "is_locked")
                else:
                    content = _content(file, member, min(left, MAX_FILE))
                    if content is None and left < MAX_FILE:
                        raise Refused("unfolds", name=archive, limit=MAX_ALL // 1_000_000)
                    if content is None:
                        skipped.add(member.filename, "file_too_large")
                        left -= MAX_FILE
                    else:
                        left -= len(content)
                        yield Picture(inside.parent.as_posix().strip("."), inside.name, content)
                    if left <= 0:
                        raise Refused("unfolds", name=archive, limit=MAX_ALL // 1_000_000)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise Refused("zip_damaged", name=archive) from None


def _content(file: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes | None:
    """A member's bytes; None if there are more than `limit`."""
    buffer = io.BytesIO()
    with file.open(member) as source:
        while chunk := source.read(1 << 20):
            buffer.write(chunk)
            if buffer.tell() > limit:
                return None
    return buffer.getvalue()


def named(folder: Path, skipped: Skipped) -> Iterator[Picture]:
    """The pictures below a folder of this machine; links in it are not followed.

    Raises:
        Refused: there is no such folder, or too many pictures are in it.
    """
    if not folder.is_dir():
        raise Refused("no_folder", name=str(folder))
    paths = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not is_litter(path.relative_to(folder)):
            paths.append(path)
            if len(paths) > MAX_PICTURES:
                raise Refused("too_many", count=f"> {MAX_PICTURES}", limit=MAX_PICTURES)
    for path in paths:
        name = path.relative_to(folder)
        if path.is_symlink():
            skipped.add(str(name), "is_link")
        elif path.stat().st_size > MAX_FILE:
            skipped.add(str(name), "file_too_large")
        else:
            yield Picture(name.parent.as_posix().strip("."), path.name, path.read_bytes())
