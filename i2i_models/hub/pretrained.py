"""`from_pretrained`, `save_pretrained` and `push_to_hub` of the networks, as people know them from the Hub."""

import dataclasses
import tempfile
from pathlib import Path
from string import Template
from typing import Any, TypeVar

import torch
from huggingface_hub import HfApi, ModelCardData

from .. import checkpoints
from ..checkpoints import Domain, Info
from ..errors import CheckpointError, HubError
from .download import download
from .sentences import sentence

T = TypeVar("T", bound="Pretrained")

CARD = """---
$data
---

# $name

$title. `i2i_models.load("$name")` takes images of any size; the network alone:

```python
from i2i_models import $cls

network = $cls.from_pretrained("$name")
```
"""


class Pretrained(checkpoints.SavedNetwork):
    """The methods of `huggingface_hub.PyTorchModelHubMixin`, with its signatures, on this project's checkpoints.

    The mixin itself would write another `config.json`: the fields of the class's constructor at its top, where
    ours hold the domains, the image size and the training, and the network's own under `network`. Files of the
    mixin could then not be served by the page, nor checkpoints of the page loaded by the mixin. It also falls back
    to pickled weights and loads weights that fit in part; here they are safetensors, and fit or are refused.
    """

    _info: Info | None = None
    """What the checkpoint that this was loaded from says besides the weights; saved again with them."""

    @classmethod
    def from_pretrained(
        cls: type[T],
        pretrained_model_name_or_path: str | Path,
        *,
        force_download: bool = False,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
        revision: str | None = None,
        map_location: str | torch.device = "cpu",
    ) -> T:
        """Load a network from a checkpoint folder or from the Hub, in eval mode, its parameters trainable.

        Args:
            pretrained_model_name_or_path: a folder, or `owner/name` on the Hub.
            force_download: fetch again what is in the cache.
            token: as everywhere in huggingface_hub; by default that of the login.
            cache_dir: where downloads are kept.
            local_files_only: use the cache alone.
            revision: branch, tag or commit.
            map_location: the device that the network goes to.

        Raises:
            CheckpointError: it is not there, damaged, or of another method.
        """
        folder = Path(pretrained_model_name_or_path)
        if not folder.is_dir():
            name = str(pretrained_model_name_or_path) + (f"@{revision}" if revision else "")
            folder = download(name, token, cache_dir, local_files_only, force_download)
        method = checkpoints.read_config(folder)["method"]
        if method != cls.method:
            raise CheckpointError(
                f"{pretrained_model_name_or_path} is a checkpoint of {method}, not of {cls.method}: load it with the "
                "class of that method, or with i2i_models.load."
            )
        network, info = checkpoints.read(folder, cls)
        network._info = info
        return network.requires_grad_(True).to(map_location)

    def save_pretrained(
        self,
        save_directory: str | Path,
        *,
        config: dict[str, Any] | Info | None = None,
        repo_id: str | None = None,
        push_to_hub: bool = False,
        model_card_kwargs: dict[str, Any] | None = None,
        **push_to_hub_kwargs: Any,
    ) -> str | None:
        """Write `config.json`, `model.safetensors` in the network's own precision, and a card if there is none.

        Args:
            save_directory: the checkpoint folder, made if missing.
            config: what `config.json` shall say besides the network's settings, an `Info` or some of its fields
                (title, size, domains, training); by default what the checkpoint said that this was loaded from.
            repo_id: for push_to_hub; the folder's name by default.
            push_to_hub: push it, too.
            model_card_kwargs: for the card's template: name, title.
            push_to_hub_kwargs: for push_to_hub.

        Returns:
            The commit's address if it was pushed.
        """
        folder = Path(save_directory)
        info = self._described(folder.name, config)
        precision = next((p.dtype for p in self.parameters() if p.is_floating_point()), torch.float32)
        checkpoints.save(folder, self, info, precision=precision)
        if not (folder / checkpoints.CARD).exists():
            checkpoints.write_text(folder / checkpoints.CARD, self._card(info, model_card_kwargs or {}))
        if not push_to_hub:
            return None
        kwargs = {"config": config, "model_card_kwargs": model_card_kwargs, **push_to_hub_kwargs}
        return self.push_to_hub(repo_id or folder.name, **kwargs)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        config: dict[str, Any] | Info | None = None,
        commit_message: str = "Push model using huggingface_hub.",
        private: bool | None = None,
        token: str | None = None,
        branch: str | None = None,
        create_pr: bool | None = None,
        allow_patterns: list[str] | str | None = None,
        ignore_patterns: list[str] | str | None = None,
        delete_patterns: list[str] | str | None = None,
        model_card_kwargs: dict[str, Any] | None = None,
    ) -> str:
        """Save into a temporary folder and upload that. Arguments as `save_pretrained` and `HfApi.upload_folder`.

        Args:
            repo_id: `owner/name`, or a name alone for the account that is logged in.

        Returns:
            The commit's address.

        Raises:
            HubError: the Hub refuses, or cannot be reached.
        """
        api = HfApi(token=token)
        try:
            name = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary) / name
                self.save_pretrained(
                    folder, config=config, model_card_kwargs={"name": name, **(model_card_kwargs or {})}
                )
                return api.upload_folder(
                    repo_id=name, repo_type="model", folder_path=folder, commit_message=commit_message,
                    revision=branch, create_pr=create_pr, allow_patterns=allow_patterns,
                    ignore_patterns=ignore_patterns, delete_patterns=delete_patterns,
                ).commit_url  # fmt: skip
        except CheckpointError:
            raise
        except Exception as error:
            said = sentence(error, repo_id)
            raise HubError(said.replace(token, "…") if token else said) from None

    def _described(self, name: str, config: dict[str, Any] | Info | None) -> Info:
        if isinstance(config, Info):
            return config
        info = self._info or Info(
            name=name,
            title=self.title,
            method=self.method,
            size=-(-256 // self.multiple) * self.multiple,
            domains={"A": Domain("A"), "B": Domain("B")},
        )
        try:
            return dataclasses.replace(info, **(config or {}))
        except TypeError:
            fields = ", ".join(field.name for field in dataclasses.fields(Info))
            raise CheckpointError(f"config has {', '.join(config or {})}; it may have {fields}.") from None

    def _card(self, info: Info, values: dict[str, Any]) -> str:
        data = ModelCardData(
            library_name="i2i_models", pipeline_tag="image-to-image", tags=["image-to-image", info.method, "gan"]
        )
        known = {"name": info.name, "title": info.title, "cls": type(self).__name__}
        return Template(CARD).safe_substitute({"data": data.to_yaml(), **known, **values})
