"""What every method's network promises: shapes, codes, styles, errors, tied blocks, threads."""

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.errors import CheckpointError, DirectionError, ShapeError, TrainingError
from i2i_models.networks import layers
from i2i_models.networks.cyclegan import CycleGAN, CycleGANConfig, ImagePool
from i2i_models.networks.layers import KernelStandardise, LayerNorm, Standardise
from i2i_models.networks.methods import METHODS
from i2i_models.networks.munit import MUNIT
from i2i_models.networks.network import TranslationNetwork
from i2i_models.networks.patchgan import MultiScalePatchGAN
from i2i_models.networks.resnet import UpsampleReflectConv
from i2i_models.networks.unet import UNet
from i2i_models.networks.unit import UNIT, UNITConfig

TINY: dict[str, dict[str, Any]] = {
    "pix2pix": {"base_width": 4, "depth": 3, "discriminator_width": 4, "discriminator_layers": 2},
    "discogan": {"base_width": 4, "depth": 3, "discriminator_width": 4, "discriminator_layers": 2},
    "cyclegan": {"base_width": 4, "blocks": 2, "discriminator_width": 4, "discriminator_layers": 2},
    "unit": {"base_width": 4, "discriminator_width": 4, "discriminator_layers": 4},
    "munit": {"base_width": 4, "mlp_width": 16, "discriminator_width": 4, "discriminator_layers": 3},
}
UNPAIRED = [name for name, cls in METHODS.items() if not cls.paired]


def tiny(method: str, **settings: Any) -> Any:
    cls = METHODS[method]
    return cls(cls.Config(**{**TINY[method], **settings}))  # type: ignore[call-arg]


def images(n: int = 2, height: int = 32, width: int = 48) -> Tensor:
    return torch.rand(n, 3, height, width) * 2 - 1


def info(method: str) -> checkpoints.Info:
    return checkpoints.Info("x", "x", method, 32, {"A": checkpoints.Domain("a"), "B": checkpoints.Domain("b")})


def test_what_a_mask_leaves_out_stays_as_it_is() -> None:
    generator = tiny("cyclegan", mask=True).eval().generators["A2B"]
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    last = generator[-1]
    last.weight.data.zero_()
    last.bias.data = torch.tensor([9.0, -9.0, 9.0, -30.0])
    assert torch.allclose(generator(x), x)
    last.bias.data[3] = 30
    assert torch.allclose(generator(x)[0, :, 0, 0], torch.tensor([1.0, -1.0, 1.0]), atol=1e-5)
    last.bias.data[3] = 0
    assert torch.allclose(generator(x), 0.5 * x + 0.5 * torch.tensor([1.0, -1.0, 1.0])[:, None, None], atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_translates_in_its_directions(method: str) -> None:
    network = tiny(method).eval()
    x = images()
    for direction in network.directions:
        y = network.translate(x, direction)
        assert y.shape == x.shape
        assert y.abs().max() <= 1
        assert torch.equal(y, network.decode(network.encode(x, direction), direction))
        alone = torch.cat([network.translate(x[i : i + 1], direction) for i in range(2)])
        torch.testing.assert_close(alone, y, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 3, 30, 32), (1, 3, 32, 33), (1, 1, 32, 32), (3, 32, 32), (1, 3, 4, 4)])
def test_what_it_cannot_take_is_a_sentence(method: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"not (4×4|30×32|32×33|\()"):
        tiny(method).translate(torch.zeros(shape))


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_direction_is_a_sentence(method: str) -> None:
    for direction in ("A2A", "b2a", ""):
        with pytest.raises(DirectionError, match=repr(direction)):
            tiny(method).translate(images(), direction)


def test_a_lone_generator_has_one_direction_and_no_training() -> None:
    network = CycleGAN(CycleGANConfig(base_width=4, blocks=1, one_way=True))
    with pytest.raises(DirectionError, match="A2B here, not 'B2A'"):
        network.translate(images(), "B2A")
    with pytest.raises(TrainingError, match="both directions"):
        network.discriminators()


@pytest.mark.parametrize(
    ("method", "values", "named"),
    [
        ("discogan", {"depth": 1}, "depth"),
        ("discogan", {"last_layer": "nearest"}, "nearest"),
        ("cyclegan", {"blocks": -1}, "blocks"),
        ("cyclegan", {"norm": "layer"}, "'layer'"),
        ("cyclegan", {"style_dim": 8}, "style_dim"),
        ("unit", {"shared_blocks": 5}, "0 … 4, not 5"),
        ("unit", {"activation": "gelu"}, "'gelu'"),
        ("munit", {"style_dim": 0}, "1 … 512, not 0"),
        ("munit", {"style_dim": 8.0}, "style_dim"),
    ],
)
def test_a_config_that_cannot_be_built_is_refused(method: str, values: dict[str, Any], named: str) -> None:
    with pytest.raises(CheckpointError, match=named):
        METHODS[method].Config.from_dict(values)


