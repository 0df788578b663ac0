"""The loop that trains every method: one discriminator step, one generator step, everything else around them."""

import contextlib
import dataclasses
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from i2i_models.checkpoints.styles import save_styles
from i2i_models.errors import I2IError, TrainingError
from i2i_models.images.tensors import from_bytes, layout_on
from i2i_models.networks.losses import copying_loss
from i2i_models.networks.methods import METHODS
from i2i_models.networks.objective import Losses

from ..data.check import augmentation_line, range_lines
from ..data.dataset import Batch, SampleKey, TranslationDataset
from ..data.layouts import find
from ..data.sources import Ranges, Sources, value_ranges
from ..data.stream import Stream
from ..evaluation.grids import save_grid
from ..publish.push import Pusher
from .average import MovingAverage
from .budget import CORRECT_AT, corrected, plan, seconds_a_step
from .export import export_checkpoint
from .memory import check as check_memory
from .monitor import LossMonitor
from .options import Job, Options
from .parallel import DiscriminatorLoss, GeneratorOutputs
from .precision import use_bfloat16
from .progress import EXPORT, FINISH, Progress, answered, asked, snapshot_folder
from .resume import resumed
from .state import alone, load_state, save_state, start_from
from .stop import StopSignal
from .styles import find_styles

CHECK_EVERY = 10
"""Steps between looks at the losses."""
FIRST_LOOK = 1
"""The step after which there is a first grid and a first line, so that nobody wonders whether it runs."""
SAMPLES = 8
"""Images of each domain in a sample grid."""


def train(method: str, job: Job) -> None:
    """Train a method from options to an exported checkpoint.

    Raises:
        I2IError: bad data or options, a loss that is no number, a state that cannot be saved or resumed.
    """
    Trainer(method, job).run()


