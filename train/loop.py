"""The loop that trains every method: one discriminator step, one generator step, everything else around them."""

import contextlib
import dataclasses
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader
from tqdm import tqdm

from i2i_models import checkpoints
from i2i_models.checkpoints import Domain
from i2i_models.checkpoints.styles import save_styles
from i2i_models.errors import I2IError, TrainingError
from i2i_models.hub import is_hub_id
from i2i_models.hub.push import check_login, check_name
from i2i_models.images.palettes import read_palette
from i2i_models.images.tensors import from_bytes
from i2i_models.networks.losses import negative_start_loss
from i2i_models.networks.methods import METHODS
from i2i_models.networks.network import TranslationNetwork
from i2i_models.networks.objective import Losses, Objective, Outputs

from .card import write_card
from .data import Stream, Translations, find
from .grids import save_grid
from .options import Augment, Job, Options
from .precision import use_bfloat16
from .push import Pusher
from .state import load_state, save_state, start_from
from .styles import find_styles

CHECK_EVERY = 10
"""Steps between looks at the losses: each look waits for the device."""


class GeneratorStep(nn.Module):
    """Wraps what needs gradients in the generators, so that gradients are averaged over processes around it."""

    def __init__(self, network: TranslationNetwork, objective: Objective) -> None:
        super().__init__()
        self.network, self.objective = network, objective

    def forward(self, a: Tensor, b: Tensor) -> Outputs:
        return self.objective.outputs(self.network, a, b)


