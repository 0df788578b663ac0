"""CycleGAN: Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks".

arXiv 1703.10593. Unpaired images a and b. Two residual generators, G: A → B and F: B → A, a
PatchGAN for each domain; F(G(a)) must return to a and G(F(b)) to b, in L1. The discriminators
judge a history of fakes, not only the last ones.
"""

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..checkpoints import NetworkConfig, TrainingState, check_choice, check_range
from ..directions import Direction
from ..errors import TrainingError
from .layers import Norm, init_normal
from .losses import GanLoss, discriminator_loss, generator_adversarial_loss
from .network import TranslationNetwork
from .objective import Losses, Outputs
from .patchgan import PatchGAN
from .resnet import ResNetGenerator


@dataclasses.dataclass(frozen=True)
class CycleGANConfig(NetworkConfig):
    """Architecture of CycleGAN."""

    base_width: int = 64
    """Channels after a generator's first layer."""
    downs: int = 2
    """Stride-2 convolutions before the residual blocks."""
    blocks: int = 9
    """Residual blocks; the paper has 9 at 256 pixels, 6 at 128."""
    norm: Norm = "instance"
    """How layers are normalized."""
    mask: bool = False
    """Generators say what of each pixel is new and keep the rest of the input as it is; not in the paper."""
    one_way: bool = False
    """Only A → B, as a lone converted generator has it; such a network can only be used, not trained."""
    discriminator_width: int = 64
    """Channels after a PatchGAN's first layer."""
    discriminator_layers: int = 3
    """Stride-2 layers of a PatchGAN; 3 see 70×70 pixels."""

    def check(self) -> None:
        check_range(self, 1, 512, "base_width", "discriminator_width")
        check_range(self, 1, 6, "downs")
        check_range(self, 0, 64, "blocks")
        check_range(self, 1, 8, "discriminator_layers")
        check_choice(self, "norm", Norm)


@dataclasses.dataclass(frozen=True)
class CycleGANObjective:
    """The losses of section 3 and their weights. Images a, b are `(N, 3, H, W)` in [-1, 1], no pair."""

    gan: GanLoss = "least_squares"
    """The adversarial loss: least_squares as in the paper, or cross_entropy."""
    lambda_cycle: float = 10.0
    """λ, the weight of the cycles beside the adversarial terms."""
    lambda_identity: float = 5.0
    """Weight of the identity loss, 0.5 λ in the paper; 0 where the domains' colours should differ."""

    def outputs(self, network: "CycleGAN", a: Tensor, b: Tensor) -> Outputs:
        """Both translations, both ways back, and what each generator makes of its own target domain."""
        g, f = network.generators["A2B"], network.generators["B2A"]
        if self.lambda_identity:
            fake_b, same_b = g(torch.cat([a, b])).chunk(2)
            fake_a, same_a = f(torch.cat([b, a])).chunk(2)
            parts = {"fake_b": fake_b, "fake_a": fake_a, "same_b": same_b, "same_a": same_a}
        else:
            parts = {"fake_b": g(a), "fake_a": f(b)}
        return {**parts, "cycle_a": f(parts["fake_b"]), "cycle_b": g(parts["fake_a"])}

    def discriminator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """½ ((D_B(b) − 1)² + D_B(G(a))²) and the same for A (section 4), G(a) and F(b) out of the pools."""
        fake_a, fake_b = discriminators["pool_A"](outputs["fake_a"]), discriminators["pool_B"](outputs["fake_b"])
        parts = discriminator_loss(discriminators, a, b, fake_a, fake_b, self.gan)
        return {name: 0.5 * value for name, value in parts.items()}

    def generator_loss(self, discriminators: nn.ModuleDict, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        """Equation 3, the generators' side: (D_B(G(a)) − 1)² + (D_A(F(b)) − 1)² + λ·(|F(G(a)) − a| + |G(F(b)) − b|).

        And the identity loss of section 5.2: λ_id·(|G(b) − b| + |F(a) − a|).
        """
        parts = {
            "gan": generator_adversarial_loss(discriminators, outputs["fake_a"], outputs["fake_b"], self.gan),
            "cycle": self.lambda_cycle * (F.l1_loss(outputs["cycle_a"], a) + F.l1_loss(outputs["cycle_b"], b)),
        }
        if self.lambda_identity:
            same = F.l1_loss(outputs["same_b"], b) + F.l1_loss(outputs["same_a"], a)
            parts["identity"] = self.lambda_identity * same
        return parts


class CycleGAN(TranslationNetwork):
    """The generators G: A → B and F: B → A."""

    method = "cyclegan"
    title = "CycleGAN"
    paired = False
    Config = CycleGANConfig
    Objective = CycleGANObjective

    def __init__(self, config: CycleGANConfig | None = None) -> None:
        super().__init__()
        self.config: CycleGANConfig = config or CycleGANConfig()
        c = self.config
        self.directions = ("A2B",) if c.one_way else ("A2B", "B2A")
        self.generators = nn.ModuleDict(
            {d: ResNetGenerator(c.base_width, c.downs, c.blocks, c.norm, c.mask) for d in self.directions}
        )
        self.multiple = 2**c.downs
        self.smallest = max(4, 2 * self.multiple)  # what reflection needs
        init_normal(self)

    def decoder(self, direction: Direction) -> nn.Module:
        """`(N, 3, H, W)` → `(N, 3, H, W)`. The image is its own code: no layer in between means anything by itself."""
        return self.generators[direction]

    def discriminators(self) -> nn.ModuleDict:
        """D_A and D_B: `(N, 3, H, W)` → patch logits; and the pools of fakes that they are shown.

        Raises:
            TrainingError: the network has one direction only.
        """
        c = self.config
        if c.one_way:
            raise TrainingError("CycleGAN trains both directions at once: leave --one-way out.")
        judges = {k: PatchGAN(3, c.discriminator_width, c.discriminator_layers, c.norm) for k in "AB"}
        discriminators = nn.ModuleDict({**judges, "pool_A": ImagePool(), "pool_B": ImagePool()})
        init_normal(discriminators)
        return discriminators


class ImagePool(TrainingState):
    """The last fakes of one domain (section 4): half of what the discriminator sees is of earlier steps.

    The images are a buffer, so that a run's saved state has them; chance comes from torch's
    default generator, which the loop seeds at every step.
    """

    images: Tensor

    def __init__(self, capacity: int = 50) -> None:
        super().__init__()
        self.capacity = capacity
        self.register_buffer("images", torch.empty(0, 3, 1, 1))

    @torch.no_grad()
    def forward(self, fakes: Tensor) -> Tensor:
        """Fakes `(N, 3, H, W)` in, as many out: while there is room, the same; later half of them swapped for older."""
        fakes = fakes.detach()
        if self.images.shape[1:] != fakes.shape[1:]:  # the first, or of another size than those before
            self.images = fakes[:0]
        room = self.capacity - len(self.images)
        if room > 0:
            self.images = torch.cat([self.images, fakes[:room]])
            return fakes
        swapped = (torch.rand(len(fakes)) < 0.5).nonzero().flatten()[: self.capacity]
        places = torch.randperm(self.capacity)[: len(swapped)]
        shown = fakes.clone()
        shown[swapped] = self.images[places]
        self.images[places] = fakes[swapped]
        return shown

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        # The number and size of the images are part of the state.
        self.images = torch.empty_like(state[prefix + "images"], device=self.images.device)
        super()._load_from_state_dict(state, prefix, *rest)
