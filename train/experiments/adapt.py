"""Domain adaptation on digits, measured: `python -m train adapt --source mnist --target usps --data DIR`."""

import dataclasses
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.utils import save_image

from i2i_models.errors import TrainingError
from i2i_models.inference.digits import save_digits
from i2i_models.networks.digits import DigitUNIT, ReadingDiscriminators

from ..evaluation.kept import keep, read_kept
from ..loop.average import MovingAverage
from .adaptation import AdaptationObjective, accuracy, varied
from .digits import Digits, Labelled, Name, read_digits
from .results import RESULTS, Column, Row, Table, done, read, record
from .run import Run, autocast, update

Method = Literal["unit", "source_only", "target_trained"]
METHODS: dict[Method, str] = {
    "source_only": "trained on the source alone",
    "unit": "UNIT",
    "target_trained": "trained on the target's labels",
}
PAPER: dict[tuple[Name, Name], float] = {
    ("svhn", "mnist"): 0.9053,
    ("mnist", "usps"): 0.9597,
    ("usps", "mnist"): 0.9358,
}
"""Table 3 of the paper: UNIT's accuracy on the target."""
TITLES: dict[Name, str] = {"mnist": "MNIST", "usps": "USPS", "svhn": "SVHN"}
AVERAGE_DECAY = 0.995
CARD = """# Digits of {a} and {b}, and readers of both

UNIT for domain adaptation (Liu et al. 2017, section 5) at 32×32 pixels, seed 1 of `python -m train adapt`. Trained on
{a}'s digits with their labels and on {b}'s without any: it translates both ways, and its readers know both.

Read right of held-out digits: {target} of {b}'s, {source} of {a}'s. Digits are bright on black, one on a picture; a
picture of anything else is taken for one of the ten, too.

MNIST is by LeCun, Cortes and Burges, USPS by Hull (1994); both are published for research.
"""

