"""The networks and losses of pix2pix against the paper, public code and values worked by hand."""

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from i2i_models.errors import CheckpointError, DirectionError, ShapeError
from i2i_models.networks.discogan import DiscoGAN, DiscoGANConfig
from i2i_models.networks.layers import FEW_POSITIONS, Conv2d, ConvTranspose2d, InstanceNorm
from i2i_models.networks.losses import adversarial, real_and_fake_loss
from i2i_models.networks.patchgan import PatchGAN
from i2i_models.networks.pix2pix import Pix2Pix, Pix2PixConfig, Pix2PixObjective
from i2i_models.networks.unet import UNet, UpsampleConv

TINY = Pix2PixConfig(base_width=4, depth=4, discriminator_width=4, discriminator_layers=2)


@pytest.mark.parametrize("size", [(16, 16), (32, 48), (64, 16)])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize(
    "layers", [{"last_layer": "upsample"}, {"last_layer": "transposed"}, {"up_layers": "upsample"}]
)
def test_translates_every_size_that_its_depth_divides(size: tuple[int, int], norm: str, layers: dict[str, Any]) -> None:
    network = Pix2Pix(Pix2PixConfig(base_width=4, depth=4, norm=norm, **layers))  # type: ignore[arg-type]
    assert any(isinstance(m, nn.ConvTranspose2d) for m in network.modules()) == ("up_layers" not in layers)
    result = network.eval().translate(torch.randn(2, 3, *size))
    assert result.shape == (2, 3, *size)
    assert result.abs().max() <= 1


def test_other_sizes_and_directions_are_sentences() -> None:
    network = Pix2Pix(TINY)
    with pytest.raises(ShapeError, match="16 divides, not 20×16"):
        network.translate(torch.zeros(1, 3, 20, 16))
    with pytest.raises(DirectionError, match="A2B here, not 'B2A'"):
        network.translate(torch.zeros(1, 3, 16, 16), "B2A")


@pytest.mark.parametrize("values", [{"depth": 1}, {"base_width": 0}, {"norm": "layer"}, {"width": 3}, {"depth": "8"}])
def test_a_config_that_cannot_be_built_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match=next(iter(values))):
        Pix2PixConfig.from_dict(values)


def test_widths_are_the_papers() -> None:
    unet = UNet()
    down_widths = [m.out_channels for m in unet.downs.modules() if isinstance(m, nn.Conv2d)]
    assert down_widths == [64, 128, 256, 512, 512, 512, 512, 512]
    up_widths = [m.out_channels for m in unet.ups.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert up_widths == [512, 512, 512, 512, 256, 128, 64]
    innermost, first = unet.downs[-1], unet.downs[0]
    assert not any(isinstance(m, InstanceNorm) for layer in (innermost, first) for m in layer.modules())


@pytest.mark.parametrize(("layers", "seen"), [(0, 1), (1, 16), (2, 34), (5, 286)])
def test_other_discriminators_see_what_section_4_4_compares(layers: int, seen: int) -> None:
    discriminator = PatchGAN(3, 2, layers, norm="none")
    x = torch.zeros(1, 3, 320, 320, requires_grad=True)
    logits = discriminator(x)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    assert x.grad is not None
    rows = x.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == seen


def test_a_skip_at_full_size_brings_single_pixels_through() -> None:
    """One pixel changes the result there and beside it, though every map inside is the same; cut, nothing is left."""
    unet = Pix2Pix(dataclasses.replace(TINY, full_size_skip=True)).eval().generator
    assert unet.skips == range(unet.multiple.bit_length() - 1)
    assert DiscoGAN(DiscoGANConfig(base_width=2, depth=4, full_size_skip=True)).skips == unet.skips
    unet.last.register_forward_hook(lambda module, args, result: torch.zeros_like(result))
    image = torch.zeros(1, 3, 32, 32)
    other = image.clone()
    other[..., 16, 16] = 1
    changed = (unet(image) != unet(other)).any(1)[0].nonzero()
    assert changed.min() >= 14 and changed.max() <= 18 and len(changed) > 1
    assert torch.equal(unet(image, cut=(0,)), unet(other, cut=(0,)))


def test_the_ablations_of_section_4() -> None:
    """An encoder-decoder passes nothing by its bottleneck; a GAN that is not conditional sees no input; L1 alone."""
    network = Pix2Pix(dataclasses.replace(TINY, skip_connections=False, dropout=False)).eval()
    assert not network.skips and network.translate(torch.randn(2, 3, 16, 32)).shape == (2, 3, 16, 32)
    inner = network.generator.ups[0]
    inner.register_forward_hook(lambda module, args, result: torch.zeros_like(result))
    one, other = (network.translate(torch.randn(1, 3, 16, 16)) for _ in "ab")
    assert torch.equal(one, other), "all that is known of the input goes through the bottleneck"

    a, b, fake = torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16)
    blind = Pix2Pix(dataclasses.replace(TINY, conditional=False)).discriminators()
    objective = Pix2PixObjective()
    losses = [objective.discriminator_loss(blind, x, b, {"fake_b": fake}) for x in (a, -a)]
    assert losses[0] == losses[1] and objective.generator_loss(blind, a, b, {"fake_b": fake})["gan"] > 0
    lone = Pix2PixObjective(lambda_gan=0)
    assert lone.discriminator_loss(blind, a, b, {"fake_b": fake}) == {}
    assert lone.generator_loss(blind, a, b, {"fake_b": fake}).keys() == {"l1"}