class DiscriminatorStep(nn.Module):
    """The same for the discriminators."""

    def __init__(self, discriminators: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.discriminators, self.objective = discriminators, objective

    def forward(self, a: Tensor, b: Tensor, outputs: Outputs) -> Losses:
        return self.objective.discriminator_loss(self.discriminators, a, b, outputs)


def train(method: str, job: Job) -> None:
    """Train a method from options to an exported checkpoint.

    Raises:
        I2IError: bad data or options, a loss that is no number, a state that cannot be saved or resumed.
    """
    Trainer(method, job).run()


class Trainer:
    """One run: built from its options alone, or from them and the last saved state."""

    def __init__(self, method: str, job: Job) -> None:
        self.method, self.job, self.options = METHODS[method], job, job.options
        check_options(self.options)
        if self.method.paired and self.options.negative_steps:
            raise TrainingError(f"{self.method.title} learns from pairs: leave --negative-steps out.")
        self.accelerator = Accelerator(
            mixed_precision="bf16" if use_bfloat16(self.options.precision) else "no",
            log_with="tensorboard",
            project_dir=self.options.run_folder,
        )
        if self.options.batch_size % self.accelerator.num_processes:
            raise TrainingError(
                f"--batch-size {self.options.batch_size} cannot be shared by "
                f"{self.accelerator.num_processes} processes."
            )
        self.data = self._read("train", self.job.augment, self.options.cache_gb, minimum=2)
        self.samples = self._fixed_samples()
        self._build()
        self.step = 0
        self.stopping = False
        self.pusher: Pusher | None = None
        if self.options.push_to_hub and self.accelerator.is_main_process:
            scratch = self.options.run_folder / "push"
            self.pusher = Pusher(self.options.push_to_hub, self.options.push_private, scratch)
        if self.options.resume:
            self._restore()

    def _read(self, split: str, varied: Augment | None = None, cache_gb: float = 0, minimum: int = 1) -> Translations:
        o = self.options
        sources = find(o.data, split)
        if o.direction == "B2A":
            sources = dataclasses.replace(sources, a=sources.b, b=sources.a)
        if self.method.paired and not sources.paired:
            raise TrainingError(
                f"{self.method.title} needs pairs, but {o.data} holds two folders with different names."
            )
        if not self.method.paired:
            sources = dataclasses.replace(sources, paired=False)
        nearest = (o.kind_a == "labels", o.kind_b == "labels")
        return Translations(sources, o.size, o.seed, varied, nearest, cache_gb, minimum, o.grow_by == "cropping")

    def _fixed_samples(self) -> tuple[Tensor, Tensor]:
        """Images to watch: held-out ones where the data have them."""
        for split in ("val", "test"):
            with contextlib.suppress(I2IError):
                return self._read(split).fixed(8, self.options.size)
        plain = self._read("train")
        return plain.fixed(min(8, len(plain)), self.options.size)

    def _build(self) -> None:
        o = self.options
        set_seed(o.seed)
        network = self.method(self.job.network)
        for size in (o.size, o.grow_from or o.size):
            if size % network.multiple:
                raise TrainingError(
                    f"--size {size}: {self.method.title} of these settings needs a multiple of {network.multiple}."
                )
        discriminators = network.discriminators()
        if o.start_from:
            start_from(o.start_from, network, discriminators)
        device = self.accelerator.device
        # Images are channels_last everywhere; weights are not on a CPU, where the fused Adam would copy them all.
        layout = torch.contiguous_format if device.type == "cpu" else torch.channels_last
        self.network = network.to(device).to(memory_format=layout)
        self.discriminators = discriminators.to(device).to(memory_format=layout)
        self.average = AveragedModel(self.network, multi_avg_fn=self._average, use_buffers=True)
        self.generator_step = self.accelerator.prepare_model(GeneratorStep(self.network, self.job.objective))
        self.discriminator_step = self.accelerator.prepare_model(
            DiscriminatorStep(self.discriminators, self.job.objective)
        )
        self.generator_optimizer = self._adam(self.network, o.learning_rate)
        self.discriminator_optimizer = self._adam(self.discriminators, o.learning_rate * o.discriminator_rate)

    def _adam(self, module: nn.Module, rate: float) -> torch.optim.Adam:
        o = self.options
        return torch.optim.Adam(
            module.parameters(), rate, betas=(o.beta1, 0.999), weight_decay=o.weight_decay, fused=True
        )

    @torch.no_grad()
    def _average(self, average: Any, current: Any, count: Any) -> None:
        decay = min(self.options.ema, (1 + float(count)) / (10 + float(count)))
        if average[0].is_floating_point():
            torch._foreach_lerp_(list(average), list(current), 1 - decay)
        else:  # tensors come grouped by type; batch norm counts its batches in integers
            torch._foreach_copy_(list(average), list(current))

    def run(self) -> None:
        """Train from the current step to the last, then export."""
        o = self.options
        if self.accelerator.is_main_process:
            self.accelerator.init_trackers(".")
        with self._stop_on_signals():
            self._steps()
        if self.stopping:
            self._save()
            if self.pusher:
                self.pusher.stop()
            self.accelerator.print(f"Saved at step {self.step} of {o.steps}; the same command with --resume goes on.")
            self.accelerator.end_training()
            sys.exit(130)
        self._save()
        if self.accelerator.is_main_process:
            self.export(o.output)
            if self.network.chance == "style":
                save_styles(o.output, find_styles(self.average.module, self.data, o.size))  # type: ignore[arg-type]
            print(f"Wrote {o.output}.")
            if self.pusher:
                self.pusher.finish(o.output, f"Step {self.step} of {o.steps}")
        self.accelerator.end_training()

    def _steps(self) -> None:
        o = self.options
        workers = o.workers if o.workers is not None else 4 * (self.accelerator.device.type == "cuda")
        stream = Stream(
            self.data, o.batch_size, self.size_at, self.step, o.steps,
            self.accelerator.process_index, self.accelerator.num_processes,
        )  # fmt: skip
        loader = DataLoader(
            self.data, batch_sampler=stream, num_workers=workers, pin_memory=self.accelerator.device.type == "cuda"
        )
        progress = tqdm(
            total=o.steps * o.batch_size, initial=self.step * o.batch_size, unit="img", unit_scale=True,
            desc=o.output.name, disable=not self.accelerator.is_main_process, mininterval=1, smoothing=0.05,
        )  # fmt: skip
        recent: list[Losses] = []
        for a, b in loader:
            recent.append(self._one_step(a, b))
            self.step += 1
            progress.update(o.batch_size)
            ends = self.step == o.steps or self._asked_to_stop()
            saves, samples = self.step % o.save_every == 0, self.step % o.sample_every == 0
            if ends or saves or samples or self.step % CHECK_EVERY == 0:
                self._check(recent, progress)
                recent = []
            if samples and self.accelerator.is_main_process:
                self.sample()
            if saves:
                self._save()
            if self.pusher and o.push_every and self.step % o.push_every == 0 and not ends:
                self._push(self.pusher)
            if ends:
                break
        progress.close()

    def _one_step(self, a: Tensor, b: Tensor) -> Losses:
        # Chance is a function of the step and the process, so there is no random state to save.
        torch.manual_seed((self.options.seed * 1_000_003 + self.step) * 1009 + self.accelerator.process_index)
        rate = self.rate_at(self.step)
        for optimizer, share in (
            (self.generator_optimizer, 1.0),
            (self.discriminator_optimizer, self.options.discriminator_rate),
        ):
            for group in optimizer.param_groups:
                group["lr"] = rate * share
        device = self.accelerator.device
        a, b = (from_bytes(x.to(device, non_blocking=True)).to(memory_format=torch.channels_last) for x in (a, b))

        outputs = self.generator_step(a, b)
        d_parts = self.discriminator_step(a, b, outputs)
        self.accelerator.backward(total(d_parts))
        self.discriminator_optimizer.step()
        self.discriminator_optimizer.zero_grad()

        self.discriminators.requires_grad_(False)
        with self.accelerator.autocast():
            g_parts = self.job.objective.generator_loss(self.discriminators, a, b, outputs)
            if self.step < self.options.negative_steps:
                g_parts["gan"] = negative_start_loss(a, b, outputs["fake_a"], outputs["fake_b"])
        self.accelerator.backward(total(g_parts))
        self.generator_optimizer.step()
        self.generator_optimizer.zero_grad()
        self.discriminators.requires_grad_(True)
        self.average.update_parameters(self.network)
        return {key: value.detach() for key, value in {**d_parts, **g_parts}.items()}

    def size_at(self, step: int) -> int:
        """The image size of a step."""
        o = self.options
        return o.grow_from if o.grow_from and step < o.grow_until * o.steps else o.size

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: flat or halved now and then, at last falling linearly to 0."""
        o = self.options
        start = o.decay_from * o.steps
        rate = o.learning_rate * 0.5 ** (step // o.halve_every if o.halve_every else 0)
        return rate * (1.0 if step < start else (o.steps - step) / max(1.0, o.steps - start))

    def _check(self, recent: list[Losses], progress: tqdm) -> None:
        """Look at the losses of the last steps; stop at the first that is no number."""
        if not recent:
            return
        names = list(recent[0])
        values = self.accelerator.reduce(
            torch.stack([torch.stack([p[n].float() for n in names]) for p in recent]), "mean"
        )
        table = values.cpu().numpy()
        if not np.isfinite(table).all():
            row, column = np.argwhere(~np.isfinite(table))[0]
            step = self.step - len(recent) + int(row) + 1
            saved = self.options.run_folder / "state.pt"
            good = f"the last good state is in {saved}" if saved.exists() else "no state had been saved yet"
            raise TrainingError(
                f"The loss {names[column]} became {table[row, column]} at step {step}; {good}. "
                "Try a lower --learning-rate or --precision float32."
            )
        means = dict(zip(names, table.mean(0).tolist(), strict=True))
        self.accelerator.log({**means, "learning_rate": self.rate_at(self.step - 1)}, step=self.step)
        progress.set_postfix({name: f"{value:.3g}" for name, value in means.items()}, refresh=False)

    @contextlib.contextmanager
    def _stop_on_signals(self) -> Iterator[None]:
        def stop(number: int, frame: Any) -> None:
            self.stopping = True

        before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked_to_stop(self) -> bool:
        """Whether any process was asked to stop, so that all stop after the same step."""
        if self.accelerator.num_processes > 1:
            flag = torch.tensor(float(self.stopping), device=self.accelerator.device)
            self.stopping = bool(self.accelerator.reduce(flag, "sum") > 0)
        return self.stopping

    def _parts(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "discriminators": self.discriminators,
            "average": self.average,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            state = {name: part.state_dict() for name, part in self._parts().items()}
            save_state(self.options.run_folder, {**state, "step": self.step, "job": describe(self.job)})

    def _restore(self) -> None:
        state = load_state(self.options.run_folder)
        now = describe(self.job)
        for name, value in state["job"].items():
            if name in now and now[name] != value:
                raise TrainingError(
                    f"The run in {self.options.run_folder} was started with {name} = {value!r}, "
                    f"not {now[name]!r}: resume with the same options, or name another --run."
                )
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.step = state["step"]

    def sample(self) -> None:
        """Draw the fixed samples with the averaged generator into the run folder."""
        network: TranslationNetwork = self.average.module.eval()  # type: ignore[assignment]
        save_grid(network, *self.samples, self.options.run_folder / f"samples-{self.step:07d}.png")

    def _push(self, pusher: Pusher) -> None:
        """Have a snapshot of the averaged generator pushed; if it cannot be written, say so and go on."""
        folder = pusher.folder(self.step, self.options.output.name)
        try:
            self.export(folder)
            write_card(folder)
        except (OSError, SafetensorError) as error:
            tqdm.write(f"Step {self.step} is not pushed, the training goes on: {error}", file=sys.stderr)
        else:
            pusher.offer(folder, f"Step {self.step} of {self.options.steps}")

    def export(self, folder: Path) -> None:
        """Write the averaged generator as a checkpoint."""
        o = self.options
        labels = read_palette(o.palette) if o.palette else None
        domains = {
            key: Domain.of_labels(name, labels) if labels and kind == "labels" else Domain(name, kind)
            for key, name, kind in (("A", o.name_a, o.kind_a), ("B", o.name_b, o.kind_b))
        }
        title = f"{o.name_a[:1].upper()}{o.name_a[1:]} → {o.name_b}"
        training = {**describe(self.job), "step": self.step, "data_note": o.data_note, "license": o.license}
        if is_hub_id(o.data) and not Path(o.data).exists():
            training["dataset"] = o.data
        info = checkpoints.Info(o.output.name, title, self.method.method, o.size, domains, training)
        network: TranslationNetwork = self.average.module  # type: ignore[assignment]
        checkpoints.save(folder, network, info, self.discriminators)


def total(parts: Losses) -> Tensor:
    """The sum of a loss's parts."""
    return torch.stack(list(parts.values())).sum()


def check_options(o: Options) -> None:
    """Raise TrainingError for options that cannot be trained with."""
    for name in ("size", "steps", "batch_size", "save_every", "sample_every"):
        if getattr(o, name) < 1:
            raise TrainingError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(o, name)}.")
    if o.negative_steps < 0:
        raise TrainingError(f"--negative-steps must not be negative, but is {o.negative_steps}.")
    if o.push_every < 0 or (o.push_every and not o.push_to_hub):
        raise TrainingError("--push-every is a number of steps, and needs --push-to-hub owner/name.")
    if o.push_to_hub:  # in every process, so that none waits for one that has ended
        check_name(o.push_to_hub)
        check_login()
    for name in ("grow_until", "decay_from", "ema"):
        if not 0 <= getattr(o, name) <= 1:
            raise TrainingError(f"--{name.replace('_', '-')} must lie in 0 … 1, not {getattr(o, name)}.")
    if o.palette:
        read_palette(o.palette)
    if ("labels" in (o.kind_a, o.kind_b)) != bool(o.palette):
        raise TrainingError("--kind-a labels or --kind-b labels goes with --palette FILE, which names their colours.")
    state = o.run_folder / "state.pt"
    if state.exists() and not o.resume:
        raise TrainingError(f"{state} is there already: go on with --resume, or delete {o.run_folder} to start anew.")


def describe(job: Job) -> dict[str, Any]:
    """The options that decide the outcome, as plain values; a resumed run must have the same."""
    free = {"output", "run", "resume", "start_from", "data", "data_note", "name_a", "name_b", "palette"}
    free |= {"cache_gb", "workers", "sample_every", "save_every"}
    free |= {"push_to_hub", "push_every", "push_private", "license"}
    options = {k: v for k, v in dataclasses.asdict(job.options).items() if k not in free}
    rest = {f: dataclasses.asdict(getattr(job, f)) for f in ("network", "objective", "augment")}
    return {**options, **{f"{group}.{k}": v for group, values in rest.items() for k, v in values.items()}}