class Trainer:
    """One training: built from its options alone, or from them and the last saved state."""

    def __init__(self, method: str, job: Job) -> None:
        """
        Raises:
            I2IError: bad data or options, no state to resume or one of other options.
        """
        self.method, self.job = METHODS[method], job
        self.options.check()
        if self.method.paired and self.options.copying_steps:
            raise TrainingError(f"{self.method.title} learns from pairs: leave --alike-steps and --negative-steps out.")
        self.step = self.seen = 0
        self.history: list[str] = []
        state = load_state(self.options.run_folder) if self.options.resume else None
        if state is not None:
            self.job, self.history = resumed(job, state)
        o = self.options
        self.accelerator = Accelerator(
            mixed_precision="bf16" if use_bfloat16(o.precision) else "no",
            log_with="tensorboard" if find_spec("tensorboard") else None,
            project_dir=o.run_folder,
        )
        if o.batch_size % self.accelerator.num_processes:
            raise TrainingError(
                f"--batch-size {o.batch_size} cannot be shared by {self.accelerator.num_processes} processes."
            )
        if o.minutes is None or state is not None:
            check_memory(self.method, self.job)
        self.ranges: Ranges = (o.range, o.range)
        self.nearest = (o.kind_a == "labels", o.kind_b == "labels")
        self.data = TranslationDataset(
            self._training_sources(), o.size, o.seed, job.augment, self.nearest, o.cache_gb,
            cropped=o.grow_by == "cropping",
        )  # fmt: skip
        self.samples = self._fixed_samples()
        self.progress = Progress(o.run_folder)
        if o.minutes is not None and state is None:
            self.job = plan(self.method, job, self._seconds_per_step)
            self._tell_plan()
        self._build()
        self.stop = StopSignal(self.accelerator, o.run_folder)
        self.monitor = LossMonitor(self.accelerator, o.run_folder)
        self.pusher: Pusher | None = None
        if o.push_to_hub and self.accelerator.is_main_process:
            self.pusher = Pusher(o.push_to_hub, o.push_private, o.run_folder / "push")
        if state is not None:
            self._restore(state)

    @property
    def options(self) -> Options:
        """The job's."""
        return self.job.options

    def _seconds_per_step(self, job: Job, size: int) -> float:
        """How long a step of a job takes at an image size, the same in every process."""
        planned, self.job = self.job, job
        self._build()
        indices = range(job.options.batch_size // self.accelerator.num_processes)
        keys = [SampleKey(n, n % len(self.data.a), n % len(self.data.b), size) for n in indices]

        def step() -> None:
            batch = Batch(*map(torch.stack, zip(*(self.data[key] for key in keys), strict=True)))
            losses = self.train_step(batch)
            torch.stack(list(losses.values())).cpu()  # waits for the device

        mean = torch.tensor(seconds_a_step(step, job.options), device=self.accelerator.device)
        self.job = planned
        self.accelerator.free_memory()
        return float(self.accelerator.reduce(mean, "mean"))

    def _training_sources(self) -> Sources:
        """The images to train on; says once how they are varied, and how more than 8 bits are read."""
        sources = self._sources("train")
        if self.options.range is None:
            self.ranges = value_ranges(sources)
            sources = sources.in_ranges(self.ranges)
        if self.accelerator.is_main_process:
            o = self.options
            varied = augmentation_line(self.job.augment, o.size, o.data, o.name_a, o.name_b)
            print(*range_lines(self.ranges), varied, sep="\n")
        return sources

    def _sources(self, split: str) -> Sources:
        """The images of a split in the domains of this training."""
        sources = find(self.options.data, split)
        if self.options.direction == "B2A":
            sources = sources.swapped()
        sources = sources.of_kinds(self.options.kind_a, self.options.kind_b).in_ranges(self.ranges)
        if not self.method.needs_pairs(self.job.objective):
            return sources.unpaired()
        if not sources.paired:
            why = self.method.title if self.method.paired else "--lambda-pixel"
            raise TrainingError(f"{why} needs pairs, but {self.options.data} holds two folders with different names.")
        return sources

    def _fixed_samples(self) -> Batch:
        """The images of the sample grids: held-out ones where the data have them, else some of the training's."""
        size = self.options.size
        for split in ("val", "test"):
            with contextlib.suppress(I2IError):
                few = self._sources(split).spread(SAMPLES)
                return TranslationDataset(few, size, nearest=self.nearest, minimum=1).samples(SAMPLES, size)
        return self.data.samples(SAMPLES, size)

    def _build(self) -> None:
        """Make networks, their average and their optimizers, on the device."""
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
        # Weights are not channels_last on a CPU, where the fused Adam would copy them all.
        layout = torch.contiguous_format if device.type == "cpu" else layout_on(device)
        self.network = network.to(device).to(memory_format=layout)
        self.discriminators = discriminators.to(device).to(memory_format=layout)
        self.average = MovingAverage(self.network, o.ema)
        prepare, objective = self.accelerator.prepare_model, self.job.objective
        self.generator_outputs = prepare(GeneratorOutputs(self.network, objective))
        self.discriminator_loss = prepare(DiscriminatorLoss(self.discriminators, objective))
        self.generator_optimizer = self._adam(self.network)
        self.discriminator_optimizer = self._adam(self.discriminators)

    def _adam(self, module: nn.Module) -> torch.optim.Adam:
        o = self.options
        return torch.optim.Adam(
            module.parameters(), o.learning_rate, betas=(o.beta1, 0.999), weight_decay=o.weight_decay, fused=True
        )

    def run(self) -> None:
        """Train to the last step, then export and push; or until a signal, then save and exit with code 130."""
        with self._alone():
            self._run()

    def _alone(self) -> contextlib.AbstractContextManager[object]:
        o = self.options
        return alone(o.run_folder, o.output) if self.accelerator.is_main_process else contextlib.nullcontext()

    def _run(self) -> None:
        if self.accelerator.is_main_process:
            self.accelerator.init_trackers(".")
        self.progress.start(self.step, self.progress.before)
        with self.stop:
            self.train()
        self._save()
        if self.accelerator.is_main_process:
            if self.stop.received:
                self._tell_how_to_resume()
            else:
                self._finish()
        self.accelerator.wait_for_everyone()  # the first process that leaves takes the launcher's others with it
        self.accelerator.end_training()
        if self.stop.received:
            sys.exit(130)

    def train(self) -> None:
        """Do the steps that are left, or those until a signal."""
        o = self.options
        bar = tqdm(
            total=o.steps * o.batch_size, initial=self.step * o.batch_size, unit="img", unit_scale=True,
            desc=o.output.name, disable=not self.accelerator.is_main_process, mininterval=1, smoothing=0.05,
        )  # fmt: skip
        while self.step < self.options.steps and not self.stop.asked():
            self._train_until_corrected(bar)
        bar.close()

    def _train_until_corrected(self, bar: "tqdm[Any]") -> None:
        """Do steps until the last one, a signal, or a correction of how many there are."""
        o, main = self.options, self.accelerator.is_main_process
        corrections = {round(share * o.steps) for share in CORRECT_AT} if o.minutes is not None else set()
        for batch in self._batches():
            self.monitor.add(self.train_step(batch))
            self.step += 1
            self.seen += o.batch_size
            bar.update(o.batch_size)
            ends = self.step == o.steps or self.stop.asked()
            saves, samples = self.step % o.save_every == 0, self.step % o.sample_every == 0
            if ends or saves or samples or self.step % CHECK_EVERY == 0 or self.step == FIRST_LOOK:
                means = self.monitor.report(self.step, o.rate_at(self.step - 1))
                bar.set_postfix({name: f"{value:.3g}" for name, value in means.items()}, refresh=False)
                if main:
                    self.progress.add(self.step, o.steps, o.batch_size, means)
            if main and (samples or ends or self.step == FIRST_LOOK):
                self._draw_samples()
            if saves:
                self._save()
            if main and asked(o.run_folder, EXPORT):
                self._export_snapshot()
            if self.pusher and o.push_every and self.step % o.push_every == 0 and not ends:
                self.pusher.snapshot(self.step, o.steps, o.output.name, self.export)
            if ends:
                return
            if self.step in corrections:
                self._correct_steps(bar)
                return

    def _correct_steps(self, bar: "tqdm[Any]") -> None:
        """Set the number of steps anew by the time that those so far took, the same in every process."""
        steps = torch.tensor(float(corrected(self.options, self.step, self.progress.seconds)))
        steps = self.accelerator.reduce(steps.to(self.accelerator.device), "mean")
        self.job = dataclasses.replace(self.job, options=dataclasses.replace(self.options, steps=round(float(steps))))
        bar.total = self.options.steps * self.options.batch_size

    def _export_snapshot(self) -> None:
        """Write the average as a checkpoint that somebody asked for; if that fails, say so and go on."""
        o = self.options
        try:
            self.export(snapshot_folder(o.run_folder, self.step))
        except (OSError, SafetensorError) as error:
            tqdm.write(f"The checkpoint of step {self.step} was not written, the training goes on: {error}")
        answered(o.run_folder, EXPORT)

    def _batches(self) -> DataLoader[Batch]:
        """This process's part of the batches of the steps that are left."""
        o, cuda = self.options, self.accelerator.device.type == "cuda"
        stream = Stream(
            self.data, o.batch_size, o.size_at, self.step, o.steps,
            self.accelerator.process_index, self.accelerator.num_processes, self.seen,
        )  # fmt: skip
        workers = o.workers if o.workers is not None else 4 * cuda
        return DataLoader(self.data, batch_sampler=stream, num_workers=workers, pin_memory=cuda)

    def train_step(self, batch: Batch) -> Losses:
        """Update the discriminators, then the generators; return the losses, without gradients."""
        self._set_chance_and_rates()
        a, b = (self._to_device(images) for images in batch)
        outputs = self.generator_outputs(a, b)
        discriminator_losses = self.discriminator_loss(a, b, outputs)
        self._update(self.discriminator_optimizer, discriminator_losses)

        self.discriminators.requires_grad_(False)
        with self.accelerator.autocast():
            objective = self.method.objective_at(self.job.objective, self.step)
            generator_losses = objective.generator_loss(self.discriminators, a, b, outputs)
            if self.step < self.options.copying_steps:
                negative = self.options.negative_steps > 0
                generator_losses["gan"] = copying_loss(a, b, outputs["fake_a"], outputs["fake_b"], negative)
        self._update(self.generator_optimizer, generator_losses)
        self.discriminators.requires_grad_(True)
        self.average.update_parameters(self.network)
        return {name: loss.detach() for name, loss in {**discriminator_losses, **generator_losses}.items()}

    def _set_chance_and_rates(self) -> None:
        """Seed chance as a function of step and process, so that no random state is saved; set learning rates."""
        o = self.options
        torch.manual_seed((o.seed * 1_000_003 + self.step) * 1009 + self.accelerator.process_index)
        rate = o.rate_at(self.step)
        for group in self.generator_optimizer.param_groups:
            group["lr"] = rate
        for group in self.discriminator_optimizer.param_groups:
            group["lr"] = rate * o.discriminator_rate

    def _to_device(self, images: Tensor) -> Tensor:
        """uint8 `(N, 3, H, W)` → float in [-1, 1], on the device."""
        images = images.to(self.accelerator.device, non_blocking=True)
        return from_bytes(images).to(memory_format=layout_on(images.device))

    def _update(self, optimizer: torch.optim.Optimizer, losses: Losses) -> None:
        if not losses:  # a discriminator that nobody listens to
            return
        self.accelerator.backward(torch.stack(list(losses.values())).sum())
        optimizer.step()
        optimizer.zero_grad()

    def _draw_samples(self) -> None:
        """Draw the fixed samples with the averaged network into the run folder."""
        path = self.options.run_folder / f"samples-{self.step:07d}.png"
        save_grid(self.average.network.eval(), *self.samples, path)

    def _stateful(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "discriminators": self.discriminators,
            "average": self.average,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            state = {name: part.state_dict() for name, part in self._stateful().items()}
            told = {"step": self.step, "seen": self.seen, "job": self.job.settings(), "history": self.history}
            spent = {"seconds": self.progress.seconds, "minutes": self.options.minutes}
            save_state(self.options.run_folder, {**state, **told, **spent})

    def _restore(self, state: dict[str, Any]) -> None:
        """Take over a state, but for what was changed: what Adam keeps beside its averages is an option, too."""
        o = self.options
        for name, part in self._stateful().items():
            part.load_state_dict(state[name])
        for optimizer in (self.generator_optimizer, self.discriminator_optimizer):
            for group in optimizer.param_groups:
                group.update(betas=(o.beta1, 0.999), weight_decay=o.weight_decay)
        self.step = state["step"]
        self.seen = state.get("seen", self.step * state["job"]["batch_size"])
        self.progress.before = state.get("seconds", 0.0)
        if o.minutes is not None and o.minutes != state.get("minutes"):
            steps = corrected(o, self.step, self.progress.before)
            self.history.append(f"From step {self.step}: steps {o.steps} → {steps}, for {o.minutes:g} minutes in all")
            self.job = dataclasses.replace(self.job, options=dataclasses.replace(o, steps=steps))
        if self.history != state.get("history", []) and self.accelerator.is_main_process:
            print(self.history[-1] + f"; the learning rate goes on from {self.options.rate_at(self.step):.3g}.")

    def export(self, folder: Path) -> None:
        """Write the averaged network as a checkpoint."""
        export_checkpoint(
            folder, self.job, self.step, self.average.network, self.discriminators, self.history, self.ranges
        )

    def _finish(self) -> None:
        """Export the checkpoint, with the styles of the training images where there are any, and push it."""
        o = self.options
        self.export(o.output)
        answered(o.run_folder, FINISH)
        if self.network.chance == "style":
            save_styles(o.output, find_styles(self.average.network, self.data, o.size))
        print(f"Wrote {o.output}.")
        if self.pusher:
            self.pusher.finish(o.output, f"Step {self.step} of {o.steps}")

    def _tell_plan(self) -> None:
        """Say what the minutes were turned into."""
        o, width = self.options, getattr(self.job.network, "base_width", None)
        wide = f", width {width}" if width else ""
        growing = f", at {o.grow_from} px until step {round(o.grow_until * o.steps)}" if o.grow_from else ""
        if self.accelerator.is_main_process:
            print(f"{o.minutes:g} minutes: {o.steps} steps of {o.batch_size}{wide}{growing}.")

    def _tell_how_to_resume(self) -> None:
        """Say how the training can go on."""
        if self.pusher:
            self.pusher.stop()
        print(f"Saved at step {self.step} of {self.options.steps}; the same command with --resume goes on.")
