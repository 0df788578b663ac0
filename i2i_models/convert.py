"""Public weights in: the layouts of pytorch-CycleGAN-and-pix2pix and of NVlabs' MUNIT and UNIT → our checkpoints.

Layouts are recognised by their names and shapes alone. Both sides list their layers in the order
in which an image passes them, so layers are matched by their place and compared by their shape.
"""

import dataclasses
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro
from torch import Tensor, nn

from . import checkpoints
from .errors import CheckpointError
from .networks.cyclegan import CycleGAN, CycleGANConfig
from .networks.layers import Norm
from .networks.munit import MUNIT, MUNITConfig
from .networks.network import TranslationNetwork
from .networks.patchgan import MultiScalePatchGAN, PatchGAN
from .networks.pix2pix import Pix2Pix, Pix2PixConfig
from .networks.unit import UNIT, UNITConfig

Layout = Literal["cyclegan-and-pix2pix", "munit", "unit"]
State = Mapping[str, Any]
Layers = dict[str, dict[str, Tensor]]
"""Tensors by layer and by their name in it, in the order of the forward pass."""


def convert(
    layout: Annotated[Layout, tyro.conf.arg(name="from")],
    weights: tyro.conf.Positional[Path],
    output: Path,
    second: Path | None = None,
    discriminator: Path | None = None,
    norm: Norm | None = None,
    size: int | None = None,
    name_a: str = "A",
    name_b: str = "B",
) -> None:
    """Make a checkpoint of weights that public code saved.

    Nothing in the weights' file is executed. Depth, width, blocks and norm are read off the tensors.

    Args:
        layout: the code that saved them; its `latest_net_G*.pth`, or its `gen_*.pt`.
        weights: the generator: A → B where it has one direction.
        output: the checkpoint folder to write; its weights keep their full precision.
        second: CycleGAN's other generator, B → A; without it the checkpoint translates A → B only.
        discriminator: the discriminator of a U-Net (`latest_net_D.pth`) or of MUNIT or UNIT (`dis_*.pt`).
        norm: the layers' norm, if what the tensors suggest is wrong; batch_statistics for batch norms that were always
            run by each picture's own statistics.
        size: side of the square images it was trained at; by default what the U-Net's depth says, else 256.
        name_a: what domain A shows.
        name_b: what domain B shows.

    Raises:
        CheckpointError: the file is something else, says what was found and what was expected.
    """
    if (output / checkpoints.CONFIG).exists():
        raise CheckpointError(f"{output} holds a checkpoint already: choose another --output.")
    state = read_weights(weights)
    judge = None if discriminator is None else read_weights(discriminator)
    network: TranslationNetwork
    if layout == "cyclegan-and-pix2pix":
        other = None if second is None else read_weights(second)
        network, trained = from_cyclegan_and_pix2pix(state, norm, other, judge)
    elif second is not None or norm is not None:
        raise CheckpointError(f"--second and --norm are of no use with --from {layout}: its files need neither.")
    else:
        network, trained = (from_munit if layout == "munit" else from_unit)(state, judge)
    side = size or min(network.multiple if isinstance(network, Pix2Pix) else 256, 4096)
    domains = {"A": checkpoints.Domain(name_a), "B": checkpoints.Domain(name_b)}
    source = {"converted_from": layout, "file": weights.name}
    info = checkpoints.Info(output.name, f"{name_a} → {name_b}", network.method, side, domains, source)
    checkpoints.save(output, network, info, trained, precision=torch.float32)
    print(f"Wrote {output}: {network.title}, {' and '.join(network.directions)}, {network.config}.")
    if norm is None and getattr(network.config, "norm", None) == "batch":
        print(
            "It has batch norms, which use the statistics that the training kept. Public code, unless run with --eval, "
            "uses each picture's own: if the results look wrong, convert with --norm batch_statistics."
        )