@pytest.mark.parametrize("method", METHODS)
def test_checkpoint_and_back(method: str, tmp_path: Path) -> None:
    network = tiny(method).eval()
    checkpoints.save(tmp_path / "x", network, info(method), network.discriminators(), torch.float32)
    loaded = i2i.load(tmp_path / "x").network
    x = images()
    for direction in network.directions:
        torch.testing.assert_close(loaded.translate(x, direction), network.translate(x, direction))
    again = network.discriminators()
    weights = load_file(tmp_path / "x" / checkpoints.DISCRIMINATOR)
    assert set(weights) == {name for name in again.state_dict() if "pool" not in name}


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_another_width_are_refused(method: str, tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "x", tiny(method), info(method))
    checkpoints.save(tmp_path / "y", tiny(method, base_width=8), info(method))
    (tmp_path / "y" / checkpoints.WEIGHTS).rename(tmp_path / "x" / checkpoints.WEIGHTS)
    with pytest.raises(CheckpointError, match="has shape"):
        i2i.load(tmp_path / "x")


@pytest.mark.parametrize("method", METHODS)
def test_an_optimizer_holds_each_parameter_once(method: str) -> None:
    network = tiny(method)
    for module in (network, network.discriminators()):
        places = [p.data_ptr() for p in module.parameters()]
        assert len(places) == len(set(places))
        assert len(places) == len([n for n, _ in module.named_parameters(remove_duplicate=False)])


def test_tied_blocks_stay_tied(tmp_path: Path) -> None:
    network = tiny("unit").eval()
    checkpoints.save(tmp_path / "x", network, info("unit"))
    names = list(load_file(tmp_path / "x" / checkpoints.WEIGHTS))
    assert sum("shared_encoder" in name for name in names) == sum("shared_decoder" in name for name in names) == 4
    loaded: Any = i2i.load(tmp_path / "x").network
    x = images()
    for shared, see in (
        (loaded.shared_encoder, lambda d: loaded.encode(x, d)),
        (loaded.shared_decoder, lambda d: loaded.translate(x, d)),
    ):
        before = [see(d) for d in ("A2B", "B2A")]
        next(shared.parameters()).zero_()
        assert all(not torch.equal(see(d), seen) for d, seen in zip(("A2B", "B2A"), before, strict=True))


def test_number_of_shared_blocks_moves_no_weight_but_the_shared() -> None:
    def size(shared: int) -> int:
        return sum(p.numel() for p in UNIT(UNITConfig(base_width=4, shared_blocks=shared)).parameters())

    block = 2 * (16 * 16 * 9 + 16)
    assert size(0) - size(1) == size(3) - size(4) == 2 * block


def test_unit_noise_is_seeded_and_scaled() -> None:
    network = tiny("unit").eval()
    x = images()

    def noisy(seed: int, temperature: float = 1.0) -> Tensor:
        return network.translate(x, noise=torch.Generator().manual_seed(seed), temperature=temperature)

    plain = network.translate(x)
    assert torch.equal(noisy(1), noisy(1))
    assert not torch.equal(noisy(1), noisy(2))
    assert torch.equal(noisy(1, 0.0), plain)
    assert (noisy(1, 0.1) - plain).abs().mean() < (noisy(1) - plain).abs().mean()


def munit_and_content() -> tuple[MUNIT, Tensor]:
    network: MUNIT = tiny("munit").eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        if "mlp" in name:
            parameter.mul_(2)  # styles must show at random weights
    return network, network.encode(images(2))


def test_styles_meet_contents() -> None:
    network, content = munit_and_content()
    styles = network.sample_styles(2, torch.Generator().manual_seed(0))
    both = network.decode(content, "A2B", styles)
    torch.testing.assert_close(both[:1], network.decode(content[:1], "A2B", styles[0]), atol=1e-5, rtol=1e-4)
    assert network.decode(content[:1], "A2B", styles.repeat(3, 1)).shape == (6, 3, 32, 48)
    assert network.decode(content, "A2B", styles[:1]).shape == (2, 3, 32, 48)
    zero = torch.zeros(8)
    assert torch.equal(network.decode(content), network.decode(content, "A2B", zero))
    seeded = [network.decode(content, noise=torch.Generator().manual_seed(i)) for i in (0, 0, 1)]
    assert torch.equal(seeded[0], both)
    assert torch.equal(seeded[0], seeded[1])
    assert not torch.equal(seeded[0], seeded[2])
    cold = network.decode(content, noise=torch.Generator().manual_seed(0), temperature=0.0)
    assert torch.equal(cold, network.decode(content))


