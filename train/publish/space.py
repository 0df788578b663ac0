"""The app on a Hugging Face Space: `python -m train space owner/name`."""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import gradio
import tyro
import yaml
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from i2i_models import checkpoints, hub
from i2i_models.errors import HubError
from i2i_models.hub.push import Operation, check_login, check_name, commit, with_retries

from .static import MOST_BYTES, make_static

ROOT = Path(__file__).resolve().parents[2]
FILES = ("app.py", "requirements.txt", "LICENSE")
PACKAGES = ("ui", "i2i_models", "train")
"""The packages of this project that app.py imports, and the one that it starts for whoever may train."""
SCOPES = ("read-repos", "contribute-repos", "jobs")
"""The permissions of a visitor who logs in: reading their checkpoints, making repos for them; and asked for only by
whoever wants it, a training in their own account."""
PYTHON = "3.12"
"""The version that the Space runs; Spaces have it on every hardware."""


def space(
    repo_id: tyro.conf.Positional[str],
    hardware: str | None = None,
    private: bool = False,
    offer: tuple[str, ...] = (),
    static: bool = False,
    output: Path | None = None,
) -> None:
    """Put the app on a Hugging Face Space, with the checkpoints that lie in checkpoints/.

    The token is that of `hf auth login` or of HF_TOKEN. The same command again updates the Space.

    Args:
        repo_id: owner/name of the Space; made if it is not there.
        hardware: as the Hub calls it, such as cpu-basic or t4-small; by default what the Space has.
        private: make it a private one, if it is made.
        offer: Hub ids or collections to offer beside the embedded checkpoints; with --static, the checkpoint folders
            or Hub ids that the page has, by default three of checkpoints/.
        static: a page without a server in place of the app: networks run in the visitor's browser.
        output: with --static, write the page into this folder, and nothing to the Hub.
    """
    check_name(repo_id)
    if static:
        if hardware is not None:
            raise HubError("A static Space has no hardware: leave --hardware out.")
        return _static_space(repo_id, private, offer, output)
    if output is not None:
        raise HubError("--output is for a page without a server: add --static.")
    models = [hub.split_id(name)[0] for name in hub.sources(",".join(offer)) if hub.is_hub_id(name)]
    files = bundle(ROOT, models)
    _tell(files)

    def settle(api: HfApi) -> None:
        if offer:
            api.add_space_variable(repo_id, "I2I_CHECKPOINTS", ",".join(offer))
        if hardware is not None:
            api.request_space_hardware(repo_id, hardware)  # type: ignore[arg-type]

    _upload(repo_id, files, settle, space_sdk="gradio", private=private or None, space_hardware=hardware)


def _static_space(repo_id: str, private: bool, offer: tuple[str, ...], output: Path | None) -> None:
    if output is None:
        check_login()  # before the page is made, which takes a while
    with tempfile.TemporaryDirectory() as temporary:
        files = make_static(ROOT, offer, output or Path(temporary) / "page")
        if _tell(files) > MOST_BYTES:
            print(
                f"That is more than {MOST_BYTES / 1e6:.0f} MB: fewer or smaller models make a page that opens sooner."
            )
        if output is None:
            _upload(repo_id, files, lambda api: None, space_sdk="static", private=private or None)
        else:
            print(f"{output}: serve it with `python -m http.server --directory {output}`.")


def _tell(files: Mapping[str, Path | bytes]) -> int:
    """Print how much is to be uploaded; bytes."""
    total = sum(map(size, files.values()))
    print(f"{len(files)} files, {total / 1e6:.1f} MB")
    return total


def _upload(repo_id: str, files: Mapping[str, Path | bytes], settle: Callable[[HfApi], None], **settings: Any) -> None:
    """Make the Space if it is not there, and put exactly these files into it in one commit; then `settle` the rest."""

    def operations(api: HfApi, parent: str) -> list[Operation]:
        gone = [name for name in api.list_repo_files(repo_id, repo_type="space", revision=parent) if name not in files]
        kept = (".gitattributes", ".gitignore")
        return [
            *(CommitOperationAdd(name, content) for name, content in files.items()),
            *(CommitOperationDelete(name) for name in gone if name not in kept),
        ]

    def attempt() -> str:
        api = HfApi()
        api.create_repo(repo_id, repo_type="space", exist_ok=True, **settings)
        url = commit(api, repo_id, operations, "Update the app", repo_type="space")
        settle(api)
        return url

    print(with_retries(attempt, repo_id))


def bundle(root: Path, models: list[str]) -> dict[str, Path | bytes]:
    """The files that the app needs: the start file, the packages it imports, each checkpoint as inference reads it.

    Args:
        root: of the project.
        models: Hub ids that the Space uses besides.

    Returns:
        The files by their path on the Space; the README as bytes, with the front matter for this machine's versions.

    Raises:
        HubError: a file is missing, or no checkpoint is there.
    """
    found = dict(_found(root))
    if missing := [name for name in (*FILES, "README.md") if not (root / name).is_file()]:
        raise HubError(f"{root / missing[0]} is missing: run this command in a clone of the project.")
    if not any(name.endswith(f"/{checkpoints.WEIGHTS}") for name in found) and not models:
        raise HubError(f"{root / 'checkpoints'} holds no checkpoint: train one, or offer some of the Hub with --offer.")
    readme = (root / "README.md").read_text(encoding="utf-8")
    found |= {name: root / name for name in _pictures(readme) if (root / name).is_file()}
    return {**found, "README.md": with_front_matter(readme, models).encode()}


def _found(root: Path) -> Iterator[tuple[str, Path]]:
    for name in FILES:
        yield name, root / name
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix(), path
    for folder in checkpoints.find_checkpoints(root / "checkpoints"):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and any(fnmatch(name, pattern) for pattern in hub.LAYOUT):
                yield path.relative_to(root).as_posix(), path


def _pictures(readme: str) -> list[str]:
    return re.findall(r"!\[[^\]]*\]\((?!https?:)([^)\s]+)\)", readme)


def with_front_matter(readme: str, models: list[str]) -> str:
    """The README with the front matter that starts a Space: versions as here, the models it uses, log-in."""
    match = re.match(r"---\n(.*?)\n---\n", readme, re.DOTALL)
    given: dict[str, Any] = yaml.safe_load(match[1]) if match else {}
    settings = {
        **given,
        "sdk": "gradio",
        "sdk_version": gradio.__version__,
        "python_version": PYTHON,
        "app_file": "app.py",
        "hf_oauth": True,
        "hf_oauth_scopes": list(SCOPES),
        **({"models": models} if models else {}),
    }
    body = readme[match.end() :] if match else readme
    return f"---\n{yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)}---\n{body}"


def size(content: Path | bytes) -> int:
    """The size in bytes of a file or of its future content."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size
