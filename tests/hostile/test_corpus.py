"""A corpus of hostile and odd requests: each gets a clear answer, and the server works afterwards."""

import io
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
from PIL import Image
from tiny_checkpoints import PAIRED, STYLED

from ui import text

from .conftest import Server, drawing

ASK = "/gradio_api/component_server/"
PASSWD = "/etc/passwd"


class Case(NamedTuple):
    """What is sent, and what must come back: the status and words of the answer."""

    send: Callable[[Server], httpx.Response]
    status: int
    says: str = ""


def words(sentence: str) -> str:
    """The part of a sentence before its first blank to be filled in."""
    return sentence.partition("{")[0]


def says(data: dict[str, Any], sentence: str) -> Case:
    """A question of the right form with wrong data, answered with a sentence."""
    return Case(lambda s: s.ask(s.question(data)), 200, words(sentence))


def body(says: str = text.SERVER["bad_request"], status: int = 400, **changes: Any) -> Case:
    """A question whose outermost fields are changed."""
    return Case(lambda s: s.ask(s.question(**changes)), status, says)


def raw(content: bytes | Callable[[], Any], status: int = 400, says: str = "", **headers: str) -> Case:
    """Bytes in place of a question."""
    sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return Case(
        lambda s: s.client.post(ASK, content=content() if callable(content) else content, headers=sent), status, says
    )


def picture(data: bytes, says: str, status: int = 200, name: str = "picture.png", **fields: Any) -> Case:
    """A visitor's file."""

    def send(server: Server) -> httpx.Response:
        form = {
            "checkpoint": PAIRED,
            "direction": "A2B",
            "component_id": str(server.components["open_picture"]),
            "fn_name": "open_picture",
            "session_hash": "visitor",
            **fields,
        }
        return server.client.post(ASK, data=form, files={"file": (name, data)})

    return Case(send, status, says)


def get(path: str, status: int, says: str = "", **headers: str) -> Case:
    """A page or file."""
    return Case(
        lambda s: s.client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()}), status, says
    )


def post(path: str, status: int, says: str = "", **options: Any) -> Case:
    """Any other request."""
    return Case(lambda s: s.client.post(path, **options), status, says)


def call(name: str, data: list[Any], says: str) -> Case:
    """An endpoint for programs; what its event stream ends with."""

    def send(server: Server) -> httpx.Response:
        event = server.client.post(f"/gradio_api/call/{name}", json={"data": data}).json()["event_id"]
        return server.client.get(f"/gradio_api/call/{name}/{event}")

    return Case(send, 200, says)