def test_a_style_that_does_not_fit_is_a_sentence() -> None:
    network, content = munit_and_content()
    with pytest.raises(ShapeError, match="8 numbers, not 5"):
        network.decode(content, "A2B", torch.zeros(5))
    with pytest.raises(ShapeError, match="3 styles do not go with 2"):
        network.decode(content, "A2B", torch.zeros(3, 8))
    with pytest.raises(DirectionError, match="'C'"):
        network.encode_style(images(), "C")
    with pytest.raises(ShapeError, match="16 pixels a side, not 8×8"):
        network.encode_style(images(1, 8, 8), "A")


def test_style_codes() -> None:
    network, _ = munit_and_content()
    assert network.encode_style(images(3), "A").shape == (3, 8)
    first, again = (network.sample_styles(4, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == (4, 8)


def test_threads_do_not_mix_their_styles() -> None:
    network, content = munit_and_content()
    styles = network.sample_styles(8)
    serial = [network.decode(content, "A2B", style) for style in styles]
    assert all(not torch.equal(serial[0], other) for other in serial[1:])
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            together = list(pool.map(lambda style: network.decode(content, "A2B", style), styles))
            assert all(torch.equal(x, y) for x, y in zip(serial, together, strict=True))


def test_layer_norm_by_hand() -> None:
    norm = LayerNorm(2)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, 2.0]))
        norm.bias.copy_(torch.tensor([0.0, 1.0]))
    x = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 1, 2)
    deviation = (5 / 3) ** 0.5 + 1e-5  # unbiased: divided by 4 - 1
    expected = torch.tensor([-1.5 / deviation, -0.5 / deviation, 1 + 1 / deviation, 1 + 3 / deviation])
    torch.testing.assert_close(norm(x).flatten(), expected)


def by_standardise(x: Tensor, dims: tuple[int, ...], unbiased: bool) -> Tensor:
    return Standardise.apply(x, dims, unbiased)


def by_kernels(x: Tensor, dims: tuple[int, ...], unbiased: bool) -> Tensor:
    return KernelStandardise.apply(x)


@pytest.mark.parametrize(
    ("norm", "dims", "unbiased"),
    [(by_standardise, (2, 3), False), (by_standardise, (1, 2, 3), True), (by_kernels, (2, 3), False)],
)
def test_the_quick_norm_and_its_gradient_are_those_of_the_formula(
    norm: Callable[..., Tensor], dims: tuple[int, ...], unbiased: bool
) -> None:
    x = (torch.randn(2, 3, 5, 4) * 3 + 1).requires_grad_()
    exact = x.detach().double().requires_grad_()
    variance, mean = torch.var_mean(exact, dims, keepdim=True, correction=int(unbiased))
    epsilon = Standardise.EPSILON
    wanted = (exact - mean) / (variance.sqrt() + epsilon if unbiased else (variance + epsilon).sqrt())
    found = norm(x, dims, unbiased)
    torch.testing.assert_close(found.double(), wanted, atol=1e-6, rtol=1e-5)
    gradient = torch.randn(x.shape)
    found.backward(gradient)
    wanted.backward(gradient.double())
    torch.testing.assert_close(x.grad.double(), exact.grad, atol=1e-6, rtol=1e-5)
    flat = torch.full((1, 3, 4, 4), 0.7, requires_grad=True)
    (norm(flat, dims, unbiased) * torch.randn(1, 3, 4, 4)).sum().backward()
    assert flat.grad is not None and not flat.grad.any()


