"""A label reader: a small U-Net that finds the labels in a photo, by which labels → photo is measured.

The label score (Isola et al. 2016, section 4.1, there "FCN-score"): if a made photo looks real, a network
trained on real photos finds in it the labels it was made from.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from tqdm import tqdm

from i2i_models.errors import CheckpointError, DataError, TrainingError
from i2i_models.images.palettes import Palette, nearest_label, read_palette
from i2i_models.images.tensors import from_bytes, to_image
from i2i_models.networks.unet import UNet

from ..data.augmentation import Augmentation
from ..data.dataset import TranslationDataset
from ..data.layouts import find
from ..data.stream import Stream
from ..loop.precision import use_bfloat16
from .metrics import CHUNK, confusion, constant_confusion, segmentation_scores

READERS = Path(__file__).parents[1] / "readers"
"""Where evaluation looks for readers: one safetensors file each, its settings in the file's metadata."""


class LabelReader(nn.Module):
    """A U-Net with a channel for each label."""

    def __init__(self, palette: Palette, size: int, base_width: int, depth: int) -> None:
        """
        Args:
            palette: the labels, in the order of the channels.
            size: side of the square photos it reads, in pixels.
        """
        super().__init__()
        self.palette, self.size = palette, size
        self.settings = {"palette": palette, "size": size, "base_width": base_width, "depth": depth}
        self.unet = UNet(3, len(palette), base_width, depth, norm="batch")
        self.unet.last[-1] = nn.Identity()  # logits take no tanh

    def forward(self, photos: Tensor) -> Tensor:
        """`(N, 3, size, size)` in [-1, 1] → logits `(N, labels, size, size)`."""
        return self.unet(photos)

    @torch.inference_mode()
    def read(self, photos: Tensor) -> Tensor:
        """uint8 photos of any size `(N, 3, H, W)` → indices of labels `(N, size, size)`, int64."""
        device = next(self.parameters()).device
        parts = []
        for part in photos.split(16):
            x = from_bytes(part.to(device))
            if x.shape[-1] != self.size:
                x = F.interpolate(x, (self.size, self.size), mode="bilinear", antialias=True)
            parts.append(self(x).argmax(1).cpu())
        return torch.cat(parts)

    def save(self, path: Path) -> None:
        """Write weights in half precision and the settings."""
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in self.state_dict().items()}
        save_file(state, path, metadata={"reader": json.dumps(self.settings)})

    @classmethod
    def load(cls, path: Path) -> "LabelReader":
        """Read what `save` wrote; in eval mode.

        Raises:
            CheckpointError: the file is damaged or holds no reader.
        """
        try:
            with safe_open(path, "pt") as file:
                settings = json.loads(file.metadata()["reader"])
                state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            settings["palette"] = {name: tuple(colour) for name, colour in settings["palette"].items()}
            reader = cls(**settings)
            reader.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise CheckpointError(f"{path} is no label reader or damaged ({error}): train it again.") from None
        return reader.eval().requires_grad_(False)


def readers_for(palette: Palette) -> list[LabelReader]:
    """All readers of exactly these labels among READERS. If there is none, say so in a line."""
    readers = [LabelReader.load(path) for path in sorted(READERS.glob("*.safetensors"))]
    found = [reader for reader in readers if list(reader.palette.items()) == list(palette.items())]
    if not found:
        print(
            f"Label score skipped: {READERS} has no reader of these labels; `python -m train labelreader` trains one."
        )
    return found


def label_maps(pictures: Tensor, palette: Palette) -> Tensor:
    """Indices `(N, H, W)`, int64, of the palette colours nearest to the pixels of uint8 pictures `(N, 3, H, W)`."""
    return torch.stack([torch.from_numpy(nearest_label(to_image(from_bytes(x)), palette)) for x in pictures])


