"""The loop that trains every method: one discriminator step, one generator step, everything else around them."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from i2i_models.checkpoints.styles import save_styles
from i2i_models.errors import I2IError, TrainingError
from i2i_models.images.tensors import from_bytes
from i2i_models.networks.losses import negative_start_loss
from i2i_models.networks.methods import METHODS
from i2i_models.networks.objective import Losses

from ..data.dataset import Batch, TranslationDataset
from ..data.layouts import find
from ..data.sources import Sources
from ..data.stream import Stream
from ..evaluation.grids import save_grid
from ..publish.push import Pusher
from .average import MovingAverage
from .export import export_checkpoint
from .monitor import LossMonitor
from .options import Job
from .parallel import DiscriminatorLoss, GeneratorOutputs
from .precision import use_bfloat16
from .state import load_state, save_state, start_from
from .stop import StopSignal
from .styles import find_styles

CHECK_EVERY = 10
"""Steps between looks at the losses."""
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
        self.method, self.job, self.options = METHODS[method], job, job.options
        o = self.options
        o.check()
        if self.method.paired and o.negative_steps:
            raise TrainingError(f"{self.method.title} learns from pairs: leave --negative-steps out.")
        self.step = 0
        self.accelerator = Accelerator(
            mixed_precision="bf16" if use_bfloat16(o.precision) else "no",
            log_with="tensorboard",
            project_dir=o.run_folder,
        )
        if o.batch_size % self.accelerator.num_processes:
            raise TrainingError(
                f"--batch-size {o.batch_size} cannot be shared by {self.accelerator.num_processes} processes."
            )
        self.nearest = (o.kind_a == "labels", o.kind_b == "labels")
        self.data = TranslationDataset(
            self._sources("train"), o.size, o.seed, job.augment, self.nearest, o.cache_gb,
            cropped=o.grow_by == "cropping",
        )  # fmt: skip
        self.samples = self._fixed_samples()
        self._build()
        self.stop = StopSignal(self.accelerator)
        self.monitor = LossMonitor(self.accelerator, o.run_folder)
        self.pusher: Pusher | None = None
        if o.push_to_hub and self.accelerator.is_main_process:
            self.pusher = Pusher(o.push_to_hub, o.push_private, o.run_folder / "push")
        if o.resume:
            self._restore()

    def _sources(self, split: str) -> Sources:
        """The images of a split in the domains of this training."""
        sources = find(self.options.data, split)
        if self.options.direction == "B2A":
            sources = sources.swapped()
        if not self.method.paired:
            return sources.unpaired()
        if not sources.paired:
            raise TrainingError(
                f"{self.method.title} needs pairs, but {self.options.data} holds two folders with different names."
            )
        return sources

    def _fixed_samples(self) -> Batch:
        """The images of the sample grids: held-out ones where the data have them, else some of the training's."""
        size = self.options.size
        for split in ("val", "test"):
            with contextlib.suppress(I2IError):
                few = self._sources(split).spread(SAMPLES)
                return TranslationDataset(few, size, nearest=self.nearest, minimum=1).samples(SAMPLES, size)
        return self.data.samples(min(SAMPLES, len(self.data)), size)

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
        # Images are channels_last everywhere; weights are not on a CPU, where the fused Adam would copy them all.
        layout = torch.contiguous_format if device.type == "cpu" else torch.channels_last
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
        if self.accelerator.is_main_process:
            self.accelerator.init_trackers(".")
        with self.stop:
            self.train()
        self._save()
        if self.accelerator.is_main_process:
            if self.stop.received:
                self._tell_how_to_resume()
            else:
                self._finish()
        self.accelerator.end_training()
        if self.stop.received:
            sys.exit(130)

    def train(self) -> None:
        """Do the steps that are left, or those until a signal."""
        o = self.options
        progress = tqdm(
            total=o.steps * o.batch_size, initial=self.step * o.batch_size, unit="img", unit_scale=True,
            desc=o.output.name, disable=not self.accelerator.is_main_process, mininterval=1, smoothing=0.05,
        )  # fmt: skip
        for batch in self._batches():
            self.monitor.add(self.train_step(batch))
            self.step += 1
            progress.update(o.batch_size)
            ends = self.step == o.steps or self.stop.asked()
            saves, samples = self.step % o.save_every == 0, self.step % o.sample_every == 0
            if ends or saves or samples or self.step % CHECK_EVERY == 0:
                means = self.monitor.report(self.step, o.rate_at(self.step - 1))
                progress.set_postfix({name: f"{value:.3g}" for name, value in means.items()}, refresh=False)
            if samples and self.accelerator.is_main_process:
                self._draw_samples()
            if saves:
                self._save()
            if self.pusher and o.push_every and self.step % o.push_every == 0 and not ends:
                self.pusher.snapshot(self.step, o.steps, o.output.name, self.export)
            if ends:
                break
        progress.close()

    def _batches(self) -> DataLoader[Batch]:
        """This process's part of the batches of the steps that are left."""
        o, cuda = self.options, self.accelerator.device.type == "cuda"
        stream = Stream(
            self.data, o.batch_size, o.size_at, self.step, o.steps,
            self.accelerator.process_index, self.accelerator.num_processes,
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
            generator_losses = self.job.objective.generator_loss(self.discriminators, a, b, outputs)
            if self.step < self.options.negative_steps:
                generator_losses["gan"] = negative_start_loss(a, b, outputs["fake_a"], outputs["fake_b"])
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
        return from_bytes(images).to(memory_format=torch.channels_last)

    def _update(self, optimizer: torch.optim.Optimizer, losses: Losses) -> None:
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
            save_state(self.options.run_folder, {**state, "step": self.step, "job": self.job.settings()})

    def _restore(self) -> None:
        state = load_state(self.options.run_folder)
        now = self.job.settings()
        for name, value in state["job"].items():
            if name in now and now[name] != value:
                raise TrainingError(
                    f"The run in {self.options.run_folder} was started with {name} = {value!r}, "
                    f"not {now[name]!r}: resume with the same options, or name another --run."
                )
        for name, part in self._stateful().items():
            part.load_state_dict(state[name])
        self.step = state["step"]

    def export(self, folder: Path) -> None:
        """Write the averaged network as a checkpoint."""
        export_checkpoint(folder, self.job, self.step, self.average.network, self.discriminators)

    def _finish(self) -> None:
        """Export the checkpoint, with the styles of the training images where there are any, and push it."""
        o = self.options
        self.export(o.output)
        if self.network.chance == "style":
            save_styles(o.output, find_styles(self.average.network, self.data, o.size))
        print(f"Wrote {o.output}.")
        if self.pusher:
            self.pusher.finish(o.output, f"Step {self.step} of {o.steps}")

    def _tell_how_to_resume(self) -> None:
        """Say how the training can go on."""
        if self.pusher:
            self.pusher.stop()
        print(f"Saved at step {self.step} of {self.options.steps}; the same command with --resume goes on.")
