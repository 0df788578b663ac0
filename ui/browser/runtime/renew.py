"""Fetch ONNX Runtime Web from npm and keep what browsers need of it, packed: `make runtime` [VERSION=1.30.0].

One build does both: it has the WebGPU backend and the WASM one, and its WASM kernels are as quick as those of the build
without WebGPU. `npm pack` only downloads; nothing of the package is executed here, and users of the page need no Node.
"""

import gzip
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "onnxruntime-web"
FILES = {"ort.mjs": "dist/ort.webgpu.bundle.min.mjs", "ort.wasm": "dist/ort-wasm-simd-threaded.asyncify.wasm"}
"""What the page calls them → where they are in the package."""
PACKED = ("ort.wasm",)
"""Kept as gzip: every browser unpacks it, over plain HTTP too, where none takes brotli."""
HERE = Path(__file__).parent


def renew(version: str) -> None:
    """Replace the files beside this one by those of a version, such as 1.30.0 or latest."""
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run(
            ["npm", "pack", "--json", "--pack-destination", folder, f"{PACKAGE}@{version}"],
            check=True,
            capture_output=True,
            text=True,
        )
        (packed,) = json.loads(said.stdout)
        with tarfile.open(Path(folder) / packed["filename"]) as archive:
            found = {name: _read(archive, f"package/{path}") for name, path in FILES.items()}
    described = {"package": PACKAGE, "version": packed["version"], "integrity": packed["integrity"], "license": "MIT"}
    files: dict[str, dict[str, int | str]] = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in found.items()
    }
    for name, data in found.items():
        if name in PACKED:
            gzipped = gzip.compress(data, 9, mtime=0)
            (HERE / f"{name}.gz").write_bytes(gzipped)
            files[name]["packed"] = len(gzipped)
        else:
            (HERE / name).write_bytes(data)
    (HERE / "runtime.json").write_text(json.dumps({**described, "files": files}, indent=1) + "\n", encoding="utf-8")
    print(f"{PACKAGE} {packed['version']}: {', '.join(f'{k} {len(v) / 1e6:.1f} MB' for k, v in found.items())}")


def _read(archive: tarfile.TarFile, path: str) -> bytes:
    file = archive.extractfile(path)
    assert file is not None, f"{PACKAGE} has no {path} any more: see its README for the builds that there are"
    return file.read()


if __name__ == "__main__":
    renew(sys.argv[1] if len(sys.argv) > 1 else "latest")
