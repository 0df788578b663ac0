"""Whether a relation is discovered: DiscoGAN's azimuth experiment, `python -m train azimuth --data DIR`.

Both domains show cars turned by angles of their own; no car is in both. What a model makes of a car's angle, a reader
of angles tells, which was trained on real renderings. A model that discovers the relation gives every angle one of its
own, the same or the mirrored one; one that collapses draws few angles, whatever it is shown.
"""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.utils import save_image

from i2i_models.errors import DataError, TrainingError
from i2i_models.images.reading import open_image
from i2i_models.images.tensors import from_bytes

from ..evaluation.kept import keep, read_kept
from ..prepare.cars import KIND, LIMIT
from ..prepare.renderings import read_split
from .results import RESULTS, Column, Row, Table, done, record
from .run import Run, autocast, update
from .turning import HALVINGS, AngleReader, Model, TurningObjective, networks

MODELS: dict[Model, str] = {
    "gan": "GAN",
    "gan-reconstruction": "GAN with a reconstruction, A → B → A alone",
    "discogan": "DiscoGAN",
}
BINS, SHARE = 10, 0.02
"""Equal parts of the angles' range; a part is reached if so large a share of the translations is in it."""
SHOWN = 100
"""Points in a plot."""
AXES = ("angle of the car, degrees", "angle read off the translation")
READER_BATCH = 64

TABLE = Table(
    name="azimuth",
    title="Relations discovered: cars turned round",
    source="Kim et al. 2017 (DiscoGAN), section 4.2, car to car",
    here="Both domains are rendered cars, 64×64, each another one, turned by -75° to 75°; no car is in both. A small "
    "network reads angles off pictures, trained on the real cars of both domains. Each held-out car is translated "
    "from A to B and the angle of the translation read. RMSE is that of the read angle against the car's true angle "
    "or against its negative, whichever fits all of them better, since nothing tells a model which of the two "
    "relations is meant; translations that are all alike get 43.3 if they face front. Reached is how many of ten "
    "equal parts of the range hold at least 2 % of the translations, the correlation is that of the two angles "
    "without its sign. The paper has its RMSE only inside of a figure, for models and cars that are not to be had.",
    command="python -m train azimuth --data DIR",
    columns={
        "rmse": Column("RMSE, degrees", 1, "lower"),
        "reached": Column("of ten parts reached", 1),
        "correlation": Column("correlation", 2),
        "reader": Column("RMSE of the reader on real cars", 1, "neither"),
    },
    rows=[Row(model, called) for model, called in MODELS.items()],
)


@dataclasses.dataclass(frozen=True)
class Turned:
    """Pictures and by how many degrees what they show is turned."""

    images: Tensor
    """`(N, 3, size, size)` in [-1, 1]."""
    angles: Tensor
    """float32 `(N,)`, -LIMIT … LIMIT."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a run's outcome."""

    steps: int
    batch_size: int
    width: int
    size: int
    learning_rate: float
    objective: TurningObjective


def azimuth(
    data: Path,
    seeds: int = 1,
    models: tuple[Model, ...] = ("gan", "gan-reconstruction", "discogan"),
    steps: int = 700,
    reader_steps: int = 400,
    batch_size: int = 16,
    width: int = 12,
    size: int = 64,
    learning_rate: float = 5e-4,
    objective: TurningObjective = TurningObjective(),  # noqa: B008
    runs: Path = Path("runs/azimuth"),
    results: Path = RESULTS,
) -> None:
    """Translate turned cars by a GAN, by one with one reconstruction, and by DiscoGAN, and read the angles.

    Each row and seed is kept in RESULTS/azimuth.json and not done again; one that was interrupted goes on where it
    was.

    Args:
        data: a folder that `python -m train.prepare cars` made.
        seeds: runs of each model, of the seeds 1, 2, …
        models: which rows to measure.
        steps: optimizer steps of a model.
        reader_steps: optimizer steps of the reader of angles.
        batch_size: pictures of each domain in a step.
        width: channels after the first layer.
        size: side in pixels that pictures are shrunk to, a multiple of 16.
        learning_rate: Adam's; falls along half a cosine.
        runs: where states and pictures are kept.
        results: the folder of the tables.
    """
    if min(seeds, steps, reader_steps, width) < 1 or batch_size < 2:
        raise TrainingError("--seeds, --steps, --reader-steps and --width must be at least 1, --batch-size 2.")
    if size < 32 or size % 2**HALVINGS:
        raise TrainingError("--size must be a multiple of 16, 32 at least.")
    a, b, test = read_cars(data, size)
    settings = Settings(steps, batch_size, width, size, learning_rate, objective)
    for seed in range(1, seeds + 1):
        for model in models:
            if not done(results, TABLE, model, seed):
                reader = angle_reader(a, b, size, reader_steps, learning_rate, runs / f"reader-{size}" / "1")
                run = Turning(model, a, b, settings, seed, runs / model / str(seed))
                record(results, TABLE, model, run.run(reader, test))


