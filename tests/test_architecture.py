"""The house as docs/architecture.md describes it: no import circles, arrows one way, lists that are true."""

import ast
import importlib.util
import re
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from PIL import Image

import i2i_models as i2i
from i2i_models.networks.methods import METHODS
from train import __main__ as commands
from train.evaluation.evaluate import evaluate
from ui.answers import Answers
from ui.catalog import Catalog
from ui.errors import sentences
from ui.payload import to_data_url
from ui.tabs import TABS

PACKAGES = ("i2i_models", "ui", "train")
TOY = '''
import dataclasses

from torch import nn
from torch.nn import functional as F

from i2i_models.checkpoints import NetworkConfig
from i2i_models.networks.losses import GanLoss, discriminator_loss, generator_adversarial_loss
from i2i_models.networks.network import TranslationNetwork


@dataclasses.dataclass(frozen=True)
class ToyConfig(NetworkConfig):
    """Architecture of the toy."""

    kernel: int = 1
    """Side of its only convolution."""


@dataclasses.dataclass(frozen=True)
class ToyObjective:
    """Adversarial, and there and back."""

    gan: GanLoss = "least_squares"
    """The adversarial loss."""
    lambda_cycle: float = 10.0
    """Weight of the cycles."""

    def outputs(self, network, a, b):
        fake_b, fake_a = network.translate(a, "A2B"), network.translate(b, "B2A")
        back = {"cycle_a": network.translate(fake_b, "B2A"), "cycle_b": network.translate(fake_a, "A2B")}
        return {"fake_a": fake_a, "fake_b": fake_b, **back}

    def discriminator_loss(self, discriminators, a, b, outputs):
        return discriminator_loss(discriminators, a, b, outputs["fake_a"], outputs["fake_b"], self.gan)

    def generator_loss(self, discriminators, a, b, outputs):
        cycle = F.l1_loss(outputs["cycle_a"], a) + F.l1_loss(outputs["cycle_b"], b)
        gan = generator_adversarial_loss(discriminators, outputs["fake_a"], outputs["fake_b"], self.gan)
        return {"gan": gan, "cycle": self.lambda_cycle * cycle}


class Toy(TranslationNetwork):
    """One convolution a direction."""

    method, title, paired = "toy", "Toy", False
    Config, Objective = ToyConfig, ToyObjective

    def __init__(self, config=None):
        super().__init__()
        self.config = config or ToyConfig()
        self.directions, self.multiple = ("A2B", "B2A"), 1
        side = self.config.kernel
        self.generators = nn.ModuleDict({d: nn.Conv2d(3, 3, side, padding="same") for d in self.directions})

    def decoder(self, direction):
        return nn.Sequential(self.generators[direction], nn.Tanh())

    def discriminators(self):
        return nn.ModuleDict({k: nn.Conv2d(3, 1, 4, 2, 1) for k in "AB"})
'''


def imports(path: Path) -> set[str]:
    """The modules that a file imports anywhere in it, as dotted names; relative ones made absolute."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    package = module.removesuffix(".__init__") if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def arrows() -> dict[str, set[str]]:
    """Module → the modules of this project that it imports; a package stands for its `__init__`."""
    files = {path: path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    files[ROOT / "app.py"] = Path("app.py")
    names = {path: ".".join(name.with_suffix("").parts).removesuffix(".__init__") for path, name in files.items()}
    known = set(names.values())
    # `from package import module` is an arrow to the module, not to the package.
    return {
        name: {
            t for t in imports(path) & known - {name} if not any(o.startswith(f"{t}.") for o in imports(path) & known)
        }
        for path, name in names.items()
    }


def test_no_import_leads_back_to_where_it_came_from() -> None:
    graph = arrows()
    assert len(graph) > 60
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " → ".join((*way[way.index(module) :], module))
        if module not in done:
            for target in sorted(graph[module]):
                visit(target, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_arrows_run_from_the_page_and_the_training_to_the_models_alone() -> None:
    allowed = {"app": {"app", "ui", "i2i_models"}, "ui": {"ui", "i2i_models"}, "train": {"train", "i2i_models"}}
    for module, targets in arrows().items():
        package = module.partition(".")[0]
        reached = {target.partition(".")[0] for target in targets}
        assert reached <= allowed.get(package, {"i2i_models"}), module
    models = (ROOT / "i2i_models").rglob("*.py")
    assert not [path for path in models if any(name.startswith("gradio") for name in imports(path))]


def test_the_architecture_page_names_files_that_there_are() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml))`", page))
    assert len(named) > 40
    templates = {name for name in named if "NAME" in name}
    assert not [name for name in sorted(named - templates) if not (ROOT / name).exists()]


def test_every_python_that_the_project_takes_is_tried() -> None:
    """From the oldest that pyproject.toml takes, each in the workflow's list; linters read the code as the oldest."""
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (oldest,) = re.findall(r'^requires-python = ">=3\.(\d+)"$', settings, re.M)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    tried = [int(name.removeprefix("3.")) for name in workflow["jobs"]["test"]["strategy"]["matrix"]["python"]]
    assert tried == list(range(int(oldest), tried[-1] + 1)) and tried[-1] >= max(14, sys.version_info.minor)
    assert f'target-version = "py3{oldest}"' in settings and f'python_version = "3.{oldest}"' in settings


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The list "to add a method": its file, and its class in the list of methods."""
    path = tmp_path / "toy_method.py"
    path.write_text(TOY)
    spec = importlib.util.spec_from_file_location("toy_method", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "toy_method", module)
    spec.loader.exec_module(module)
    monkeypatch.setitem(METHODS, "toy", module.Toy)
    return "toy"


def test_a_method_added_by_the_list_is_trained_saved_loaded_and_served(
    toy: str, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoints" / "boxes"
    monkeypatch.setattr(commands, "keep_freed_memory", lambda: None)  # of the whole test process
    options = ["--size", "32", "--steps", "3", "--batch-size", "2", "--kind-a", "outline", "--lambda-cycle", "5"]
    paths = ["--data", str(pairs), "--output", str(folder), "--run", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", ["train", toy, *paths, *options])
    commands.main()
    info = i2i.load(folder).info
    assert (info.method, info.training["objective.lambda_cycle"], info.training["network.kernel"]) == (toy, 5.0, 1)
    assert METHODS[toy].from_pretrained(folder).config == METHODS[toy].Config()
    catalog = Catalog(folder.parent)
    assert [tab.name for tab in TABS if tab.models(catalog)] == ["unpaired", "compare"]
    drawing = to_data_url(Image.new("RGB", (32, 32), "white"))
    answer = sentences(Answers(catalog).translate)({"checkpoint": "boxes", "direction": "B2A", "image": drawing})
    assert answer["image"].startswith("data:image/jpeg;base64,")
    evaluate(folder, str(pairs))
    assert "Toy" in i2i.load(folder).card and "round trip" in (folder / "metrics.json").read_text()
