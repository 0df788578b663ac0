"""The page as a service: how Gradio launches it, `/healthz`, safe headers, tidy temporary files, a graceful end."""

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
from gradio.utils import get_upload_folder
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2i_models.inference.graph import is_private
from ui import account
from ui.api import KEPT_SECONDS
from ui.browser.models import BrowserModels
from ui.catalog import Catalog
from ui.i18n import SpeakLanguage
from ui.limits.fair_queue import Visitor
from ui.limits.guard import ADDRESS, PARTS, TRAINING_PARTS, Guard
from ui.limits.kept_page import KeepPage
from ui.limits.origin import Names, OwnOrigin
from ui.limits.rate_limit import Counts
from ui.own_models import own_models
from ui.page import Edition, TranslatedPage
from ui.training import jobs, rights, scope
from ui.uploads import MAX_FILE_BYTES

log = logging.getLogger(__name__)

SESSIONS = 500
"""Sessions for which Gradio keeps a copy of the page's state; beyond, the longest quiet ones begin anew."""
QUEUED = 200
"""Events that may wait in Gradio's queue; further ones are refused at once."""
TEMPORARY_BYTES, TEMPORARY_FILES = 2_000_000_000, 20_000
"""Of uploads and results together, however young they are."""
TIDY_SECONDS = 20
FOLLOW_SECONDS = 2.0
"""Between two looks at the folder of checkpoints, of which it takes two to list a new one."""
PATIENCE = 10.0
"""Seconds for running work to finish when the server is told to end."""

