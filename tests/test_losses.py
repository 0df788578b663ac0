"""The losses against numbers worked by hand, and where their gradients go."""

import math
from typing import Any
from urllib.error import URLError

import pytest
import torch
import torchvision
from test_methods import UNPAIRED, images, tiny
from torch import Tensor, nn

from i2i_models.errors import TrainingError
from i2i_models.networks import munit, perceptual
from i2i_models.networks.cyclegan import CycleGANObjective, ImagePool
from i2i_models.networks.discogan import DiscoGAN, DiscoGANObjective, distance, feature_matching
from i2i_models.networks.losses import adversarial, discriminator_loss, generator_adversarial_loss, real_and_fake_loss
from i2i_models.networks.methods import METHODS
from i2i_models.networks.munit import MUNITObjective
from i2i_models.networks.patchgan import PatchGAN
from i2i_models.networks.unit import UNIT, UNITConfig, UNITObjective, kl
from train.loop.parallel import GeneratorOutputs


class FirstChannel(nn.Module):
    """A discriminator whose logits are the image's first channel."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1]


class TwoScales(nn.Module):
    """One whose second scale answers twice the first."""

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x[:, :1], 2 * x[:, :1, ::2, ::2]]


def flat(value: float, n: int = 1) -> Tensor:
    return torch.full((n, 3, 4, 4), value)


JUDGES = nn.ModuleDict({"A": FirstChannel(), "B": FirstChannel()})


def numbers(parts: dict[str, Tensor]) -> dict[str, float]:
    return {name: pytest.approx(value.item(), rel=1e-5) for name, value in parts.items()}


def test_scales_add_up() -> None:
    real, fake = real_and_fake_loss(TwoScales(), flat(0.5), flat(0.25), "least_squares")
    assert real.item() == pytest.approx(0.5**2 + 0)
    assert fake.item() == pytest.approx(0.25**2 + 0.5**2)
    logits = TwoScales()(torch.cat([flat(0.5), flat(0.25)]))
    assert adversarial(logits[:1], True, "least_squares").item() == pytest.approx((0.5**2 + 0.75**2) / 2)


def test_batch_norm_sees_real_and_fake_apart() -> None:
    judge = nn.Sequential(FirstChannel(), nn.BatchNorm2d(1))
    real, fake = real_and_fake_loss(judge, flat(0.75), flat(-0.75), "least_squares")
    assert (real.item(), fake.item()) == pytest.approx((1, 0), abs=1e-4), (
        "flat images are all 0 to it: none gives away the other"
    )


def test_tell_apart_and_fool() -> None:
    fake_a, fake_b = flat(0.5).requires_grad_(), flat(-1.0)
    parts = discriminator_loss(JUDGES, flat(0.75), flat(0.0), fake_a, fake_b, "least_squares")
    assert numbers(parts) == {"d_real": 0.25**2 + 1, "d_fake": 0.5**2 + 1}
    assert not parts["d_fake"].requires_grad
    assert generator_adversarial_loss(JUDGES, fake_a, fake_b, "least_squares").item() == pytest.approx(0.5**2 + 4)


def test_discogan() -> None:
    outputs = {"fake_a": flat(0.0), "fake_b": flat(1.0), "cycle_a": flat(0.5), "cycle_b": flat(-0.5)}
    objective = DiscoGANObjective()
    sigmoid = 1 / (1 + math.exp(-1))
    d = objective.discriminator_loss(JUDGES, flat(1.0), flat(0.0), outputs)
    assert numbers(d) == {
        "d_real": -math.log(sigmoid) - math.log(0.5),
        "d_fake": -math.log(0.5) - math.log(1 - sigmoid),
    }
    g = objective.generator_loss(JUDGES, flat(1.0), flat(0.0), outputs)  # type: ignore[arg-type]
    assert numbers(g) == {"gan": -math.log(0.5) - math.log(sigmoid), "reconstruction": 0.25 + 0.25}


def test_discogans_options() -> None:
    """The choices of d, the pixelwise term of pairs, feature matching and the curriculum of the authors' code."""
    outputs = {"fake_a": flat(0.0), "fake_b": flat(1.0), "cycle_a": flat(0.5), "cycle_b": flat(-0.02)}
    a, b = flat(1.0), flat(0.0)

    def terms(objective: DiscoGANObjective) -> dict[str, float]:
        return {name: loss.item() for name, loss in objective.generator_loss(JUDGES, a, b, outputs).items()}  # type: ignore[arg-type]

    assert terms(DiscoGANObjective(distance="l1"))["reconstruction"] == pytest.approx(0.5 + 0.02)
    assert terms(DiscoGANObjective(distance="hinge"))["reconstruction"] == pytest.approx(0.45)
    turned = torch.randn(2, 3, 4, 4)
    assert distance(turned, 2 * turned, "cosine").item() == pytest.approx(0, abs=1e-6)
    assert distance(turned, -turned, "cosine").item() == pytest.approx(2)
    paired = DiscoGANObjective(lambda_pixel=10, lambda_gan=0.1)
    assert terms(paired)["pixel"] == pytest.approx(10 * (1 + 1))
    assert terms(paired)["gan"] == pytest.approx(0.1 * terms(DiscoGANObjective())["gan"])
    assert DiscoGAN.needs_pairs(paired) and not DiscoGAN.needs_pairs(DiscoGANObjective())
    slow = DiscoGANObjective(lambda_reconstruction=2, curriculum_steps=3)
    weights = [DiscoGAN.objective_at(slow, step).lambda_reconstruction for step in range(5)]
    assert weights == pytest.approx([2 / 99, 2 / 99, 2 / 99, 2, 2])

    judges = nn.ModuleDict({k: PatchGAN(3, 4, 2, "none") for k in "AB"})
    matching = DiscoGANObjective(lambda_features=3)
    real, fake = torch.randn(5, 3, 16, 16), torch.randn(5, 3, 16, 16)
    (first, second), (other, another) = judges["A"].features(real), judges["A"].features(fake)  # type: ignore[operator]
    wanted = (first.mean(0) - other.mean(0)).square().mean() + (second.mean(0) - another.mean(0)).square().mean()
    assert feature_matching(judges["A"], real, fake).item() == pytest.approx(wanted.item(), rel=1e-5)
    assert feature_matching(judges["A"], real, real).item() == 0, "the same features"
    batch = dict.fromkeys(outputs, real) | {"fake_a": fake}
    found = matching.generator_loss(judges, real, real, batch)["features"]  # D_B sees the same twice
    assert found.item() == pytest.approx(3 * wanted.item(), rel=1e-5)


