"""`python -m i2i_models translate CHECKPOINT IMAGE… --output DIR`, `convert`, `export` to ONNX and `prepare`."""

import contextlib
import os
import sys
from pathlib import Path

import tyro
from tqdm import tqdm

from .cli import run
from .convert import convert
from .directions import source as source_of
from .errors import ImageError
from .export import export
from .images.outlines import as_kind
from .images.reading import OWN_MAX_PIXELS, SUFFIXES, is_litter, open_image
from .inference.translator import load


def translate(
    checkpoint: tyro.conf.Positional[str],
    sources: tyro.conf.Positional[list[Path]],
    output: Path,
    direction: str = "A2B",
    seed: int | None = None,
    range: tuple[float, float] | None = None,
) -> None:
    """Translate image files and all images of folders.

    Args:
        checkpoint: a checkpoint folder or a Hub id, owner/name[@revision].
        sources: image files and folders.
        output: where the results go, as NAME.png.
        direction: A2B or, if the method has it, B2A.
        seed: of the method's chance at test time (pix2pix: dropout); none by default.
        range: of images with more than 8 bits, the values that are black and white; by default those of the training.
    """
    translator = load(checkpoint)
    translator.capabilities.check_direction(direction)
    files = [file for source in sources for file in _files(source)]
    if not files:
        raise ImageError(f"No images in {', '.join(map(str, sources))}.")
    domain = translator.info.domains[source_of(direction)]  # type: ignore[arg-type]
    value_range = range or domain.range
    failed = 0
    for file in tqdm(files, unit="image"):
        try:
            image = as_kind(open_image(file, value_range, OWN_MAX_PIXELS), domain.kind)
            result = translator.translate(image, direction, seed=seed)  # type: ignore[arg-type]
            output.mkdir(parents=True, exist_ok=True)
            result.save(output / f"{file.stem}.png")
        except ImageError as error:
            failed += 1
            tqdm.write(f"skipped: {error}", file=sys.stderr)
    if failed == len(files):
        raise ImageError("None of the files could be translated.")
    print(f"{len(files) - failed} results in {output}" + (f", {failed} files skipped." if failed else "."))


def prepare(checkpoints: tyro.conf.Positional[list[str]]) -> None:
    """Compile the graphs that translating with checkpoints on this processor needs, and keep them on disk.

    Args:
        checkpoints: folders or Hub ids.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)  # a page that starts at the same time has priority
    for source in checkpoints:
        translator = load(source)
        for direction in translator.directions:
            translator.warm_up(direction)


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        return sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES and not is_litter(path.name))
    return [source]


if __name__ == "__main__":
    run(
        lambda: tyro.extras.subcommand_cli_from_dict(
            {"translate": translate, "convert": convert, "export": export, "prepare": prepare},
            prog="python -m i2i_models",
        )
    )