def read_weights(path: Path) -> State:
    """The tensors of a file that `torch.save` wrote; any other object in it is refused before it is made.

    Raises:
        CheckpointError: not there, damaged, or not only tensors.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist: check the path.") from None
    except pickle.UnpicklingError:
        raise CheckpointError(f"{path} is damaged or asks to run code: only plain weights are read.") from None
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} cannot be read as saved weights ({type(error).__name__}).") from None
    if not isinstance(state, Mapping) or not state:
        raise CheckpointError(f"{path} holds a {type(state).__name__}, but a state dict was expected.")
    return state


def from_cyclegan_and_pix2pix(
    state: State, norm: Norm | None = None, second: State | None = None, discriminator: State | None = None
) -> tuple[Pix2Pix | CycleGAN, nn.Module | None]:
    """A U-Net becomes pix2pix, a residual generator CycleGAN; with them pix2pix's discriminator.

    Raises:
        CheckpointError: neither of these; or files that do not go together.
    """
    layers = layers_of(state)
    if any(".conv_block." in name for name in layers):
        if discriminator is not None:
            raise CheckpointError("--discriminator goes with a U-Net, MUNIT or UNIT, not with a residual generator.")
        return _cyclegan(layers, norm, None if second is None else layers_of(second)), None
    if any(name.startswith("model.model.") for name in layers):
        if second is not None:
            raise CheckpointError("--second goes with a residual generator: pix2pix translates A → B only.")
        return _pix2pix(layers, norm, discriminator)
    raise _unexpected(layers, "a U-Net (model.model.0 …) or a residual generator (model.10.conv_block …)")


def _pix2pix(layers: Layers, norm: Norm | None, discriminator: State | None) -> tuple[Pix2Pix, PatchGAN | None]:
    convs = _convs(layers)
    if len(convs) < 4 or len(convs) % 2:
        raise _unexpected(layers, "a U-Net with as many convolutions down as up, two at least")
    judge = None if discriminator is None else patchgan_from(discriminator, 6)
    config = Pix2PixConfig(
        base_width=len(convs[0]), depth=len(convs) // 2, norm=norm or _norm(layers), last_layer="transposed"
    )
    if judge is not None:
        config = dataclasses.replace(config, **judge[1])
    config.check()
    network = Pix2Pix(config)
    fill(list(network.generator.modules()), layers)
    return network, judge and judge[0]


def patchgan_from(state: State, channels: int, norm: Norm | None = None) -> tuple[PatchGAN, dict[str, Any]]:
    """A PatchGAN on `channels` channels from its public layout, and the fields of a config that describe it.

    Raises:
        CheckpointError: it is something else.
    """
    layers = layers_of(state)
    convs = _convs(layers)
    if len(convs) < 3 or not all(re.fullmatch(r"model\.\d+", name) for name in layers):
        raise _unexpected(layers, "a PatchGAN (model.0, model.2, …)")
    fields: dict[str, Any] = {
        "discriminator_width": len(convs[0]),
        "discriminator_layers": len(convs) - 2,
        "discriminator_norm": norm or _norm(layers),
    }
    model = PatchGAN(channels, *fields.values())
    fill(list(model.modules()), layers)
    return model, fields


def _cyclegan(layers: Layers, norm: Norm | None, second: Layers | None) -> CycleGAN:
    convs = _convs(layers)
    blocks = sum(".conv_block." in name and layer["weight"].dim() == 4 for name, layer in layers.items()) // 2
    config = CycleGANConfig(
        base_width=len(convs[0]),
        downs=(len(convs) - 2 - 2 * blocks) // 2,
        blocks=blocks,
        norm=norm or _norm(layers),
        one_way=second is None,
    )
    config.check()
    network = CycleGAN(config)
    fill(list(network.generators["A2B"].modules()), layers)
    if second is not None:
        fill(list(network.generators["B2A"].modules()), second)
    return network


def from_munit(state: State, discriminator: State | None = None) -> tuple[MUNIT, nn.Module | None]:
    """MUNIT from `gen_*.pt`, its discriminators from `dis_*.pt`.

    Raises:
        CheckpointError: it is something else, or a domain is missing.
    """
    domains = _domains(state, ("enc_style", "enc_content", "dec", "mlp"))
    layers = domains["A"]
    style, content = _convs(layers, "enc_style."), _convs(layers, "enc_content.")
    mlp = [layer["weight"] for name, layer in layers.items() if name.startswith("mlp.")]
    downs = sum(w.shape[-1] == 4 for w in content)
    judges, sizes = _judges(discriminator)
    config = MUNITConfig(
        base_width=len(content[0]),
        style_dim=len(style[-1]),
        downs=downs,
        style_downs=len(style) - 2,
        blocks=(len(content) - 1 - downs) // 2,
        mlp_width=len(mlp[0]),
        **sizes,
    )
    config.check()
    network = MUNIT(config)
    for key, layers in domains.items():
        decoder = network.decoders[key]
        fill(list(network.style_encoders[key].modules()), _part(layers, "enc_style."))
        fill(list(network.content_encoders[key].modules()), _part(layers, "enc_content."))
        fill(list(decoder.mlp.modules()), _part(layers, "mlp."))  # type: ignore[union-attr]
        fill([*decoder.blocks.modules(), *decoder.enlarger.modules()], _part(layers, "dec."))  # type: ignore[union-attr]
    return network, judges


def from_unit(state: State, discriminator: State | None = None) -> tuple[UNIT, nn.Module | None]:
    """UNIT from `gen_*.pt`, whose code shares no blocks and uses ReLU; its discriminators from `dis_*.pt`.

    Raises:
        CheckpointError: it is something else, or a domain is missing.
    """
    domains = _domains(state, ("enc", "dec"))
    convs = _convs(domains["A"], "enc.")
    downs = sum(w.shape[-1] == 4 for w in convs)
    blocks = (len(convs) - 1 - downs) // 2
    judges, sizes = _judges(discriminator)
    config = UNITConfig(
        base_width=len(convs[0]), downs=downs, blocks=blocks, shared_blocks=0, activation="relu", **sizes
    )
    config.check()
    network = UNIT(config)
    for key, layers in domains.items():
        fill(list(network.encoders[key].modules()), _part(layers, "enc."))
        fill(list(network.decoders[key].modules()), _part(layers, "dec."))
    return network, judges


def _judges(state: State | None) -> tuple[nn.ModuleDict | None, dict[str, int]]:
    if state is None:
        return None, {}
    if not {"a", "b"} <= set(state):
        raise _unexpected(state, "the discriminators of two domains, 'a' and 'b'")
    (a, sizes), (b, _) = multi_scale_from(state["a"]), multi_scale_from(state["b"])
    return nn.ModuleDict({"A": a, "B": b}), sizes


def multi_scale_from(state: State) -> tuple[MultiScalePatchGAN, dict[str, int]]:
    """A multi-scale discriminator of one domain from its public layout, and the fields that describe it.

    Raises:
        CheckpointError: it is something else.
    """
    layers = layers_of(state)
    if not all(re.match(r"cnns\.\d+\.", name) for name in layers):
        raise _unexpected(layers, "a multi-scale discriminator (cnns.0.0.conv …)")
    scales = len({name.split(".")[1] for name in layers})
    convs = _convs(layers, "cnns.0.")
    model = MultiScalePatchGAN(3, len(convs[0]), len(convs) - 1, scales)
    fill(list(model.modules()), layers)
    sizes = {"width": len(convs[0]), "layers": len(convs) - 1, "scales": scales}
    return model, {f"discriminator_{name}": value for name, value in sizes.items()}


def layers_of(state: State) -> Layers:
    """Group tensors by layer, in the order of the forward pass, which is that of the numbers in their names.

    Leaves out DataParallel's `module.` and the statistics that old instance norms saved and never used.

    Raises:
        CheckpointError: something in it is no tensor.
    """
    layers: Layers = {}
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise CheckpointError(f"{name} is a {type(value).__name__}, but a tensor was expected.")
        layer, _, leaf = str(name).removeprefix("module.").rpartition(".")
        layers.setdefault(layer, {})[{"gamma": "weight", "beta": "bias"}.get(leaf, leaf)] = value
    return {name: layers[name] for name in sorted(layers, key=_natural) if "weight" in layers[name]}


def _natural(name: str) -> list[tuple[bool, int, str]]:
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in name.split(".")]


def fill(modules: list[nn.Module], layers: Layers) -> None:
    """Copy public layers into those of `modules` that have tensors of their own, place by place.

    Raises:
        CheckpointError: names the first layer whose number, tensors or shapes differ.
    """
    ours = [m for m in modules if any(True for _ in m.parameters(recurse=False))]
    if len(ours) != len(layers):
        raise _unexpected(layers, f"{len(ours)} layers, and there are {len(layers)}")
    for module, (name, layer) in zip(ours, layers.items(), strict=True):
        wanted = module.state_dict()
        if "bias" in wanted and "bias" not in layer:  # no norm: public code then leaves biases out
            layer = {**layer, "bias": torch.zeros_like(wanted["bias"])}
        if isinstance(module, nn.InstanceNorm2d):  # a batch norm that is to go without the statistics it kept
            layer = {leaf: value for leaf, value in layer.items() if leaf in wanted}
        if set(layer) - {"num_batches_tracked"} != set(wanted) - {"num_batches_tracked"}:
            raise CheckpointError(f"{name} has {', '.join(layer)}, but {', '.join(wanted)} were expected.")
        for leaf, value in layer.items():
            if value.shape != wanted[leaf].shape:
                found, expected = tuple(value.shape), tuple(wanted[leaf].shape)
                raise CheckpointError(f"{name}.{leaf} has shape {found}, but {expected} was expected.")
        module.load_state_dict({**wanted, **layer})


def _convs(layers: Layers, prefix: str = "") -> list[Tensor]:
    return [v["weight"] for k, v in layers.items() if k.startswith(prefix) and v["weight"].dim() == 4]


def _part(layers: Layers, prefix: str) -> Layers:
    return {name: layer for name, layer in layers.items() if name.startswith(prefix)}


def _norm(layers: Layers) -> Norm:
    if any("running_mean" in layer for layer in layers.values()):
        return "batch"
    # Public code gives convolutions before an instance norm a bias, and none to those before no norm.
    inner = next(layer for layer in list(layers.values())[1:] if layer["weight"].dim() == 4)
    return "instance" if "bias" in inner else "none"


def _domains(state: State, parts: tuple[str, ...]) -> dict[str, Layers]:
    """The layers of both domains of an NVlabs generator file, which must have exactly these parts."""
    wanted = f"'a' and 'b', each with {', '.join(parts)}"
    if not isinstance(state.get("a"), Mapping) or not isinstance(state.get("b"), Mapping):
        raise _unexpected(state, wanted)
    domains = {"A": layers_of(state["a"]), "B": layers_of(state["b"])}
    for layers in domains.values():
        if {name.partition(".")[0] for name in layers} != set(parts):
            raise _unexpected(layers, wanted)
    return domains


def _unexpected(found: Mapping[str, Any], wanted: str) -> CheckpointError:
    names = list(map(str, found))
    some = ", ".join(names[:3]) + (f", … {len(names)} in all" if len(names) > 3 else "") or "nothing"
    return CheckpointError(f"The weights hold {some}; expected was {wanted}.")
