"""A checkpoint as ONNX files, which browsers and other programs run without torch.

A folder has `model.json`, for each direction `decoder-A2B.onnx` and, where the network has one, `encoder-A2B.onnx`; and
for a method with styles `style-A.onnx` and the pictures of the example styles, `styles-A.webp`, for each domain.
Inputs and outputs are float32: images `(N, 3, H, W)` in [-1, 1].

    encoder   image → codes
    decoder   codes [, style (N, style_dim)] [, keep_0, keep_1 …] → image
    style     image → style

Where a network has no encoder, the image is its own codes. `keep_0` … `(N, channels, H / divisor, W / divisor)` are
what a dropout multiplies its map by: 1 for no chance, else 2 where it is kept and 0 where not.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
import tyro
from PIL import Image
from torch import Tensor, nn

from .checkpoints.folder import write_text
from .checkpoints.styles import StyleSpace
from .checkpoints.weights import write_bytes
from .directions import DOMAINS, Direction, source
from .errors import ExportError
from .images.reading import open_image
from .images.tensors import to_tensor
from .inference.onnx_graph import Precision, check, to_onnx
from .inference.translator import Translator, load
from .networks.network import TranslationNetwork

MODEL = "model.json"
FORMAT = 1
"""The layout of `model.json` and of the files beside it."""
COLUMNS = 8
"""Pictures of example styles in a row of `styles-A.webp`."""
PICTURE_QUALITY = 92
EXAMPLES = 2
"""Images of a checkpoint with which its graphs are checked, beside noise."""


def export(checkpoint: tyro.conf.Positional[str], onnx: Path, precision: Precision = "float16") -> None:
    """Write a checkpoint as ONNX files with a model.json that says what is in them, and check them with ONNX Runtime.

    Args:
        checkpoint: a checkpoint folder or a Hub id, owner/name[@revision].
        onnx: the folder to write.
        precision: of the weights on disk; computed is in float32.
    """
    model, worst = write_onnx(load(checkpoint), onnx, precision)
    size = sum(file["bytes"] for file in model["files"].values())
    print(
        f"{onnx}: {len(model['files'])} files, {size / 1e6:.1f} MB; "
        f"ONNX Runtime differs from torch by at most {worst:.1g}."
    )


def write_onnx(translator: Translator, folder: Path, precision: Precision = "float16") -> tuple[dict[str, Any], float]:
    """Write a checkpoint's graphs into a folder, `model.json` last.

    Returns:
        What `model.json` says, and the largest difference between ONNX Runtime and torch.

    Raises:
        CheckpointError: as `Translator.engine`.
        ExportError: a graph computes something else than the checkpoint; onnx or onnxruntime is not installed; the
            folder cannot be written.
    """
    network = translator.network
    if next(network.parameters()).device.type != "cpu":
        raise ExportError("A network on a GPU is not exported: set CUDA_VISIBLE_DEVICES to nothing.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = _Files(folder)
        worst = _write_graphs(translator, files, precision)
        styles = _write_styles(translator, files) if network.style_dim else {}
        model = _description(translator, files, styles)
        write_text(folder / MODEL, json.dumps(model, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}.") from None
    return model, worst


class _Files:
    """Files that are written into a folder, with their sizes and hashes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: dict[str, dict[str, Any]] = {}

    def write(self, name: str, data: bytes) -> None:
        write_bytes(self.folder / name, data)
        self.written[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


class Dropping(nn.Module):
    """A U-Net whose dropout is an input: `(N, 3, H, W)` and what each dropout multiplies by → `(N, 3, H, W)`."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, x: Tensor, *keep: Tensor) -> Tensor:
        return self.generator(x, keep)


def _write_graphs(translator: Translator, files: _Files, precision: Precision) -> float:
    network, worst = translator.network, 0.0

    def write(name: str, module: nn.Module, names: list[str], output: str, examples: list[list[Tensor]]) -> None:
        nonlocal worst
        data = to_onnx(module, dict(zip(names, (x[:1] for x in examples[0]), strict=True)), output, precision)
        worst = max(worst, check(name, data, module, examples))
        files.write(name, data)

    for direction in network.directions:
        images = _images(translator, direction)
        encoder = network.encoder(direction)
        if encoder is not None:
            write(_encoder(direction), encoder, ["image"], "codes", [[x] for x in images])
        with torch.inference_mode():
            codes = [network.encode(x, direction) for x in images]
        examples = [[x.clone() for x in _decoder_inputs(network, c)] for c in codes]
        names = ["codes", *(["style"] if network.style_dim else [])]
        module = network.decoder(direction)
        if network.dropouts:
            module = Dropping(module)
            examples = [[*inputs, *_keep(network, inputs[0])] for inputs in examples]
            names += [f"keep_{i}" for i in range(len(network.dropouts))]
        write(_decoder(direction), module, names, "image", examples)
        if network.style_dim:
            domain = source(direction)
            style = network.style_encoder(domain)
            write(_style(domain), style, ["image"], "style", [[x] for x in images])
    return worst


def _images(translator: Translator, direction: Direction) -> list[Tensor]:
    """Images to check the graphs with: examples of the checkpoint; noise of another batch and shape."""
    side, multiple = translator.info.size, translator.network.multiple
    paths = translator.examples_of(source(direction))[:EXAMPLES]
    pictures = [to_tensor(open_image(path).resize((side, side))) for path in paths]
    generator = torch.Generator().manual_seed(0)
    noise = [torch.rand(n, 3, side, side + more, generator=generator) * 2 - 1 for n, more in ((1, 0), (2, multiple))]
    return pictures + noise


def _decoder_inputs(network: TranslationNetwork, codes: Tensor) -> tuple[Tensor, ...]:
    style = network.sample_styles(len(codes), torch.Generator().manual_seed(1)) if network.style_dim else None
    return network.decoder_inputs(codes, style, None, 1.0)


def _keep(network: TranslationNetwork, x: Tensor) -> list[Tensor]:
    generator = torch.Generator().manual_seed(2)
    shapes = [(len(x), channels, x.shape[2] // d, x.shape[3] // d) for channels, d in network.dropouts]
    return [(torch.rand(shape, generator=generator) >= 0.5) * 2.0 for shape in shapes]


def _description(translator: Translator, files: _Files, styles: dict[str, Any]) -> dict[str, Any]:
    network, info = translator.network, translator.info

    def named(name: str) -> str | None:
        return name if name in files.written else None

    return {
        "format": FORMAT,
        "name": info.name,
        "method": info.method,
        "title": info.title,
        "size": info.size,
        "multiple": network.multiple,
        "smallest": max(network.smallest, network.multiple),
        "abilities": {**dataclasses.asdict(network.capabilities), "directions": list(network.directions)},
        "domains": {key: domain.to_dict() for key, domain in info.domains.items()},
        "directions": {d: {"encoder": named(_encoder(d)), "decoder": _decoder(d)} for d in network.directions},
        "style_encoders": {d: _style(d) for d in DOMAINS if named(_style(d))},
        "dropout": [
            {"input": f"keep_{i}", "channels": channels, "divisor": divisor}
            for i, (channels, divisor) in enumerate(network.dropouts)
        ],
        "styles": styles,
        "files": files.written,
    }


def _write_styles(translator: Translator, files: _Files) -> dict[str, Any]:
    described = {}
    for domain, space in translator.styles.items():
        described[domain] = {
            **{name: getattr(space, name).tolist() for name in ("mean", "directions", "deviations", "styles")},
            "names": list(space.names),
            "pictures": _write_pictures(f"styles-{domain}.webp", space, files),
        }
    return described


def _write_pictures(name: str, space: StyleSpace, files: _Files) -> dict[str, Any] | None:
    """The pictures of a space's example styles as one image, row by row; None where there are none."""
    if not len(space.pictures):
        return None
    side = space.pictures.shape[-1]
    sheet = Image.new("RGB", (COLUMNS * side, -(-len(space.pictures) // COLUMNS) * side))
    for i, picture in enumerate(space.pictures):
        sheet.paste(
            Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy()), (i % COLUMNS * side, i // COLUMNS * side)
        )
    path = files.folder / name
    sheet.save(path, "WEBP", quality=PICTURE_QUALITY)
    files.write(name, path.read_bytes())
    return {"file": name, "side": side, "columns": COLUMNS}


def _encoder(direction: str) -> str:
    return f"encoder-{direction}.onnx"


def _decoder(direction: str) -> str:
    return f"decoder-{direction}.onnx"


def _style(domain: str) -> str:
    return f"style-{domain}.onnx"