def shrink_labels(labels: Tensor, size: int) -> Tensor:
    """Indices `(N, H, W)` → `(N, size, size)` by nearest neighbour, which mixes no labels."""
    return F.interpolate(labels[:, None].float(), (size, size), mode="nearest-exact")[:, 0].long()


def label_counts(photos: Tensor, labels: Tensor, reader: LabelReader) -> Tensor:
    """The confusion matrix of what a reader finds in uint8 photos against true indices `(N, H, W)`."""
    truth = shrink_labels(labels, reader.size)
    parts = zip(photos.split(CHUNK), truth.split(CHUNK), strict=True)
    return torch.stack([confusion(reader.read(p), t, len(reader.palette)) for p, t in parts]).sum(0)


def labelreader(
    data: str,
    palette: Path,
    output: Path,
    size: int = 128,
    base_width: int = 24,
    depth: int = 6,
    steps: int = 3000,
    batch_size: int = 8,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> None:
    """Train a network that reads labels off photos, and say how well it reads held-out ones.

    Args:
        data: pairs of label map (A, left) and photo (B, right), with `train` and `test`.
        palette: the file with the labels' colours, such as train/palettes/facades.json.
        output: the file to write; evaluation uses what lies in train/readers.
        size: side of the photos it reads, in pixels.
        base_width: channels after the first layer.
        depth: number of halvings.
        steps: of Adam, the rate falling along half a cosine.
        batch_size: photos a step.
        learning_rate: where the cosine starts.
        seed: of initial weights, order, augmentation and dropout.
    """
    if size % 2**depth or steps < 1 or batch_size < 1:
        raise TrainingError(f"--size must be a multiple of {2**depth}, --steps and --batch-size at least 1.")
    colours = read_palette(palette).palette
    sources = find(data)
    if not sources.paired:
        raise DataError(f"{data}: a label reader needs pairs of label map and photo.")
    # Strong variation: a made photo differs in place, scale and colour from the few hundred real ones.
    images = TranslationDataset(sources, size, seed, Augmentation(enlarge=1.25, affine=0.4), (True, False))
    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    reader = LabelReader(colours, size, base_width, depth).to(device).to(memory_format=torch.channels_last)
    adam = torch.optim.AdamW(reader.parameters(), learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    batches = DataLoader(images, batch_sampler=Stream(images, batch_size, lambda step: size, 0, steps))
    for maps, photos in tqdm(batches, "label reader", unit="step", mininterval=1):
        truth = label_maps(maps, colours).to(device)
        with torch.autocast(device, torch.bfloat16, enabled=use_bfloat16("auto")):
            logits = reader(vary_colour(from_bytes(photos)).to(device, memory_format=torch.channels_last))
        F.cross_entropy(logits.float(), truth).backward()
        adam.step()
        adam.zero_grad()
        schedule.step()
    reader.eval().save(output)
    counts = held_out_counts(reader, data)
    for name, matrix in (("read", counts), ("most frequent label everywhere", constant_confusion(counts))):
        print(f"{name}: " + ", ".join(f"{score} {v:.4f}" for score, v in segmentation_scores(matrix).items()))


def vary_colour(photos: Tensor) -> Tensor:
    """Photos in [-1, 1] with contrast and brightness of each channel changed at random."""
    contrast = 1 + 0.2 * torch.randn(len(photos), 1, 1, 1) + 0.05 * torch.randn(len(photos), 3, 1, 1)
    brightness = 0.15 * torch.randn(len(photos), 1, 1, 1) + 0.05 * torch.randn(len(photos), 3, 1, 1)
    return (photos * contrast + brightness).clamp(-1, 1)


def held_out_counts(reader: LabelReader, data: str) -> Tensor:
    """The confusion matrix of a reader on the real photos of the `test` split."""
    images = TranslationDataset(find(data, "test"), reader.size, nearest=(True, False), minimum=1)
    return label_counts(images.b.stack(), label_maps(images.a.stack(), reader.palette), reader)
