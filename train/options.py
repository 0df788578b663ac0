"""The options of a training. Field docstrings are the command line's help."""

import dataclasses
from pathlib import Path
from typing import Any, Literal

from i2i_models.checkpoints import Kind


@dataclasses.dataclass(frozen=True)
class Augment:
    """How training images are varied."""

    enlarge: float = 286 / 256
    """Resize to this many times the size, then crop at random; 1 to leave it."""
    mirror: bool = True
    """Mirror every other image."""
    affine: float = 0.0
    """Strength of random turning, scaling, stretching and shifting; 0 for none."""
    vary_hue: bool = False
    """Turn the hue of each image of domain B at random, so that a style has colours to carry; white stays white."""
    hand_drawn: bool = False
    """Vary the outlines of domain A as hands draw them: stroke width, wobble, gaps, lines left out."""


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
    negative_steps: int = 0
    """Let unpaired generators learn the negative of their input first, for this many steps. Without pairs they tend to
    keep dark what is dark; this starts them from the opposite, where the one domain's dark is the other's bright."""
    steps: int = 80_000
    """Optimizer steps in all; 80,000 at batch 1 are the paper's 200 epochs of 400 facades."""
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
    """How a visitor makes an image of A: uploads a picture, draws an outline, paints labels."""
    kind_b: Kind = "picture"
    """The same for B."""
    palette: Path | None = None
    """The file with the colours of a domain of labels, such as train/palettes/facades.json."""
    data_note: str = ""
    """The data's name, source and licence, for the card."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """auto takes bfloat16 where the processor or GPU computes in it."""
    cache_gb: float = 2.0
    """Decoded images are kept in memory up to this many GB."""
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

    @property
    def run_folder(self) -> Path:
        """Where this training keeps its state."""
        return self.run or Path("runs") / self.output.name


@dataclasses.dataclass(frozen=True)
class Job:
    """Everything one training is made from."""

    options: Options
    network: Any
    """The method's Config."""
    objective: Any
    """The method's Objective."""
    augment: Augment
