"""The scripts and the runtime that browsers run, under addresses that name their content."""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

HERE = Path(__file__).parent
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json", ".wasm": "application/wasm"}
FOREVER = "public, max-age=31536000, immutable"


class Packed(NamedTuple):
    """A folder's files as gzip, found by name, and its address below the page's, which changes when they do."""

    address: str
    files: Mapping[str, bytes]

    def answer(self, request: Request) -> Response:
        """A file, as every browser takes it: packed, and never to be asked for again."""
        name = request.path_params["name"]
        packed = self.files.get(name)
        if packed is None:
            return Response(status_code=404)
        headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
        media_type = TYPES[Path(name).suffix]
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(packed), 200, headers, media_type)
        return Response(packed, 200, {**headers, "Content-Encoding": "gzip"}, media_type)


def _packed(kind: str, files: Mapping[str, bytes]) -> Packed:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return Packed(f"browser/{kind}/{digest.hexdigest()[:20]}/", files)


def _of(path: Path) -> bytes:
    data = path.read_bytes()
    return data if path.suffix == ".gz" else gzip.compress(data, 9, mtime=0)


def _runtime() -> Packed:
    folder = HERE / "runtime"
    names = ("ort.mjs", "ort.wasm.gz", "runtime.json")
    return _packed("runtime", {name.removesuffix(".gz"): _of(folder / name) for name in names})


def _scripts() -> Packed:
    return _packed("scripts", {path.name: _of(path) for path in sorted(HERE.glob("*.js"))})


SCRIPTS = _scripts()
"""The modules beside this file."""
RUNTIME = _runtime()
"""ONNX Runtime Web, as `make runtime` fetched it."""