def read_cars(data: Path, size: int) -> tuple[Turned, Turned, Turned]:
    """The cars to train domain A on, domain B on, and the held-out ones.

    Raises:
        DataError: it is no such folder, or angles are missing or too large.
    """
    split = read_split(data)
    path = data / "attributes.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            angles = {row["number"]: float(row["angle"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError, TypeError):
        raise DataError(f"{path} has no angles: make the folder by python -m train.prepare cars.") from None

    def read(names: list[str]) -> Turned:
        if unknown := [name for name in names if not abs(angles.get(name, LIMIT + 1)) <= LIMIT]:
            raise DataError(f"{path} has no angle from -{LIMIT} to {LIMIT} for {unknown[0]}.")
        pictures = [open_image(data / KIND / f"{name}.webp").resize((size, size), 4) for name in names]
        stack = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).permute(0, 3, 1, 2)
        return Turned(from_bytes(stack), torch.tensor([angles[name] for name in names]))

    return read(split.train_a), read(split.train_b), read(split.test)


def angle_reader(a: Turned, b: Turned, size: int, steps: int, learning_rate: float, folder: Path) -> AngleReader:
    """The reader of angles of a folder, trained on both domains first where it is not there yet; in eval mode."""
    path = folder / "reader.safetensors"
    if not path.is_file():
        torch.manual_seed(0)
        network = AngleReader(size)
        images, angles = torch.cat([a.images, b.images]), torch.cat([a.angles, b.angles]) / LIMIT
        adam = torch.optim.Adam(network.parameters(), learning_rate)
        settings = {"steps": steps, "learning_rate": learning_rate, "size": size}
        training = Run(folder, 1, settings, {"reader": network}, [adam])

        def step() -> None:
            chosen = torch.randint(len(images), (READER_BATCH,))
            with autocast():
                found = network(blurred(images[chosen]))
            update(adam, {"squares": F.mse_loss(found.float(), angles[chosen])})

        training.train(step, lambda: "")
        keep(path, "angles", {"size": size}, network.state_dict())
        training.forget()
    return read_kept(path, "angles", "reader of angles", lambda settings: AngleReader(**settings))


def blurred(x: Tensor) -> Tensor:
    """Pictures moved by up to 2 pixels, as soft as translations may be, and with noise: `(N, 3, H, W)`."""
    place = torch.randint(0, 5, (2,)).tolist()
    side = x.shape[-1]
    x = F.pad(x, (2, 2, 2, 2), mode="replicate")[..., place[0] : place[0] + side, place[1] : place[1] + side]
    soft = torch.rand(len(x), 1, 1, 1)
    x = torch.lerp(x, F.avg_pool2d(x, 3, 1, 1), soft)
    return x + 0.1 * torch.rand(len(x), 1, 1, 1) * torch.randn_like(x)