def file(path: str) -> dict[str, Any]:
    """A file as a client names it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """An image's file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header claims a size, whatever is behind it."""

    def chunk(kind: bytes, inside: bytes) -> bytes:
        return len(inside).to_bytes(4, "big") + kind + inside + zlib.crc32(kind + inside).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def chunks(size: int) -> Any:
    """A body of unknown length."""
    return (b" " * 65536 for _ in range(size // 65536 + 1))


SMALL = Image.new("RGB", (40, 30), "red")
JPEG = encoded(SMALL, "JPEG")
NO_JSON = "Invalid JSON body"
"""What Gradio says of a body that is not as its own."""
DAMAGED, NO_IMAGE = "damaged or incomplete", "not an image that can be read"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

QUESTIONS = {
    "unknown checkpoint": says({"checkpoint": "nobody"}, text.SERVER["unknown_checkpoint"]),
    "checkpoint as path": says({"checkpoint": "../../etc"}, text.SERVER["unknown_checkpoint"]),
    "checkpoint as Hub id": says({"checkpoint": "owner/name"}, text.SERVER["unknown_checkpoint"]),
    "checkpoint as object": says({"checkpoint": {"$ne": 1}}, text.SERVER["unknown_checkpoint"]),
    "markup for a checkpoint": says({"checkpoint": "<script>" * 1000}, text.SERVER["unknown_checkpoint"]),
    "direction backwards": says({"direction": "B2A"}, text.SERVER["bad_direction"]),
    "direction as list": says({"direction": ["A2B"]}, text.SERVER["bad_direction"]),
    "no image": says({"image": None}, text.SERVER["bad_request"]),
    "image as path": says({"image": PASSWD}, text.SERVER["bad_request"]),
    "image as file address": says({"image": "file:///etc/passwd"}, text.SERVER["bad_request"]),
    "image as web address": says({"image": "http://169.254.169.254/latest"}, text.SERVER["bad_request"]),
    "image no base64": says({"image": "data:image/png;base64,%%%"}, text.SERVER["bad_request"]),
    "image with letters beyond ASCII": says({"image": "data:image/png;base64,ÄÖÜ"}, text.SERVER["bad_request"]),
    "image without data": says({"image": "data:image/png;base64,"}, NO_IMAGE),
    "image of half a surrogate": says({"image": "data:image/png;base64,\ud800"}, text.SERVER["bad_request"]),
    "image too long": says({"image": "data:image/png;base64," + "A" * 4_000_001}, text.SERVER["drawing_too_large"]),
    "unknown key": Case(lambda s: s.ask(s.question({"image": None, "key": "f" * 32})), 200, '"forgotten":true'),
    "key of a megabyte": Case(lambda s: s.ask(s.question({"image": None, "key": "f" * 10**6})), 200, "forgotten"),
    "key of half a surrogate": Case(lambda s: s.ask(s.question({"image": None, "key": "\ud800"})), 200, "forgotten"),
    "seed negative": says({"seed": -1}, text.SERVER["bad_seed"]),
    "seed huge": says({"seed": 10**30}, text.SERVER["bad_seed"]),
    "seed as text": says({"seed": "1; DROP TABLE"}, text.SERVER["bad_seed"]),
    "temperature negative": says({"temperature": -1}, text.SERVER["bad_temperature"]),
    "temperature huge": says({"temperature": 10**400}, text.SERVER["bad_temperature"]),
    "style without styles": says({"style": [0.0] * 8}, text.SERVER["no_style"]),
    "style too short": says({"checkpoint": STYLED, "style": [0.0]}, "8"),
    "style nested": says({"checkpoint": STYLED, "style": [[0.0] * 8]}, "numbers only"),
    "style of a million": says({"checkpoint": STYLED, "style": [0] * 10**6}, "8 numbers"),
    "style huge": says({"checkpoint": STYLED, "style": [10**400] * 8}, "lie between"),
    "way back of one way": says({"way_back": True}, text.SERVER["no_way_back"]),
    "way back as object": says({"way_back": {}}, text.SERVER["bad_request"]),
    "interpolation without a code": says(
        {"second": {"image": drawing()}, "share": 0.5}, text.SERVER["no_interpolation"]
    ),
    "data as text": body(says=text.SERVER["bad_request"], status=200, data="text"),
    "data as list": body(says=text.SERVER["bad_request"], status=200, data=[1, 2]),
}
BODIES = {
    "unknown component": body(component_id=10**9),
    "component as text": body(NO_JSON, component_id="__class__"),
    "component as list": body(NO_JSON, component_id=[1]),
    "component null": body(NO_JSON, component_id=None),
    "unknown function": body(fn_name="nobody", status=404, says="not found"),
    "private function": body(fn_name="__init__", status=404, says="not found"),
    "function of the framework": body(fn_name="get_config", status=404, says="not found"),
    "function as number": body(NO_JSON, fn_name=7),
    "session as list": body(NO_JSON, session_hash=[]),
    "session as object": body(NO_JSON, session_hash={"a": 1}),
    "nothing": raw(b""),
    "no JSON": raw(b"{"),
    "JSON list": raw(b"[]"),
    "JSON number": raw(b"1e999"),
    "NaN for data": raw(b'{"data":NaN,"component_id":NaN,"fn_name":NaN,"session_hash":NaN}'),
    "deep JSON": raw(b"[" * 200_000),
    "no UTF-8": raw(b'{"data": "\xff\xfe"}'),
    "zeros": raw(b"\0" * 1000),
    "a gzip bomb's head": raw(b"\x1f\x8b" + b"\0" * 1000, Content_Encoding="gzip"),
    "10 MB": raw(b" " * 10_000_000, 413, words(text.LIMITS["too_large"])),
    "10 MB without a length": raw(lambda: chunks(10_000_000), 413, words(text.LIMITS["too_large"])),
    "form without boundary": raw(b"data", Content_Type="multipart/form-data"),
    "form that ends early": raw(b"--x\r\nContent-Disposition: form", Content_Type="multipart/form-data; boundary=x"),
    "a form of 2000 fields": post(ASK, 400, data={f"f{i}": "" for i in range(2000)}, files={"file": b""}),
}
FILES = {
    "empty file": picture(b"", NO_IMAGE),
    "text as picture": picture(b"this is no image", NO_IMAGE),
    "page as picture": picture(b"<html><script>alert(1)</script></html>", NO_IMAGE),
    "SVG with a script": picture(SVG, NO_IMAGE),
    "PDF": picture(b"%PDF-1.7\n1 0 obj", NO_IMAGE),
    "PostScript": picture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", NO_IMAGE),
    "icon": picture(encoded(SMALL, "ICO"), NO_IMAGE),
    "pickle": picture(b"\x80\x04cos\nsystem\n(S'id'\ntR.", NO_IMAGE),
    "half a JPEG": picture(JPEG[: len(JPEG) // 2], DAMAGED),
    "PNG without pixels": picture(png(64, 64), DAMAGED),
    "PNG of 30,000 × 30,000": picture(png(30_000, 30_000), "too large"),
    "PNG of 4 billion a side": picture(png(2**31 - 1, 2**31 - 1), "too large"),
    "PNG of nothing": picture(png(0, 0), ""),
    "one pixel": picture(encoded(Image.new("RGB", (1, 1))), "too small"),
    "a strip": picture(encoded(Image.new("RGB", (20_000, 2))), "pictures"),
    "36 megapixels in few bytes": picture(encoded(Image.new("1", (6000, 6000))), "pictures"),
    "a bomb below its name": picture(encoded(Image.new("1", (9000, 9000))), "make it smaller"),
    "an animation": picture(
        encoded(SMALL, "GIF", save_all=True, append_images=[SMALL.rotate(i) for i in range(50)]), "pictures"
    ),
    "a name that climbs": picture(JPEG, "pictures", name="../../../../etc/cron.d/x.png"),
    "a name of nothing": picture(JPEG, text.SERVER["bad_request"], name=""),
    "a name of a kilobyte": picture(JPEG, "pictures", name="x" * 1000 + ".png"),
    "a file for nobody": picture(JPEG, words(text.SERVER["unknown_checkpoint"]), checkpoint="nobody"),
    "21 MB": picture(b"\0" * 21_000_000, "", 413),
    "40 MB": picture(b"\0" * 40_000_000, words(text.LIMITS["too_large"]), 413),
}
LINKS = {
    "a file of the system": get(f"/gradio_api/file={PASSWD}", 403, "not allowed"),
    "a file by climbing in code": get("/gradio_api/file=%2e%2e%2f%2e%2e%2fetc%2fpasswd", 403, "not allowed"),
    "the source": get("/gradio_api/file=app.py", 403, "not allowed"),
    "the weights": get(f"/gradio_api/file=checkpoints/{PAIRED}/model.safetensors", 403, "not allowed"),
    "a file with a zero": get("/gradio_api/file=/etc/passwd%00.png", 403, "not allowed"),
    "the folder of uploads": Case(lambda s: s.client.get(f"/gradio_api/file={s.uploads}"), 403, "not allowed"),
    "a web address as file": get("/gradio_api/file=http://127.0.0.1:1/", 404, text.LIMITS["closed"]),
    "a safe web address as file": get("/gradio_api/file=https://example.com/", 404, text.LIMITS["closed"]),
    "a web address in capitals": get("/gradio_api/file=HTTP://127.0.0.1:1/", 404, text.LIMITS["closed"]),
    "a proxy": get("/gradio_api/proxy=https://example.com/", 404, text.LIMITS["closed"]),
    "a film to cut": post("/gradio_api/process_recording", 404, text.LIMITS["closed"], files={"file": b"x"}),
    "the source to edit": post("/gradio_api/vibe-edit/", 404, text.LIMITS["closed"], json={"prompt": "x"}),
    "statistics": get("/monitoring/summary", 403, "not enabled"),
    "assets by climbing": get("/assets/..%2f..%2f..%2fapp.py", 403),
    "static by climbing": get("/static/%2e%2e/%2e%2e/routes.py", 403),
    "unknown page": get("/wp-admin.php", 404),
    "a long address": get("/" + "a" * 20_000, 404),
    "languages without end": get("/", 200, Accept_Language="xx;q=" * 2000),
    "a strange range": get("/theme.css", 200, Range="bytes=9999999999-1"),
    "a forged sender": get("/healthz", 200, '"ok"', X_Forwarded_For="' OR 1=1 --, ::1, 999.9.9.9"),
    "method PUT": Case(lambda s: s.client.put(ASK), 405),
    "method TRACE": Case(lambda s: s.client.request("TRACE", ASK), 405),
    "method that nothing takes": Case(lambda s: s.client.request("TRACE", ASK), 405, "Method Not Allowed"),
}
API = {
    "translate a file of the system": call("translate", [file(PASSWD), PAIRED], "event: error"),
    "translate a web address": call("translate", [file("http://127.0.0.1:1/a.png"), PAIRED], "event: error"),
    "translate nothing": call("translate", [None, PAIRED], "event: error"),
    "translate without arguments": call("translate", [], "event: error"),
    "translate with a hundred": call("translate", [None] * 100, "event: error"),
    "sample a billion styles": call("sample_styles", [STYLED, 10**9, 0], "event: error"),
    "interpolate a million steps": call("interpolate", [None, STYLED, [], [], "A2B", 10**6], "event: error"),
    "unknown endpoint": post("/gradio_api/call/nobody", 404, json={"data": []}),
    "event of nobody": get("/gradio_api/call/translate/nobody", 200, "event: error"),
    "past the queue": post("/gradio_api/run/translate", 404, json={"data": []}),
    "queue without an event": post("/gradio_api/queue/join", 422, json={}),
    "queue for event a billion": post(
        "/gradio_api/queue/join", 404, json={"data": [], "fn_index": 10**9, "session_hash": "x"}
    ),
    "queue with 10 MB": post(
        "/gradio_api/queue/join",
        413,
        words(text.LIMITS["too_large"]),
        content=b" " * 10_000_000,
        headers={"Content-Type": "application/json"},
    ),
    "cancel nothing": post("/gradio_api/cancel", 200, json={"session_hash": "x", "fn_index": 0, "event_id": "x"}),
    "upload no form": post("/gradio_api/upload", 400, json={"files": "x"}),
    "a body of no kind": post("/gradio_api/queue/join", 415, text.LIMITS["no_type"], content=b"{}"),
    "a body of plain text": post(
        "/gradio_api/queue/join", 415, text.LIMITS["no_type"], content=b"{}", headers={"Content-Type": "text/plain"}
    ),
    "upload a name that climbs": post("/gradio_api/upload", 200, "", files={"files": ("../../x.png", JPEG)}),
    "upload 21 MB": post("/gradio_api/upload", 413, "", files={"files": ("x", b"\0" * 21_000_000)}),
}
CASES = {**QUESTIONS, **BODIES, **FILES, **LINKS, **API}


def test_the_corpus_is_large_enough() -> None:
    assert len(CASES) >= 60
    assert sum(map(len, (QUESTIONS, BODIES, FILES, LINKS, API))) == len(CASES), "two cases have the same name"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_odd_request_gets_a_clear_answer(server: Server, case: Case) -> None:
    response = case.send(server)
    assert (response.status_code, case.says in response.text) == (case.status, True), response.text[:300]
    assert "Traceback" not in response.text
    server.works()


def test_nothing_of_it_was_an_error_of_ours(server: Server) -> None:
    assert "ERROR ui" not in server.log
    # Gradio's queue prints what it thinks of too few or too many arguments.
    tracebacks = server.log.count("Traceback")
    assert tracebacks == server.log.count("An event handler (")