def test_cyclegan() -> None:
    outputs = {
        "fake_a": flat(0.5), "fake_b": flat(0.25), "cycle_a": flat(0.5), "cycle_b": flat(-0.25),
        "same_a": flat(0.75), "same_b": flat(0.5),
    }  # fmt: skip
    judges = nn.ModuleDict({**JUDGES, "pool_A": ImagePool(), "pool_B": ImagePool()})
    d = CycleGANObjective().discriminator_loss(judges, flat(1.0), flat(0.0), outputs)
    assert numbers(d) == {"d_real": 0.5 * (0 + 1), "d_fake": 0.5 * (0.25 + 0.0625)}
    g = CycleGANObjective().generator_loss(judges, flat(1.0), flat(0.0), outputs)  # type: ignore[arg-type]
    assert numbers(g) == {"gan": 0.25 + 0.75**2, "cycle": 10 * (0.5 + 0.25), "identity": 5 * (0.25 + 0.5)}


def test_unit() -> None:
    outputs = {
        "mean_a": flat(2.0), "mean_b": flat(0.0), "mean_ab": flat(1.0), "mean_ba": flat(-1.0),
        "same_a": flat(0.75), "same_b": flat(0.0), "fake_a": flat(0.0), "fake_b": flat(0.0),
        "cycle_a": flat(0.5), "cycle_b": flat(0.25),
    }  # fmt: skip
    g = UNITObjective().generator_loss(JUDGES, flat(1.0), flat(0.0), outputs)  # type: ignore[arg-type]
    assert numbers(g) == {
        "gan": 10 * 2 * math.log(2),
        "kl": 0.1 * 2,
        "reconstruction": 100 * 0.25,
        "kl_cycle": 0.1 * 1,
        "cycle": 100 * 0.75,
    }
    uncycled = UNITObjective(lambda_cycle=0, lambda_kl_cycle=0)
    network, x = UNIT(UNITConfig(base_width=4, blocks=1)), torch.zeros(1, 3, 16, 16)
    there = uncycled.outputs(network, x, x)
    assert set(there) == {"mean_a", "mean_b", "same_a", "same_b", "fake_a", "fake_b"}
    g = uncycled.generator_loss(JUDGES, flat(1.0), flat(0.0), outputs)  # type: ignore[arg-type]
    assert set(g) == {"gan", "kl", "reconstruction"}


def test_kl_is_torchs() -> None:
    mean = torch.randn(3, 5)
    standard = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
    expected = torch.distributions.kl_divergence(torch.distributions.Normal(mean, 1.0), standard).mean()
    torch.testing.assert_close(kl(mean), expected)