TABLE = Table(
    name="domain-adaptation",
    title="Domain adaptation: digits read without labels of theirs",
    source="Liu et al. 2017 (UNIT), section 5, table 3",
    here="Accuracy on held-out digits of the target. Of MNIST its 10,000 test digits alone were to be had: four of "
    "five to train on, every fifth held out; the paper has 60,000. USPS has its own split, 7,291 and 2,007. Digits of "
    "both are framed alike, their longer side 24 of 32 pixels, and varied in place, angle, slant, size and "
    "proportions. No cycle term, as in the paper.",
    command="python -m train adapt --source mnist --target usps --data DIR",
    columns={
        "target": Column("target accuracy", 4),
        "source": Column("source accuracy", 4, "neither"),
    },
    rows=[
        Row(
            f"{source}-{target}-{method}",
            f"{TITLES[source]} → {TITLES[target]}, {called}",
            {"target": paper} if method == "unit" else {},
        )
        for (source, target), paper in PAPER.items()
        for method, called in METHODS.items()
    ],
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a run's outcome."""

    steps: int
    batch_size: int
    width: int
    discriminator_width: int
    learning_rate: float
    objective: AdaptationObjective


def adapt(
    source: Name,
    target: Name,
    data: Path,
    seeds: int = 3,
    methods: tuple[Method, ...] = ("source_only", "target_trained", "unit"),
    steps: int = 600,
    batch_size: int = 64,
    width: int = 16,
    discriminator_width: int = 24,
    learning_rate: float = 1e-3,
    objective: AdaptationObjective = AdaptationObjective(),  # noqa: B008
    runs: Path = Path("runs/adapt"),
    results: Path = RESULTS,
    output: Path | None = None,
) -> None:
    """Train a reader of the target's digits with the source's labels alone, and measure it: UNIT, section 5.

    Beside it a reader of the source alone, and one trained on the target's labels. Each row and seed is kept in
    RESULTS/domain-adaptation.json and not done again; one that was interrupted goes on where it was.

    Args:
        source: the data set whose labels are known.
        target: the data set that is to be read.
        data: the folder with the files of both.
        seeds: runs of each method, of the seeds 1, 2, …
        methods: which rows to measure.
        steps: optimizer steps of a run.
        batch_size: digits of each domain in a step.
        width: channels after the first layer of an encoder.
        discriminator_width: the same of a discriminator.
        learning_rate: Adam's; falls along half a cosine.
        runs: where states and pictures are kept.
        results: the folder of the tables.
        output: a folder for the networks of UNIT's seed 1, half as precise, which the page's view of digits reads.
    """
    if source == target or (source, target) not in PAPER:
        raise TrainingError(
            "--source and --target are svhn and mnist, mnist and usps, or usps and mnist, as in the paper."
        )
    if min(seeds, steps, batch_size, width, discriminator_width) < 1:
        raise TrainingError("--seeds, --steps, --batch-size and both widths must be at least 1.")
    digits = read_digits(data, source), read_digits(data, target)
    settings = Settings(steps, batch_size, width, discriminator_width, learning_rate, objective)
    for seed in range(1, seeds + 1):
        for method in methods:
            row = f"{source}-{target}-{method}"
            if not done(results, TABLE, row, seed):
                run = Adaptation(method, *digits, settings, seed, runs / row / str(seed)).run()
                record(results, TABLE, row, run)
                if method != "unit" and (target, source) in PAPER:
                    record(results, TABLE, *_seen_from_the_target(source, target, method, run))
    if output is not None:
        export(source, target, runs / f"{source}-{target}-unit" / "1", read(results, TABLE.name), output)


def export(source: Name, target: Name, run: Path, table: dict[str, Any], output: Path) -> None:
    """Write a finished run of UNIT as the folder that `DigitCrossing` reads, with its card.

    Args:
        run: the folder that the run left its weights in.
        table: the results, with the run of seed 1.

    Raises:
        TrainingError: it has no such run.
    """
    widths = {}

    def build(cls: Any, name: str) -> Any:
        def built(settings: dict[str, Any]) -> Any:
            widths[name] = settings["width"]
            return cls(**settings)

        return read_kept(run / f"{name}.safetensors", name, f"{name} of digits", built)

    runs = table.get("rows", {}).get(f"{source}-{target}-unit", {}).get("runs", [])
    values = next((one["values"] for one in runs if one["seed"] == 1), None)
    if values is None or not (run / "network.safetensors").is_file():
        raise TrainingError(f"{run} has no finished run: leave unit among --methods, and the results as they are.")
    network, reader = build(DigitUNIT, "network"), build(ReadingDiscriminators, "reader")
    names = {"A": TITLES[source], "B": TITLES[target]}
    card = CARD.format(a=names["A"], b=names["B"], **values)
    save_digits(output, network, reader, (widths["network"], widths["reader"]), names, card, {"seed": 1, **values})


def _seen_from_the_target(
    source: Name, target: Name, method: Method, run: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """A reader of one data set alone is a run of the other way's table, too: the row there, and the run."""
    other: Method = "target_trained" if method == "source_only" else "source_only"
    values = {"target": run["values"]["source"], "source": run["values"]["target"]}
    return f"{target}-{source}-{other}", {**run, "values": values}


class Adaptation:
    """One run: a method and a seed."""

    def __init__(
        self, method: Method, source: Digits, target: Digits, settings: Settings, seed: int, folder: Path
    ) -> None:
        """
        Raises:
            TrainingError: the folder has the state of a run with other settings, or a damaged one.
        """
        self.method, self.source, self.target = method, source, target
        self.settings, self.seed, self.folder = settings, seed, folder
        torch.manual_seed(seed)
        self.network = DigitUNIT(settings.width).to(memory_format=torch.channels_last)
        self.discriminators = ReadingDiscriminators(settings.discriminator_width).to(memory_format=torch.channels_last)
        self.average = MovingAverage(self.discriminators, AVERAGE_DECAY)  # type: ignore[arg-type]
        self.optimizers = [
            torch.optim.Adam(module.parameters(), settings.learning_rate, betas=(0.5, 0.999), fused=True)
            for module in (self.discriminators, self.network)
        ]
        networks = {"network": self.network, "discriminators": self.discriminators, "average": self.average}
        self.training = Run(folder, seed, dataclasses.asdict(settings), networks, self.optimizers)

    def run(self) -> dict[str, Any]:
        """Train from where it is to the end, and measure; the run as `record` takes it."""
        step = self._adapt if self.method == "unit" else self._classify
        trained = self.target if self.method == "target_trained" else self.source

        def stepped() -> None:
            step(trained.train)
            self.average.update_parameters(self.discriminators)

        minutes = self.training.train(stepped, self._measured)
        self._keep()
        return {"seed": self.seed, "values": self._measured(), "minutes": minutes}

    def _measured(self) -> dict[str, float]:
        """The average's accuracies. Without UNIT both domains are read through the one first layer that was trained."""
        reader: Any = self.average.module.eval()
        domain = "B" if self.method == "unit" else "A"
        return {
            "target": round(accuracy(reader, self.target.test, domain), 4),
            "source": round(accuracy(reader, self.source.test, "A"), 4),
        }

    def _classify(self, digits: Labelled) -> None:
        """A step of the reader alone."""
        x, labels = self._drawn(digits)
        with autocast():
            logits = self.discriminators(x, "A").classes
        update(self.optimizers[0], {"classes": F.cross_entropy(logits.float(), labels)})

    def _adapt(self, digits: Labelled) -> None:
        """A step of the discriminators, then one of the generators."""
        a, labels = self._drawn(digits)
        b, _ = self._drawn(self.target.train)
        objective = self.settings.objective
        with autocast():
            outputs = objective.outputs(self.network, a, b)
            losses = objective.discriminator_loss(self.discriminators, a, b, labels, outputs)
        update(self.optimizers[0], losses)
        self.discriminators.requires_grad_(False)
        with autocast():
            losses = objective.generator_loss(self.discriminators, a, b, labels, outputs)
        update(self.optimizers[1], losses)
        self.discriminators.requires_grad_(True)

    def _drawn(self, digits: Labelled) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(digits), (self.settings.batch_size,))
        return varied(digits.images[chosen]), digits.labels[chosen]

    def _keep(self) -> None:
        """Leave the weights and a picture of what became of some digits; the state is of no more use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept: dict[str, tuple[nn.Module, int]] = {"reader": (self.average.module, self.settings.discriminator_width)}
        if self.method == "unit":
            kept["network"] = self.network.eval(), self.settings.width
            self._draw()
        for name, (module, width) in kept.items():
            keep(self.folder / f"{name}.safetensors", name, {"width": width}, module.state_dict())
        self.training.forget()

    @torch.inference_mode()
    def _draw(self) -> None:
        """Rows of digits and their translations, both ways."""
        a, b = self.source.test.images[:16], self.target.test.images[:16]
        there = self.network.decode(self.network.encode(a, "A"), "B")
        back = self.network.decode(self.network.encode(b, "B"), "A")
        save_image((torch.cat([a, there, b, back]) + 1) / 2, self.folder / "translations.png", nrow=16)