def test_a_patch_sees_70_pixels() -> None:
    discriminator = PatchGAN(3, 4, norm="none")
    x = torch.zeros(1, 3, 256, 256, requires_grad=True)
    logits = discriminator(x)
    assert logits.shape == (1, 1, 30, 30)
    logits[0, 0, 15, 15].backward()
    assert x.grad is not None
    rows = x.grad.abs().sum((0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70


def test_instance_norm_is_torchs() -> None:
    x = torch.randn(3, 5, 7, 6) * 4 + 2
    torch.testing.assert_close(InstanceNorm()(x), F.instance_norm(x), atol=1e-6, rtol=1e-5)


def test_upsampling_at_the_small_size_is_enlarging_then_convolving() -> None:
    fast = UpsampleConv(5, 3)
    slow = nn.Sequential(nn.Upsample(scale_factor=2), nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(5, 3, 4, 1, 1))
    slow[2].load_state_dict(fast.conv.state_dict())
    x = torch.randn(2, 5, 6, 9)
    torch.testing.assert_close(fast(x), slow(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("n", [2, 40])
def test_convolutions_at_few_positions_are_torchs(n: int) -> None:
    for ours, theirs, x in (
        (Conv2d(3, 5, 4, 2, 1), nn.Conv2d(3, 5, 4, 2, 1), torch.randn(n, 3, 4, 6)),
        (Conv2d(3, 5, (2, 3), (1, 2), (0, 1), bias=False), nn.Conv2d(3, 5, (2, 3), (1, 2), (0, 1), bias=False),
         torch.randn(n, 3, 4, 5)),
        (ConvTranspose2d(3, 5, 4, 2, 1), nn.ConvTranspose2d(3, 5, 4, 2, 1), torch.randn(n, 3, 2, 3)),
        (ConvTranspose2d(3, 5, 4, 2, 1, bias=False), nn.ConvTranspose2d(3, 5, 4, 2, 1, bias=False),
         torch.randn(n, 3, 2, 2).to(memory_format=torch.channels_last)),
    ):  # fmt: skip
        theirs.load_state_dict(ours.state_dict())
        results = []
        for conv in (ours, theirs):
            inputs = x.clone().requires_grad_()
            y = conv(inputs)
            y.square().sum().backward()
            results.append([y, inputs.grad, *(p.grad for p in conv.parameters())])
        torch.testing.assert_close(*results, atol=1e-4, rtol=1e-4)
    assert 2 * 3 * 3 <= FEW_POSITIONS < 40 * 2 * 2  # so both ways were taken


def test_dropout_is_off_unless_asked_for_and_seeded() -> None:
    network = Pix2Pix(TINY).eval()
    x = torch.randn(1, 3, 16, 16)
    plain = network.translate(x)
    assert torch.equal(plain, network.translate(x))

    def noisy(seed: int) -> torch.Tensor:
        return network.translate(x, noise=torch.Generator().manual_seed(seed))

    assert torch.equal(noisy(1), noisy(1))
    assert not torch.equal(noisy(1), noisy(2))
    assert not torch.equal(noisy(1), plain)


def test_adversarial_losses_by_hand() -> None:
    logits = torch.tensor([[0.0, 2.0]])
    sigmoid = 1 / (1 + math.exp(-2))
    expected = -(math.log(0.5) + math.log(sigmoid)) / 2
    assert adversarial(logits, True, "cross_entropy").item() == pytest.approx(expected, rel=1e-6)
    expected = -(math.log(0.5) + math.log(1 - sigmoid)) / 2
    assert adversarial(logits, False, "cross_entropy").item() == pytest.approx(expected, rel=1e-5)
    assert adversarial(logits, True, "least_squares").item() == pytest.approx((1 + 1) / 2)
    assert adversarial(logits, False, "least_squares").item() == pytest.approx((0 + 4) / 2)
    real, fake = real_and_fake_loss(nn.Identity(), torch.tensor([1.0, 1.0]), torch.tensor([3.0, 1.0]), "least_squares")
    assert (real.item(), fake.item()) == (0.0, 5.0)


class Constant(nn.Module):
    """A discriminator that says the mean of what it sees."""

    in_channels = 6

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((1, 2, 3))


def test_pix2pix_losses_by_hand() -> None:
    objective = Pix2PixObjective(gan="least_squares", lambda_l1=10)
    a, b = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    outputs = {"fake_b": torch.full_like(b, 0.5)}
    d = objective.discriminator_loss(Constant(), a, b, outputs)
    # Real pairs have mean ½, so (½ − 1)²; fake ones ¼, so (¼ − 0)²; both halved.
    assert (d["d_real"].item(), d["d_fake"].item()) == (0.125, 0.03125)
    g = objective.generator_loss(Constant(), a, b, outputs)
    assert (g["gan"].item(), g["l1"].item()) == ((0.25 - 1) ** 2, 5.0)


def test_gradients_reach_what_they_should() -> None:
    network, objective = Pix2Pix(TINY), Pix2PixObjective()
    discriminator = network.discriminators()
    a, b = torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16)
    outputs = objective.outputs(network, a, b)
    sum(objective.discriminator_loss(discriminator, a, b, outputs).values()).backward()  # type: ignore[union-attr]
    assert all(p.grad is None for p in network.parameters())
    assert all(p.grad is not None for p in discriminator.parameters())
    discriminator.requires_grad_(False).zero_grad()
    sum(objective.generator_loss(discriminator, a, b, outputs).values()).backward()  # type: ignore[union-attr]
    assert all(p.grad is not None for p in network.parameters())
    assert all(p.grad is None for p in discriminator.parameters())


def test_a_tiny_pair_is_memorised() -> None:
    config = Pix2PixConfig(base_width=8, depth=4, dropout=False, discriminator_width=8)
    network, objective = Pix2Pix(config), Pix2PixObjective()
    discriminator = network.discriminators()
    g = torch.optim.Adam(network.parameters(), 2e-3, betas=(0.5, 0.999))
    d = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999))
    a = torch.rand(1, 3, 32, 32) * 2 - 1
    b = torch.zeros(1, 3, 32, 32)
    b[:, 0, 8:24, 8:24] = 0.8
    for _ in range(150):
        outputs = objective.outputs(network, a, b)
        d.zero_grad()
        sum(objective.discriminator_loss(discriminator, a, b, outputs).values()).backward()  # type: ignore[union-attr]
        d.step()
        g.zero_grad()
        sum(objective.generator_loss(discriminator, a, b, outputs).values()).backward()  # type: ignore[union-attr]
        g.step()
    assert F.l1_loss(network.eval().translate(a), b) < 0.05