class Turning:
    """One run: a model and a seed."""

    def __init__(self, model: Model, a: Turned, b: Turned, settings: Settings, seed: int, folder: Path) -> None:
        """
        Raises:
            TrainingError: the folder has the state of a run with other settings, or a damaged one.
        """
        self.both = model == "discogan"
        self.a, self.b, self.settings, self.seed, self.folder = a, b, settings, seed, folder
        torch.manual_seed(seed)
        parts = networks(model, settings.size, settings.width)
        self.generators, self.discriminators = (part.to(memory_format=torch.channels_last) for part in parts)
        self.optimizers = [
            torch.optim.Adam(module.parameters(), settings.learning_rate, betas=(0.5, 0.999), fused=True)
            for module in (self.discriminators, self.generators)
        ]
        named = {"generators": self.generators, "discriminators": self.discriminators}
        self.training = Run(folder, seed, dataclasses.asdict(settings), named, self.optimizers)

    def run(self, reader: AngleReader, test: Turned) -> dict[str, Any]:
        """Train from where it is to the end, and measure; the run as `record` takes it."""
        minutes = self.training.train(self._step, lambda: measured(reader, test, self.translated(test.images)))
        translated = self.translated(test.images)
        values = measured(reader, test, translated)
        points = [test.angles[:SHOWN], read_angles(reader, translated[:SHOWN])]
        self._keep(test, translated)
        scatter = dict(zip(AXES, (x.round().int().tolist() for x in points), strict=True))
        return {"seed": self.seed, "values": values, "minutes": minutes, "scatter": {"limit": LIMIT, **scatter}}

    @torch.no_grad()
    def translated(self, images: Tensor) -> Tensor:
        """The images as B's, by batch norm's running statistics."""
        self.generators.eval()
        found = torch.cat([self.generators["A2B"](x) for x in images.split(self.settings.batch_size)])
        self.generators.train()
        return found

    def _step(self) -> None:
        a, b = (x.images[torch.randint(len(x.images), (self.settings.batch_size,))] for x in (self.a, self.b))
        objective = self.settings.objective
        with autocast():
            outputs = objective.outputs(self.generators, a, b, self.both)
            losses = objective.discriminator_loss(self.discriminators, a, b, outputs)
        update(self.optimizers[0], losses)
        self.discriminators.requires_grad_(False)
        with autocast():
            losses = objective.generator_loss(self.discriminators, a, b, outputs)
        update(self.optimizers[1], losses)
        self.discriminators.requires_grad_(True)

    def _keep(self, test: Turned, translated: Tensor) -> None:
        """Leave a picture of held-out cars from -75° to 75° and their translations; the state is of no more use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        order = test.angles.argsort()
        chosen = order[torch.linspace(0, len(order) - 1, min(11, len(order))).long()]
        rows = torch.cat([test.images[chosen], translated[chosen]])
        save_image((rows + 1) / 2, self.folder / "translations.png", nrow=len(chosen))
        self.training.forget()


@torch.no_grad()
def read_angles(reader: AngleReader, images: Tensor) -> Tensor:
    """Degrees `(N,)`, in the range that there is."""
    return LIMIT * torch.cat([reader(x) for x in images.split(READER_BATCH)]).clamp(-1, 1)


def measured(reader: AngleReader, test: Turned, translated: Tensor) -> dict[str, float]:
    """The values of a run, by column."""
    found = read_angles(reader, translated)
    return {**turned(test.angles, found), "reader": round(rmse(read_angles(reader, test.images), test.angles), 2)}


def turned(angles: Tensor, found: Tensor) -> dict[str, float]:
    """What became of angles `(N,)`, in degrees: how near they are to themselves or their negatives, and how many."""
    parts = torch.histc(found, BINS, -LIMIT, LIMIT) / len(found)
    both = torch.stack([angles, found])
    correlation = float(torch.corrcoef(both)[0, 1].abs()) if float(found.std()) > 0 else 0.0
    return {
        "rmse": round(min(rmse(found, angles), rmse(found, -angles)), 2),
        "reached": int((parts >= SHARE).sum()),
        "correlation": round(correlation, 3),
    }


def rmse(x: Tensor, y: Tensor) -> float:
    """The root of the mean square of the differences."""
    return float((x - y).square().mean().sqrt())