def test_munit(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {
        "same_a": flat(0.5), "same_b": flat(0.0), "fake_a": flat(0.0), "fake_b": flat(0.5),
        "content_a": flat(1.0), "found_content_a": flat(0.0), "content_b": flat(1.0), "found_content_b": flat(0.75),
        "style_a": torch.tensor([[1.0, 3.0]]), "found_style_a": torch.tensor([[0.0, 0.0]]),
        "style_b": torch.zeros(1, 2), "found_style_b": torch.zeros(1, 2),
        "cycle_a": flat(0.0), "cycle_b": flat(0.0),
    }  # fmt: skip
    a, b = flat(1.0), flat(0.0)
    expected = {"gan": 1 + 0.25, "image": 10 * 0.5, "content": 1 + 0.25, "style": 2.0}
    assert numbers(MUNITObjective().generator_loss(JUDGES, a, b, outputs)) == expected  # type: ignore[arg-type]
    monkeypatch.setattr(munit, "domain_invariant", lambda translation, source: torch.tensor(3.0))
    options = MUNITObjective(lambda_cycle=10, lambda_vgg=2)
    g = options.generator_loss(JUDGES, a, b, outputs)  # type: ignore[arg-type]
    assert numbers(g) == {**expected, "cycle": 10 * 1, "vgg": 2 * (3 + 3)}


def test_perceptual_loss_sees_content_and_not_style(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(munit, "vgg_features", lambda x: x)
    x = torch.randn(1, 3, 8, 8)
    assert munit.domain_invariant(x, 3 * x + 1).item() == pytest.approx(0, abs=1e-4)
    # Both are normalised: E (x + x)² = 4.
    assert munit.domain_invariant(x, -x).item() == pytest.approx(4, rel=1e-3)


def test_vgg_features(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = torchvision.models.vgg16().state_dict()
    asked: dict[str, Any] = {}

    def get_state_dict(self: Any, **options: Any) -> dict[str, torch.Tensor]:
        asked.update(options)
        return weights

    monkeypatch.setattr(torchvision.models.VGG16_Weights, "get_state_dict", get_state_dict)
    perceptual._vgg.cache_clear()
    x = torch.zeros(1, 3, 32, 32, requires_grad=True)
    features = perceptual.vgg_features(x)
    assert features.shape == (1, 512, 4, 4)
    assert (features >= 0).all()
    features.sum().backward()
    assert x.grad is not None
    assert asked["weights_only"] is True
    white = torch.ones(1, 3, 256, 256, requires_grad=True)
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = munit.domain_invariant(white, torch.rand(1, 3, 256, 256) * 2 - 1)
        loss.backward()
        assert loss.isfinite() and white.grad is not None and white.grad.isfinite().all()

    def unreachable(self: Any, **options: Any) -> None:
        raise URLError("no route to host")

    perceptual._vgg.cache_clear()
    monkeypatch.setattr(torchvision.models.VGG16_Weights, "get_state_dict", unreachable)
    with pytest.raises(TrainingError, match="VGG-16 weights, which could not be had"):
        perceptual.vgg_features(x)


@pytest.mark.parametrize("method", UNPAIRED)
def test_gradients_reach_what_they_should_and_nothing_else(method: str) -> None:
    network, objective = tiny(method), METHODS[method].Objective()
    discriminators = network.discriminators()
    a, b = images(height=64), images(height=64)
    outputs = objective.outputs(network, a, b)

    sum(objective.discriminator_loss(discriminators, a, b, outputs).values()).backward()
    assert all(p.grad is None for p in network.parameters())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in discriminators.parameters())

    discriminators.zero_grad()
    discriminators.requires_grad_(False)
    sum(objective.generator_loss(discriminators, a, b, outputs).values()).backward()
    assert all(p.grad is None for p in discriminators.parameters())
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    assert all(p.grad.abs().sum() > 0 for p in network.parameters() if p.dim() > 1)


@pytest.mark.parametrize("method", UNPAIRED)
def test_a_step_runs_no_network_more_often_than_it_must(method: str) -> None:
    network, objective = tiny(method), METHODS[method].Objective()
    discriminators = network.discriminators()
    calls: dict[str, int] = {}

    def count(name: str) -> Any:
        return lambda *_: calls.update({name: calls.get(name, 0) + 1})

    parts = {**dict(network.named_children()), "judges": discriminators}
    for name, part in parts.items():
        for key, module in part.items() if isinstance(part, nn.ModuleDict) else ():
            module.register_forward_hook(count(f"{name}.{key}"))
    a, b = images(height=64), images(height=64)
    outputs = objective.outputs(network, a, b)
    objective.discriminator_loss(discriminators, a, b, outputs)
    objective.generator_loss(discriminators, a, b, outputs)
    # A discriminator: real and fake together, then the fake. The rest: once there, once back, the decoders both in one.
    expected = {"judges": 2, "generators": 2, "encoders": 2, "content_encoders": 2, "style_encoders": 2}
    decoders = {"unit": 2, "munit": 1}
    pools = {name: n for name, n in calls.items() if "pool" in name}
    assert set(pools.values()) <= {1}
    for name in calls.keys() - pools.keys():
        group = name.partition(".")[0]
        assert calls[name] == (decoders[method] if group == "decoders" else expected[group]), name


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shade", [1.0, -1.0])
def test_wholly_white_or_black_crops_have_gradients(method: str, shade: float) -> None:
    torch.manual_seed(0)
    network = tiny(method).train()
    discriminators, objective = network.discriminators(), METHODS[method].Objective()
    image = torch.full((1, 3, 64, 64), shade)
    outputs = GeneratorOutputs(network, objective)(image, image)
    losses = [
        *objective.discriminator_loss(discriminators, image, image, outputs).values(),
        *objective.generator_loss(discriminators, image, image, outputs).values(),
    ]
    torch.stack(losses).sum().backward()
    gradients = [p.grad for part in (network, discriminators) for p in part.parameters() if p.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