@pytest.mark.parametrize("method", ["unit", "munit"])
def test_white_crops_give_no_steep_gradients_where_gpus_train(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They reached 1e23 here, whose square Adam keeps as infinity: such a weight never moves again."""
    monkeypatch.setattr(layers, "_on_cpu_and_untraced", lambda x: False)
    monkeypatch.setattr(layers.Standardise, "apply", lambda x, dims, unbiased: KernelStandardise.apply(x))
    torch.manual_seed(0)
    network = tiny(method, blocks=3)
    white = torch.ones(1, 3, 32, 32)
    objective = METHODS[method].Objective()
    losses = objective.generator_loss(network.discriminators(), white, white, objective.outputs(network, white, white))
    torch.stack(list(losses.values())).sum().backward()
    steepest = [float(p.grad.abs().max()) for p in network.parameters() if p.grad is not None]
    assert max(steepest) < 1e6


@pytest.mark.parametrize(("height", "width"), [(2, 3), (9, 6)])
def test_enlarging_at_the_small_size_gives_the_same_values_and_gradients(height: int, width: int) -> None:
    layer, plain = UpsampleReflectConv(6, 5), nn.Conv2d(6, 5, 5)
    plain.load_state_dict(layer.state_dict())
    x, slope = torch.randn(2, 6, height, width), torch.randn(2, 5, 2 * height, 2 * width)

    def run(function: Any, weights: nn.Conv2d) -> list[Tensor]:
        inputs = x.clone().requires_grad_()
        result = function(inputs)
        return [result, *torch.autograd.grad(result, [inputs, *weights.parameters()], slope)]

    wanted = run(lambda x: plain(F.pad(F.interpolate(x, scale_factor=2.0), (2, 2, 2, 2), mode="reflect")), plain)
    for ours, theirs in zip(run(layer, layer), wanted, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, on Python's view of shapes
        for module in (layer, layer.plain, torch.jit.trace(layer, torch.randn(1, 6, 4, 4))):
            torch.testing.assert_close(module(x), wanted[0], atol=1e-4, rtol=1e-4)


def test_a_draft_has_half_the_size_and_the_colours_and_places_of_the_picture() -> None:
    network, content = munit_and_content()
    style = network.sample_styles(2, torch.Generator().manual_seed(0))
    for direction in network.directions:
        picture = network.decode(content, direction, style)
        draft = network.draft_decoder(direction)(content, style)
        small = F.avg_pool2d(picture, 2)
        assert draft.shape == small.shape
        assert (draft - small).abs().mean() < 0.5 * (small - small.mean((2, 3), keepdim=True)).abs().mean()
        assert (draft - small).mean((2, 3)).abs().max() < 0.1
    layer, x = UpsampleReflectConv(6, 5), torch.randn(2, 6, 5, 4)
    means = F.avg_pool2d(layer(x), 2)
    torch.testing.assert_close(layer.halved(x)[..., 1:-1, 1:-1], means[..., 1:-1, 1:-1], atol=1e-5, rtol=1e-4)
    assert all(tiny(name).draft_decoder("A2B") is None for name in METHODS if name != "munit")


def test_discriminator_of_several_scales() -> None:
    discriminator = MultiScalePatchGAN(3, 4, layers=3, scales=2)
    assert [tuple(y.shape) for y in discriminator(images(1, 64, 32))] == [(1, 1, 8, 4), (1, 1, 4, 2)]
    with pytest.raises(ShapeError, match="at least 16 pixels a side, not 8×32"):
        discriminator(images(1, 8, 32))


def test_networks_are_the_papers_by_default() -> None:
    unets = [m for m in METHODS["discogan"]().modules() if isinstance(m, UNet)]
    assert len(unets) == 2
    millions = {
        method: [round(sum(p.numel() for p in m.parameters()) / 1e6, 2) for m in (network, network.discriminators())]
        for method, network in ((name, cls()) for name, cls in METHODS.items() if name in ("cyclegan", "munit"))
    }
    # Twice the 11.378 M and 2.765 M that public CycleGAN code prints, the 15.03 M and 8.27 M of public MUNIT code.
    assert millions["cyclegan"] == [22.76, 5.53]
    assert millions["munit"] == [30.05, 16.54]


def test_pool_keeps_fakes_and_shows_them_later() -> None:
    pool = ImagePool(capacity=4)
    fresh = [torch.full((2, 3, 2, 2), float(i)) for i in range(40)]
    assert torch.equal(pool(fresh[0]), fresh[0])
    assert torch.equal(pool(fresh[1]), fresh[1])
    shown = torch.cat([pool(x) for x in fresh[2:]])[:, 0, 0, 0]
    now = torch.arange(2, 40).repeat_interleave(2)
    share = (shown != now).float().mean().item()
    assert 0.3 < share < 0.7
    assert (shown <= now).all()
    assert len(pool.images) == 4


def test_pool_is_state_that_comes_back() -> None:
    pool, other = ImagePool(capacity=3), ImagePool(capacity=3)
    for i in range(5):
        pool(torch.full((2, 3, 2, 2), float(i)))
    other.load_state_dict(pool.state_dict())
    x = torch.full((2, 3, 2, 2), 9.0)
    results = []
    for p in (pool, other):
        torch.manual_seed(4)
        results.append((p(x), p.images))
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))
    bigger = torch.zeros(2, 3, 4, 4)
    assert torch.equal(pool(bigger), bigger)  # a pool of other sizes starts anew


def test_every_method_names_itself() -> None:
    for name, cls in METHODS.items():
        assert issubclass(cls, TranslationNetwork) and issubclass(cls, nn.Module)
        assert cls.method == name
        assert (cls.__doc__ or "").endswith(".")
