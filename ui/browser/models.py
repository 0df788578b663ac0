"""Checkpoints as ONNX files for browsers: exported when first asked for, kept in the cache folder, served as files."""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
import sys
import tempfile
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.inference.graph import cache_folder, is_private
from ui.browser.files import FOREVER, RUNTIME, SCRIPTS
from ui.catalog import Catalog
from ui.own_models import OwnModel

log = logging.getLogger(__name__)

MODEL = "model.json"
SHARED, OWN = "browser/models/", "browser/own/"
"""Addresses below the page's: of checkpoints that everybody sees, by name; of a visitor's own, by a secret."""
KEPT = 24
"""Exported checkpoints on disk; the least recently used ones beyond are removed."""
PATIENCE = 180.0
"""Seconds that an export may take."""
MADE_OF = ("config.json", "model.safetensors", "styles.safetensors")
"""Files of a checkpoint that decide what is exported."""

_own: "weakref.WeakValueDictionary[str, OwnModel]" = weakref.WeakValueDictionary()
"""Visitors' own checkpoints by their secrets. Whoever opened one is told its secret, in components of their session."""
_secrets: "weakref.WeakKeyDictionary[OwnModel, str]" = weakref.WeakKeyDictionary()


def is_offered() -> bool:
    """Whether networks may run in visitors' browsers. Exporting them needs the packages onnx and onnxruntime."""
    return _mode() != "off" and all(find_spec(name) for name in ("onnx", "onnxruntime"))


def _mode() -> str:
    return os.environ.get("I2I_BROWSER") or "on"


def _may_leave(catalog: Catalog, translator: i2i.Translator) -> bool:
    """Whether everybody may have a checkpoint's weights.

    Of those from elsewhere, the Hub above all, nobody knows here: a repo may be private, and its owner lets the page
    translate with it, no more. I2I_BROWSER=all says that they may.
    """
    if translator.folder is None or not catalog.is_shared:
        return False
    return _mode() == "all" or translator.folder.parent == catalog.folder


def address_of(catalog: Catalog, translator: i2i.Translator) -> str | None:
    """Where a checkpoint's files are served, below the page's address; None where they are served to nobody.

    In a catalog of a visitor's session names mean something there alone: of those, their own model is served to them.
    """
    if not isinstance(translator, OwnModel):
        return f"{SHARED}{translator.info.name}/" if _may_leave(catalog, translator) else None
    secret = _secrets.setdefault(translator, secrets.token_urlsafe(32))
    _own[secret] = translator
    return f"{OWN}{secret}/"


