"""The interface of every method, on tensors `(N, 3, H, W)` in [-1, 1]."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from .. import directions
from ..checkpoints import Capabilities, Chance
from ..checkpoints.styles import sample_styles
from ..directions import Direction
from ..errors import DirectionError, ShapeError
from ..hub.pretrained import Pretrained
from . import objective
from .losses import Logits


class TranslationNetwork(Pretrained):
    """The generators of one method. Its discriminators are separate, since translating never needs them.

    An image is encoded once and decoded as often as its style changes.
    """

    paired: ClassVar[bool]
    """Whether the method learns from pairs."""
    Objective: ClassVar[type[objective.Objective]]
    mixes_codes: ClassVar[bool] = False
    """Whether codes between those of two images decode to images between them."""
    training_defaults: ClassVar[dict[str, Any]] = {}
    """Options of the training loop for which the method's paper has other values than pix2pix's."""

    directions: tuple[Direction, ...]
    smallest: int = 1
    """Heights and widths must be at least this many pixels, and multiples of `multiple`."""
    style_dim: int = 0
    """Numbers in a style code; 0 where the method has no styles."""
    skips: range = range(0)
    """The numbers of the skips that may be cut: where there are any, the decoder is a `UNet`."""
    dropouts: tuple[tuple[int, int], ...] = ()
    """Channels of each map that chance drops parts of, and how many times smaller than the image it is."""

    @property
    def chance(self) -> Chance:
        """Where chance enters when `decode` is given noise."""
        return "none"

    @classmethod
    def needs_pairs(cls, objective: Any) -> bool:
        """Whether a training with these losses has to be told which images belong together."""
        return cls.paired

    @classmethod
    def objective_at(cls, objective: Any, step: int) -> Any:
        """The losses of a step, counted from 0, where their weights change in the course of a training."""
        return objective

    @property
    def capabilities(self) -> Capabilities:
        """What the network can do, as a checkpoint says it."""
        return Capabilities(self.title, self.paired, self.directions, self.chance, self.style_dim, self.mixes_codes)

    def encode(self, x: Tensor, direction: Direction = "A2B") -> Tensor:
        """`(N, 3, H, W)` of the direction's source domain → the codes that `decode` takes.

        Raises:
            DirectionError, ShapeError: no such direction; sides that the network cannot take.
        """
        self.check_image(x, direction)
        encoder = self.encoder(direction)
        return x if encoder is None else encoder(x)

    def decode(
        self,
        codes: Tensor,
        direction: Direction = "A2B",
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
        temperature: float = 1.0,
    ) -> Tensor:
        """Codes → `(N, 3, H, W)` in [-1, 1] of the direction's target domain.

        Args:
            style: a style code for methods that have one.
            noise: the source of whatever chance the method has at test time; None for none.
            temperature: scales that chance where it is Gaussian: 0 is as good as none.

        Raises:
            DirectionError, ShapeError: no such direction; a style of another length or number.
        """
        self.check_direction(direction)
        return self.decoder(direction)(*self.decoder_inputs(codes, style, noise, temperature))

    def encoder(self, direction: Direction) -> nn.Module | None:
        """The layers from an image to its codes; None where the image is its own code."""
        return None

    def decoder(self, direction: Direction) -> nn.Module:
        """The layers from the `decoder_inputs` to an image; nothing in them is left to chance in eval mode."""
        raise NotImplementedError

    def draft_decoder(self, direction: Direction) -> nn.Module | None:
        """Layers from the `decoder_inputs` to nearly `decoder`'s image at half its size; None where there are none."""
        return None

    def decoder_inputs(
        self, codes: Tensor, style: Tensor | None, noise: torch.Generator | None, temperature: float
    ) -> tuple[Tensor, ...]:
        """What `decode` hands to the decoder: the codes, and whatever else the method has, chance already drawn."""
        return (codes,)

    def encode_style(self, x: Tensor, domain: str) -> Tensor:
        """The styles of images `(N, 3, H, W)` of domain A or B: `(N, style_dim)`.

        Raises:
            DirectionError, ShapeError: no such domain, no styles at all; images too small.
        """
        raise DirectionError(f"{self.title} has no style codes.")

    def style_encoder(self, domain: str) -> nn.Module:
        """The layers behind `encode_style`. Raises DirectionError where there are none."""
        raise DirectionError(f"{self.title} has no style codes.")

    def sample_styles(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`(n, style_dim)` from the styles' prior N(0, I), on the CPU."""
        return sample_styles(n, self.style_dim, generator)

    def translate(
        self,
        x: Tensor,
        direction: Direction = "A2B",
        style: Tensor | None = None,
        noise: torch.Generator | None = None,
        temperature: float = 1.0,
    ) -> Tensor:
        """`decode(encode(x))`: `(N, 3, H, W)` → `(N, 3, H, W)`, both in [-1, 1]."""
        return self.decode(self.encode(x, direction), direction, style, noise, temperature)

    forward = translate

    def discriminate(self, discriminators: nn.Module, codes: Tensor, y: Tensor, direction: Direction) -> Logits:
        """Patch logits of `discriminators` for translations y `(N, 3, H, W)` that were decoded from `codes`."""
        return discriminators.get_submodule(directions.target(direction))(y)

    def grid(self, a: Tensor, b: Tensor) -> list[Tensor]:
        """The rows of a sample grid, of images a and b `(N, 3, H, W)`: inputs, results, and truth or the way back."""
        fake_b = self.translate(a, "A2B")
        if self.paired:
            return [a, fake_b, b]
        rows = [a, fake_b]
        if "B2A" in self.directions:
            fake_a = self.translate(b, "B2A")
            rows += [self.translate(fake_b, "B2A"), b, fake_a, self.translate(fake_a, "A2B")]
        return rows

    def check_image(self, x: Tensor, direction: str) -> None:
        """Raise DirectionError or ShapeError for what `encode` cannot take."""
        self.check_direction(direction)
        if x.dim() != 4 or x.shape[1] != 3:
            raise ShapeError(f"{self.title} takes images (N, 3, H, W), not {tuple(x.shape)}.")
        height, width = x.shape[2:]
        if height % self.multiple or width % self.multiple or min(height, width) < self.smallest:
            raise ShapeError(
                f"{self.title} of these settings takes sides from {max(self.smallest, self.multiple)} pixels on that "
                f"{self.multiple} divides, not {height}×{width}: pad the image, or go through Translator, which does."
            )

    def check_direction(self, direction: str) -> None:
        """Raise DirectionError for a direction that this network was not built for."""
        self.capabilities.check_direction(direction)