POLICY = {
    "default-src": "'self'",
    # Gradio's page has inline scripts, and makes functions of the text of ours; the frame's resizer is from there.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob: https://cdnjs.cloudflare.com",
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self' data:",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self' https://huggingface.co",
    # Spaces are shown in a frame on the Hub; anybody else's frame could lure a logged-in visitor into a click.
    "frame-ancestors": "'self' https://huggingface.co https://*.huggingface.co https://*.hf.space",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{what} {whence}" for what, whence in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    # So that networks in the browser may use several threads. Whatever the page takes from elsewhere (the frame's
    # resizer) comes without cookies then; in the Hub's frame neither has an effect.
    "Cross-Origin-Embedder-Policy": "credentialless",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


class SafeHeaders:
    """ASGI middleware that adds `HEADERS` to every answer that does not have its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Service:
    """One page on one server."""

    def __init__(self, page: TranslatedPage, catalog: Catalog, host: str = "127.0.0.1") -> None:
        """
        Args:
            host: what the server listens on.
        """
        self.page, self.catalog = page, catalog
        self.names = Names.from_environment(host)
        self.models = BrowserModels(catalog)
        # Only a Space certainly has a proxy in front, which nobody can go round.
        parts = TRAINING_PARTS if rights.is_offered() else PARTS
        self.guard = Guard(MAX_FILE_BYTES, account.on_space(), Counts.from_environment(), self._events, parts)
        scope.set_apart()
        page.queue(max_size=QUEUED, api_open=False)  # open, what waits in the queue could be asked past it
        # Gradio looks for work a thousand times a second, which takes 4 % of a core from the networks.
        page._queue.sleep_when_free = 0.01

    @property
    def launch_options(self) -> dict[str, Any]:
        """Arguments of `Blocks.launch`."""
        return {
            "app_kwargs": {
                "middleware": [Middleware(SafeHeaders), Middleware(SpeakLanguage), Middleware(self.guard.around)],
                "routes": [
                    Route("/healthz", self.health),
                    Route(scope.LOGIN, scope.log_in),
                    *self.models.routes,
                ],
                "lifespan": self._lifespan,
            },
            "max_file_size": MAX_FILE_BYTES,
            "state_session_capacity": SESSIONS,
            "enable_monitoring": False,
            "strict_cors": True,
            # Gradio's Node server would ask in its own name: not in the visitor's language nor from their address.
            "ssr_mode": False,
        }

    async def health(self, request: Request) -> JSONResponse:
        """Whether to send visitors here: 200, or 503 once the server is ending."""
        translators = list(self.catalog.translators.values())
        waiting = self.guard.queue
        said = {
            "status": "closing" if self.guard.closing else "ok",
            "networks": {
                "loaded": sum(t.is_loaded for t in translators),
                "total": len(translators),
                "warm": self.catalog.is_warm,
            },
            "questions": {"running": waiting.running, "waiting": len(waiting)},
        }
        return JSONResponse(said, 503 if self.guard.closing else 200, {"Cache-Control": "no-store"})

    def serve_until_told_to_end(self) -> None:
        """Block until SIGTERM or Ctrl-C, then let running work finish for at most `PATIENCE`, and close."""
        told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told.set())
        # Again and again: a signal that the system hands to another thread does not wake this one.
        while not told.wait(0.5):
            pass
        self.guard.closing = True
        end = time.monotonic() + PATIENCE
        while self._is_busy() and time.monotonic() < end:
            time.sleep(0.05)
        self.catalog.stop_warming(PATIENCE)
        self.page.close(verbose=False)

    def _events(self) -> Iterator[Visitor]:
        """Whose events wait or run in Gradio's queue."""
        queue = self.page._queue
        waiting = [event for one in queue.event_queue_per_concurrency_id.values() for event in one.queue]
        running = [event for job in queue.active_jobs for event in job or ()]
        for event in (*waiting, *running):
            address = event.request.headers.get(ADDRESS.decode(), "") if event.request else ""
            yield address, event.session_hash or ""

    def _is_busy(self) -> bool:
        questions, events = self.guard.queue, self.page._queue
        # A copy: the queue belongs to the loop's thread, and this is asked from another.
        waiting = any(one.queue for one in list(events.event_queue_per_concurrency_id.values()))
        return bool(questions.running or len(questions) or waiting or any(events.active_jobs))

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Any) -> AsyncIterator[None]:
        # Here and not among the middleware: Gradio puts its own before those, which answers other sites by itself.
        app.middleware_stack = OwnOrigin(KeepPage(app.middleware_stack, self._edition), self.names)
        tasks = [asyncio.create_task(task) for task in (_keep_tidy(), self._follow())]
        yield
        for task in tasks:
            task.cancel()

    def _edition(self) -> int:
        return self.page.edition

    async def _follow(self) -> None:
        """Have the page list the checkpoints that there are, as trainings bring them and people throw them away."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                if edition := await anyio.to_thread.run_sync(self._anew):
                    self.page.take(edition)
            except Exception:
                # Whatever lies in the folder, the page as it is goes on, and looks again.
                log.exception("looking for new checkpoints failed")
            self.catalog.warm_new()

    def _anew(self) -> Edition | None:
        self.catalog.look_again(jobs.tried() if rights.is_offered() else {})
        return None if self.page.listed is self.catalog.translators else self.page.anew()


def private_folder(port: int) -> Path:
    """A folder for uploads and results that nobody else can look into, and that no other program tidies or uses.

    A page that starts again on its port finds, and tidies, what it left.
    """
    folder = Path(tempfile.gettempdir()) / f"i2i-{os.getuid() if hasattr(os, 'getuid') else ''}-{port}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if is_private(folder):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="i2i-"))  # somebody else took the name


async def _keep_tidy() -> None:
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        own_models.close_old()
        try:
            await anyio.to_thread.run_sync(tidy, Path(get_upload_folder()))
        except OSError:
            log.exception("tidying up the uploads failed")


def tidy(
    folder: Path, max_bytes: int = TEMPORARY_BYTES, max_age: float = KEPT_SECONDS, max_files: int = TEMPORARY_FILES
) -> None:
    """Delete a folder's old files, and the oldest of the others until they fit; uploads that broke off are among them.

    Gradio's own `delete_cache` knows only the files of finished uploads, and no bound but their age.
    """
    found = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # gone meanwhile
            if path.is_file() and not path.is_symlink():
                state = path.stat()
                found.append((state.st_mtime, state.st_size, path))
    total, count, now = sum(size for _, size, _ in found), len(found), time.time()
    for changed, size, path in sorted(found, key=lambda one: one[0]):
        if now - changed <= max_age and total <= max_bytes and count <= max_files:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            total, count = total - size, count - 1
            if path.parent != folder:
                path.parent.rmdir()  # one folder a file; if another lies in it this fails, which is right