class BrowserModels:
    """The exported checkpoints of a catalog, and of visitors. One is exported at a time, in a process of its own."""

    def __init__(self, catalog: Catalog) -> None:
        # Those of now: what a training adds later is not for everybody to download.
        shared = {n: t for n, t in catalog.translators.items() if _may_leave(catalog, t)}
        self._offered = shared if is_offered() else {}
        self._exporting = asyncio.Lock()
        self._folders: weakref.WeakKeyDictionary[i2i.Translator, Path | None] = weakref.WeakKeyDictionary()

    @property
    def routes(self) -> list[Route]:
        """Where all that browsers run is served."""
        return [
            *(Route(f"/{packed.address}{{name}}", packed.answer) for packed in (SCRIPTS, RUNTIME)),
            Route(f"/{SHARED}{{path:path}}", self.shared),
            Route(f"/{OWN}{{secret}}/{{file}}", self.own),
        ]

    async def shared(self, request: Request) -> Response:
        """A file of a checkpoint that everybody sees."""
        name, _, file = request.path_params["path"].rpartition("/")
        return await self._answer(request, self._offered.get(name), file, "public")

    async def own(self, request: Request) -> Response:
        """A file of a visitor's own checkpoint, for whoever has its secret; nothing on the way may keep it."""
        return await self._answer(request, _own.get(request.path_params["secret"]), request.path_params["file"], "own")

    async def _answer(self, request: Request, translator: i2i.Translator | None, file: str, whose: str) -> Response:
        folder = None if translator is None or translator.folder is None else await self._folder(translator)
        if folder is None:
            return JSONResponse({"detail": "There is no such model for browsers."}, 404, {"Cache-Control": "no-store"})
        try:
            described = await anyio.to_thread.run_sync(_read_model, folder)
            tag = _tag(described) if file == MODEL else described["files"][file]["sha256"]
        except (OSError, ValueError, KeyError):
            return JSONResponse({"detail": "There is no such file."}, 404, {"Cache-Control": "no-store"})
        forever = FOREVER if request.query_params.get("v") == tag[:16] else "no-cache"
        headers = {"Cache-Control": forever if whose == "public" else "no-store", "ETag": f'"{tag}"'}
        if f'"{tag}"' in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        kind = "application/json" if file == MODEL else "application/octet-stream"
        return FileResponse(folder / file, 200, headers, kind)

    async def _folder(self, translator: i2i.Translator) -> Path | None:
        """Where a checkpoint's exported files lie; None if it cannot be exported, which is tried once."""
        if translator not in self._folders or not _is_there(self._folders[translator]):
            async with self._exporting:
                if translator not in self._folders or not _is_there(self._folders[translator]):
                    self._folders[translator] = await self._make(translator)
        return self._folders[translator]

    async def _make(self, translator: i2i.Translator) -> Path | None:
        assert translator.folder is not None
        if isinstance(translator, OwnModel):
            folder: Path | None = Path(tempfile.mkdtemp(prefix="own-browser-"))
            translator.closing.append(lambda: shutil.rmtree(str(folder), ignore_errors=True))
        else:
            folder = await anyio.to_thread.run_sync(_kept_folder, translator.folder)
        if folder is None:
            return None
        if (folder / MODEL).is_file():
            with contextlib.suppress(OSError):
                os.utime(folder)
            return folder
        return folder if await _export(translator.folder, folder) else None


async def _export(checkpoint: Path, folder: Path) -> bool:
    """Export a checkpoint in another process: tracing keeps the interpreter busy, and the page would stand still."""
    command = [sys.executable, "-m", "i2i_models", "export", str(checkpoint), "--onnx", str(folder)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=Path(__file__).parents[2],
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except (asyncio.TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()
        said = b"it took too long"
    if process.returncode == 0 and (folder / MODEL).is_file():
        return True
    last = said.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no word"]
    log.warning("%s does not run in browsers: %s", checkpoint.name, last[0])
    return False


def _kept_folder(checkpoint: Path) -> Path | None:
    """The folder in the cache for a checkpoint's files, named by what they are made of; one that nobody finds again
    where there is no cache, and None if there is no place at all."""
    made_of = hashlib.sha256()
    for source in sorted(Path(i2i.__file__).parent.rglob("*.py")):
        made_of.update(source.read_bytes())
    made_of.update(str(checkpoint.name).encode())
    try:
        for name in MADE_OF:
            if (checkpoint / name).is_file():
                made_of.update((checkpoint / name).read_bytes())
        examples = [p for place in checkpoints.EXAMPLES.values() for p in sorted((checkpoint / place).glob("*.png"))]
        made_of.update("\0".join(path.name for path in examples).encode())
        root = cache_folder() / "browser"
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_private(root, forbidden=0o022):
            log.warning("%s can be written by other users: chmod 700 %s", root, root)
            return Path(tempfile.mkdtemp(prefix="browser-"))
        kept = sorted(root.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in kept[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
        folder = root / made_of.hexdigest()[:32]
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder
    except (OSError, RuntimeError) as error:  # a user without a home, or whose cache cannot be written; a full disk
        log.warning("models for browsers cannot be kept: %s", error)
    try:
        return Path(tempfile.mkdtemp(prefix="browser-"))
    except OSError as error:
        log.warning("no place for models for browsers: %s", error)
        return None


def _is_there(folder: Path | None) -> bool:
    """Whether an answer still holds: files that were tidied away are made anew, what failed is not tried again."""
    return folder is None or (folder / MODEL).is_file()


def _read_model(folder: Path) -> dict[str, Any]:
    described: dict[str, Any] = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    return described


def _tag(described: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
