"""Each method learns a toy task that only works if it is right."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor
from toys import bright, coloured, dark, inner_colour, inverted, learn

from i2i_models.networks.methods import METHODS
from i2i_models.networks.munit import MUNIT, MUNITConfig, MUNITObjective

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """Networks this small gain nothing by a second thread, and reach the same weights on every machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("method", "network", "losses"),
    [
        ("discogan", {"base_width": 16, "depth": 3, "discriminator_layers": 2}, {"gan": "least_squares"}),
        ("cyclegan", {"base_width": 8, "downs": 1, "blocks": 2, "discriminator_layers": 2}, {"lambda_identity": 0.0}),
        ("unit", {"base_width": 8, "downs": 1, "blocks": 2, "discriminator_layers": 3}, {}),
    ],
)
def test_colours_are_inverted_without_a_pair(method: str, network: dict[str, Any], losses: dict[str, Any]) -> None:
    cls = METHODS[method]
    model = cls(cls.Config(**network, discriminator_width=16))  # type: ignore[call-arg]
    learn(model, cls.Objective(**losses), lambda: (dark(4), inverted(4)), steps=300)
    a, b = dark(32), inverted(32)
    with torch.no_grad():
        fake_b, fake_a = model.translate(a, "A2B"), model.translate(b, "B2A")
        back_a, back_b = model.translate(fake_b, "B2A"), model.translate(fake_a, "A2B")
    assert distance(a, -a) > 1.3
    assert distance(fake_b, -a) < 0.2
    assert distance(fake_a, -b) < 0.2
    assert distance(back_a, a) < 0.2
    assert distance(back_b, b) < 0.2


def distance(x: Tensor, y: Tensor) -> float:
    return (x - y).abs().mean().item()


def test_munit_carries_colour_in_the_style() -> None:
    network = MUNIT(
        MUNITConfig(
            base_width=8, style_dim=2, downs=1, style_downs=2, blocks=2, mlp_width=32,
            discriminator_width=16, discriminator_layers=3, discriminator_scales=1,
        )
    )  # fmt: skip
    learn(network, MUNITObjective(lambda_cycle=10), lambda: (bright(4), coloured(4)), steps=400)
    shapes, examples = bright(16), coloured(16)
    styles = network.sample_styles(8)
    with torch.no_grad():
        content = network.encode(shapes)
        drawn = [network.decode(content, "A2B", style) for style in styles]
        guided = network.decode(content, "A2B", network.encode_style(examples, "B"))
        path = [network.decode(content, "A2B", torch.lerp(styles[0], styles[1], t)) for t in torch.linspace(0, 1, 33)]
        back = network.decode(network.encode(drawn[0], "B2A"), "B2A", network.encode_style(shapes, "A"))
    colours = torch.stack([inner_colour(x, shapes) for x in drawn])  # (styles, shapes, 3)

    assert colours.mean(1).std(0).mean() > 0.25, "different styles give different colours"
    assert colours.std(1).mean() < 0.1, "the same style gives the same colour on every shape"
    own = distance(inner_colour(guided, shapes), inner_colour(examples, examples))
    others = distance(inner_colour(guided, shapes), inner_colour(examples, examples).roll(1, 0))
    assert own < 0.65 * others, "an example gives its own colour"
    assert distance(back, shapes) < 0.2, "there and back in its own style"

    steps = [distance(x, y) for x, y in itertools.pairwise(path)]
    assert distance(path[0], path[-1]) > 0.02
    assert max(steps) < 0.25 * sum(steps), "no jump on the way from one style to another"
