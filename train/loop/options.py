"""The options of a training. Field docstrings are the command line's help."""

import dataclasses
from pathlib import Path
from typing import Any, Literal

from i2i_models.checkpoints import Kind
from i2i_models.errors import TrainingError
from i2i_models.hub.push import check_login, check_name
from i2i_models.images.palettes import read_palette
from i2i_models.networks.objective import Objective

from ..data.augmentation import Augmentation
from .state import STATE

FREE = {
    *("output", "run", "resume", "start_from", "data", "data_note", "name_a", "name_b", "palette"),
    *("cache_gb", "workers", "sample_every", "save_every"),
    *("push_to_hub", "push_every", "push_private", "license", "change", "minutes"),
}
"""Options that do not decide the outcome: a resumed training may have others."""
LONGEST = 100_000
"""Minutes; ten weeks."""
FIXED = ("network.", "direction", "kind_a", "kind_b", "seed")
"""What not even --change changes: the weights would mean something else."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Data, length and saving of a training."""

    data: str
    """A folder (A|B side by side in it or in its train/; or trainA/ and trainB/), or a Hub data set owner/name."""
    output: Path
    """The checkpoint folder to write at the end."""
    size: int = 256
    """Side of the square training images, in pixels."""
    grow_from: int | None = None
    """Train at this smaller size first."""
    grow_until: float = 0.5
    """Share of the steps done at the smaller size."""
    grow_by: Literal["resizing", "cropping"] = "resizing"
    """What is shown at the smaller size: whole images made smaller, or crops, in which everything has its full size."""
    alike_steps: int = 0
    """Let unpaired generators learn to copy their input first, for this many steps: for domains that look alike, such
    as faces without and with glasses. From random weights they may take one domain's dark for the other's bright."""
    negative_steps: int = 0
    """Let unpaired generators learn the negative of their input first, for this many steps. Without pairs they tend to
    keep dark what is dark; this starts them from the opposite, where the one domain's dark is the other's bright."""
    steps: int = 80_000
    """Optimizer steps in all; 80,000 at batch 1 are the paper's 200 epochs of 400 facades. With --resume, more than
    before let a training go on longer."""
    minutes: float | None = None
    """Train for about so long, instead of --steps: steps, width, the U-Net's depth and growing follow from the speed
    that is measured in the first half minute, unless they are given. With --resume, more let it go on longer."""
    batch_size: int = 1
    """Images of a domain in a step, over all processes."""
    learning_rate: float = 2e-4
    """Adam's learning rate, for generators and discriminators."""
    discriminator_rate: float = 1.0
    """The discriminators' learning rate as a multiple of the generators'."""
    beta1: float = 0.5
    """Adam's first momentum; the second is 0.999."""
    weight_decay: float = 0.0
    """L2 penalty in Adam."""
    decay_from: float = 0.5
    """Share of the steps after which the learning rate falls linearly to 0; 1 keeps it flat."""
    halve_every: int = 0
    """Halve the learning rate every this many steps; 0 for never."""
    ema: float = 0.999
    """Decay of the moving average of the generator, which is what gets exported; it warms up from 0."""
    seed: int = 0
    """Of initial weights, data order, augmentation and dropout."""
    direction: Literal["A2B", "B2A"] = "A2B"
    """B2A takes the right half (or trainB) for the domain A."""
    name_a: str = "A"
    """What domain A shows, for the page and the card."""
    name_b: str = "B"
    """What domain B shows."""
    kind_a: Kind = "picture"
    """How a visitor makes an image of A: uploads a picture, draws an outline, paints labels, paints in free colours."""
    kind_b: Kind = "picture"
    """The same for B."""
    range: tuple[float, float] | None = None
    """Of images with more than 8 bits, the values that become black and white; by default what all files of a domain
    need, such as 0 4095 for 12 bits."""
    palette: Path | None = None
    """The file with the colours of a domain of labels, such as train/palettes/facades.json."""
    data_note: str = ""
    """The data's name, source and licence, for the card."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """auto takes bfloat16 where the processor or GPU computes in it."""
    cache_gb: float = 2.0
    """Decoded images are kept in memory up to this many GB; workers that are spawned, not forked, have a copy each."""
    workers: int | None = None
    """Processes that prepare images; by default none on a CPU, 4 on a GPU."""
    sample_every: int = 1000
    """Steps between sample grids (PNG) in the run folder."""
    save_every: int = 500
    """Steps between saved states."""
    push_to_hub: str | None = None
    """Push the checkpoint to this repo of the Hugging Face Hub, owner/name; it is made if it is not there."""
    push_every: int = 0
    """Steps between pushes during the training, in the background; 0 for one push at the end."""
    push_private: bool = False
    """If the repo is made, make it a private one."""
    license: str = "mit"
    """The weights' licence, for the card: an identifier of the Hub, such as mit or cc-by-nc-4.0."""
    run: Path | None = None
    """Folder of the training state, curves and samples; runs/<name of output> by default."""
    start_from: Path | None = None
    """Begin with the weights of this checkpoint folder, of the same method and widths, instead of random ones."""
    resume: bool = False
    """Go on from the run's last saved state."""
    change: bool = False
    """With --resume: take what differs from the run's own options, such as another --learning-rate or --batch-size,
    instead of refusing it. The card tells what changed when."""

    @property
    def run_folder(self) -> Path:
        """Where this training keeps its state."""
        return self.run or Path("runs") / self.output.name

    @property
    def copying_steps(self) -> int:
        """Steps at the start in which unpaired generators learn to copy, or to make negatives."""
        return self.alike_steps or self.negative_steps

    def size_at(self, step: int) -> int:
        """The image size of a step."""
        return self.grow_from if self.grow_from and step < self.grow_until * self.steps else self.size

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: flat or halved now and then, at last falling linearly to 0."""
        start = self.decay_from * self.steps
        rate = self.learning_rate * 0.5 ** (step // self.halve_every if self.halve_every else 0)
        return rate * (1.0 if step < start else (self.steps - step) / max(1.0, self.steps - start))

    def check(self) -> None:
        """Refuse what no training can be made of.

        Raises:
            TrainingError, DataError, HubError: an option out of its range or without the one that goes with it; a
                palette that cannot be read; a name that is none on the Hub, or nobody logged in to push.
        """
        for name in ("size", "steps", "batch_size", "save_every", "sample_every"):
            if getattr(self, name) < 1:
                raise TrainingError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(self, name)}.")
        if self.minutes is not None and not 0 < self.minutes <= LONGEST:
            raise TrainingError(f"--minutes must lie in 0 … {LONGEST:,}, not {self.minutes:g}.")
        if self.change and not self.resume:
            raise TrainingError("--change goes with --resume: it changes the options of a run that is there.")
        for name in ("alike_steps", "negative_steps"):
            if getattr(self, name) < 0:
                raise TrainingError(f"--{name.replace('_', '-')} must not be negative, but is {getattr(self, name)}.")
        if self.alike_steps and self.negative_steps:
            raise TrainingError("--alike-steps and --negative-steps are opposite starts: leave one of them out.")
        if self.push_every < 0 or (self.push_every and not self.push_to_hub):
            raise TrainingError("--push-every is a number of steps, and needs --push-to-hub owner/name.")
        if self.push_to_hub:  # in every process, so that none waits for one that has ended
            check_name(self.push_to_hub)
            check_login()
        for name in ("grow_until", "decay_from", "ema"):
            if not 0 <= getattr(self, name) <= 1:
                raise TrainingError(f"--{name.replace('_', '-')} must lie in 0 … 1, not {getattr(self, name)}.")
        if self.range and not self.range[0] < self.range[1]:
            raise TrainingError(f"--range takes the lower value first, not {self.range[0]:g} {self.range[1]:g}.")
        if self.palette:
            read_palette(self.palette)
        if ("labels" in (self.kind_a, self.kind_b)) != bool(self.palette):
            raise TrainingError(
                "--kind-a labels or --kind-b labels goes with --palette FILE, which names their colours."
            )
        state = self.run_folder / STATE
        if state.exists() and not self.resume:
            raise TrainingError(
                f"{state} is there already: go on with --resume, or delete {self.run_folder} to start anew."
            )


@dataclasses.dataclass(frozen=True)
class Job:
    """Everything one training is made from."""

    options: Options
    network: Any
    """The method's Config."""
    objective: Objective
    """The method's losses and their weights."""
    augment: Augmentation

    def settings(self) -> dict[str, Any]:
        """The options that decide the outcome, as plain values: a resumed training must have the same."""
        options = {k: v for k, v in dataclasses.asdict(self.options).items() if k not in FREE}
        groups = {name: dataclasses.asdict(getattr(self, name)) for name in ("network", "objective", "augment")}
        return {**options, **{f"{name}.{k}": v for name, values in groups.items() for k, v in values.items()}}
