"""For programs: the endpoints through gradio_client, the same as MCP tools, and what neither may do."""

import base64
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
from conftest import run_async
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageDraw

import app
import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.inference.remote import NetworkServer, RemoteNetworks
from ui import api, page, text
from ui.answers import Answers
from ui.catalog import Catalog
from ui.multimodal.answers import StyleAnswers
from ui.service import Service
from ui.uploads import MAX_FILE_BYTES

ENDPOINTS = {"checkpoints", "translate", "cycle", "encode_style", "sample_styles", "outline"}
ENDPOINTS |= {"interpolate", "interpolation_strip"}
PAIRED, STYLED = "tiny-pix2pix", "tiny-munit"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two untrained checkpoints: one direction and dropout; both directions and styles."""
    folder = tmp_path_factory.mktemp("checkpoints")
    networks = {
        PAIRED: i2i.Pix2Pix(i2i.Pix2PixConfig(base_width=4, depth=4, discriminator_width=4)),
        STYLED: i2i.MUNIT(i2i.MUNITConfig(base_width=4, blocks=1, mlp_width=8, discriminator_width=4)),
    }
    domains = {"A": checkpoints.Domain("outline", "outline"), "B": checkpoints.Domain("emoji")}
    for name, network in networks.items():
        checkpoints.save(
            folder / name, network, checkpoints.Info(name, f"Title of {name}", network.method, 32, domains)
        )
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    """The whole page with MCP, as app.py starts it."""
    pytest.importorskip("mcp")
    blocks, _ = page.build(folder)
    _, address, _ = blocks.launch(
        prevent_thread_lock=True,
        quiet=True,
        mcp_server=True,
        max_file_size=MAX_FILE_BYTES,
        server_name="127.0.0.1",
    )
    yield address.rstrip("/")
    blocks.close()


@pytest.fixture(scope="module")
def client(server: str) -> Client:
    return Client(server, verbose=False)


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A line drawing that is neither square nor of the network's size."""
    image = Image.new("RGB", (60, 40), "white")
    ImageDraw.Draw(image).ellipse((10, 5, 45, 35), outline="black", width=3)
    image.save(tmp_path / "drawing.png")
    return tmp_path / "drawing.png"


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_every_endpoint_is_documented_and_no_other_is_public(client: Client) -> None:
    info = client.view_api(return_format="dict", print_info=False)
    assert {name.lstrip("/") for name in info["named_endpoints"]} == ENDPOINTS
    assert not info["unnamed_endpoints"]
    for name, endpoint in info["named_endpoints"].items():
        assert endpoint["description"], name
        assert all(parameter["type"] for parameter in endpoint["parameters"]), name


def test_checkpoints_are_described(client: Client) -> None:
    found = {entry["name"]: entry for entry in client.predict(api_name="/checkpoints")}
    assert set(found) == {PAIRED, STYLED}
    assert found[PAIRED] == {
        "name": PAIRED,
        "title": f"Title of {PAIRED}",
        "method": "pix2pix",
        "size": 32,
        "directions": ["A2B"],
        "domains": {
            "A": {"name": "outline", "kind": "outline", "palette": {}},
            "B": {"name": "emoji", "kind": "picture", "palette": {}},
        },
        "paired": True,
        "chance": "dropout",
        "style_numbers": 0,
    }
    assert found[STYLED]["directions"] == ["A2B", "B2A"] and found[STYLED]["style_numbers"] == 8


def test_translate_gives_what_the_translator_gives(client: Client, folder: Path, drawing: Path) -> None:
    result = client.predict(handle_file(str(drawing)), PAIRED, api_name="/translate")
    expected = i2i.load(folder / PAIRED).translate(Image.open(drawing))
    assert pixels(result).shape == (40, 60, 3)
    assert np.abs(pixels(result).astype(int) - np.asarray(expected)).max() <= 1


def test_seed_and_style_decide_the_result(client: Client, drawing: Path) -> None:
    def ask(name: str, **options: Any) -> bytes:
        image = handle_file(str(drawing))
        return pixels(client.predict(image, name, api_name="/translate", **options)).tobytes()

    assert ask(PAIRED, seed=1) == ask(PAIRED, seed=1) != ask(PAIRED, seed=2)
    one, two = client.predict(STYLED, n=2, seed=3, api_name="/sample_styles")
    assert len(one) == len(two) == 8 and one != two
    assert client.predict(STYLED, n=2, seed=3, api_name="/sample_styles") == [one, two]
    assert ask(STYLED, style=one) == ask(STYLED, style=one) != ask(STYLED, style=two)
    assert ask(STYLED, seed=1, temperature=0) == ask(STYLED)
    assert ask(STYLED, direction="B2A") != ask(STYLED)


def test_a_style_is_read_off_an_image_and_given_to_another(client: Client, folder: Path, drawing: Path) -> None:
    style = client.predict(handle_file(str(drawing)), STYLED, "B", api_name="/encode_style")
    expected = i2i.load(folder / STYLED).encode_style(Image.open(drawing), "B")
    assert style == pytest.approx(expected.tolist(), abs=1e-3)
    assert pixels(client.predict(handle_file(str(drawing)), STYLED, style=style, api_name="/translate")).size


def test_interpolation_begins_and_ends_with_the_two_styles(client: Client, drawing: Path) -> None:
    one, two = client.predict(STYLED, n=2, seed=0, api_name="/sample_styles")
    image = handle_file(str(drawing))
    frames = client.predict(image, STYLED, one, two, "A2B", 5, api_name="/interpolate")
    strip = client.predict(image, STYLED, one, two, "A2B", 5, api_name="/interpolation_strip")
    shown = [pixels(frame) for frame in frames]
    assert len(shown) == 5
    assert np.array_equal(pixels(strip), np.concatenate(shown, axis=1))
    ends = [pixels(client.predict(image, STYLED, style=style, api_name="/translate")) for style in (one, two)]
    for end, frame in zip(ends, (shown[0], shown[-1]), strict=True):
        assert np.abs(end.astype(int) - frame).max() <= 1


def test_cycle_goes_there_and_back(client: Client, folder: Path, drawing: Path) -> None:
    image = handle_file(str(drawing))
    there = client.predict(image, STYLED, seed=1, api_name="/translate")
    back = client.predict(image, STYLED, seed=1, api_name="/cycle")
    translator = i2i.load(folder / STYLED)
    expected = translator.translate(Image.open(there), "B2A", translator.encode_style(Image.open(drawing), "A"))
    assert np.abs(pixels(back).astype(int) - np.asarray(expected)).max() <= 1


def test_outline_is_that_of_training(client: Client, drawing: Path) -> None:
    result = client.predict(handle_file(str(drawing)), api_name="/outline")
    assert np.array_equal(pixels(result), np.asarray(i2i.outline(Image.open(drawing))))


def test_a_large_picture_comes_back_smaller_than_it_went(client: Client, tmp_path: Path) -> None:
    Image.new("RGB", (4100, 410), "white").save(tmp_path / "wide.png")
    result = client.predict(handle_file(str(tmp_path / "wide.png")), PAIRED, api_name="/translate")
    assert Image.open(result).size == (2048, 205)


@pytest.mark.parametrize(
    "endpoint, options, words",
    [
        ("translate", {"checkpoint": "nobody"}, "no model called nobody"),
        ("translate", {"checkpoint": ["a", "list"]}, "no model called"),
        ("translate", {"direction": "B2A"}, "pix2pix translates A2B"),
        ("translate", {"direction": 7}, "pix2pix translates A2B"),
        ("translate", {"seed": -1}, "seed must be"),
        ("translate", {"temperature": 50}, "temperature must be"),
        ("translate", {"style": [0.0] * 8}, "no styles"),
        ("translate", {"checkpoint": STYLED, "style": [0.0] * 3}, "8 numbers"),
        ("translate", {"checkpoint": STYLED, "style": "blue"}, "list of 8 numbers"),
        ("translate", {"checkpoint": STYLED, "style": [1e9] * 8}, "between"),
        ("translate", {"image": None}, "uploaded file"),
        ("translate", {"image": "/etc/passwd"}, "uploaded file"),
        ("cycle", {}, "one direction only"),
        ("encode_style", {}, "no styles"),
        ("encode_style", {"checkpoint": STYLED, "domain": "C"}, "domains A and B"),
        ("sample_styles", {"checkpoint": STYLED, "n": 10_000}, "n must be a whole number from 1 to 64"),
        ("interpolate", {"checkpoint": STYLED, "style_from": [0.0], "style_to": [0.0]}, "8 numbers"),
        ("interpolate", {"checkpoint": STYLED, "style_from": [], "style_to": [], "steps": 1}, "steps must be"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(
    client: Client, drawing: Path, endpoint: str, options: dict[str, Any], words: str
) -> None:
    given = {"image": handle_file(str(drawing)), "checkpoint": PAIRED, **options}
    if endpoint == "sample_styles":
        del given["image"]
    with pytest.raises(AppError) as caught:
        client.predict(**given, api_name=f"/{endpoint}")
    sentence = str(caught.value)
    assert words in sentence and "\n" not in sentence and "Traceback" not in sentence


def test_bad_files_are_answered_with_one_sentence(client: Client, odd_files: dict[str, Path]) -> None:
    for name, path in odd_files.items():
        with pytest.raises(AppError) as caught:
            client.predict(handle_file(str(path)), PAIRED, api_name="/translate")
        assert str(caught.value).strip("'\"").endswith("."), name
        assert "verbose error" not in str(caught.value), name


def call(server: str, name: str, *data: Any) -> str:
    """Call an endpoint by bare HTTP, as anybody may; the text of the answer's last event."""
    started = httpx.post(f"{server}/gradio_api/call/{name}", json={"data": list(data)})
    events = httpx.get(f"{server}/gradio_api/call/{name}/{started.json()['event_id']}", timeout=60).text
    return events.strip().split("event: ")[-1]


META = {"meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    "extra", [{}, {"meta": None}, META, {**META, "is_stream": True}, {**META, "url": "/etc/passwd"}]
)
@pytest.mark.parametrize("path", ["/etc/passwd", "pyproject.toml", "{folder}/../../etc/passwd", "", "a\0b"])
def test_no_file_of_the_server_can_be_read(server: str, path: str, extra: dict[str, Any]) -> None:
    path = path.replace("{folder}", api.get_upload_folder())
    answer = call(server, "translate", {"path": path, **extra}, PAIRED)
    assert answer.startswith("error") and text.API["not_uploaded"] in answer


class Bait(BaseHTTPRequestHandler):
    """A server that remembers what it was asked for."""

    asked: list[str] = []  # noqa: RUF012 - shared on purpose: a handler is made for each request

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(404)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def bait() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Bait)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("extra", [{}, META, {**META, "is_stream": True}])
def test_no_address_is_fetched(server: str, bait: str, extra: dict[str, Any]) -> None:
    far = "https://example.com/a.png"
    for file in ({"path": f"{bait}/a.png"}, {"path": far}, {"path": far.upper()}, {"path": "", "url": f"{bait}/b.png"}):
        answer = call(server, "translate", {**file, **extra}, PAIRED)
        assert answer.startswith("error")
        assert text.API["no_addresses" if file["path"] else "not_uploaded"] in answer
    answer = call(server, "translate", {"path": f"{bait}{api.UPLOADED}/etc/passwd", **extra}, PAIRED)
    assert text.API["not_uploaded"] in answer
    assert Bait.asked == []


def test_an_unexpected_error_shows_a_number_and_no_detail(caplog: pytest.LogCaptureFixture) -> None:
    def broken(image: Any) -> Any:
        raise RuntimeError("secret detail")

    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as caught:
        api._answering(broken)(None)
    assert "secret" not in caught.value.message and "number" in caught.value.message
    assert "secret detail" in caplog.text and "broken" in caplog.text


def test_networks_that_run_elsewhere_are_not_read_here(folder: Path, drawing: Path) -> None:
    catalog = Catalog(folder, elsewhere=RemoteNetworks(lambda method, *asked: getattr(far, method)(*asked), 2))
    far = NetworkServer()
    programs, styles = api.Api(catalog), StyleAnswers(Answers(catalog))
    image = {"path": str(drawing), **META}
    for name in (PAIRED, STYLED):
        programs.translate(image, name, "A2B", seed=1)
    assert len(programs.sample_styles(STYLED, 2)) == 2
    question = {"checkpoint": STYLED, "direction": "A2B"}
    (style,) = styles.sample({**question, "seed": 1, "count": 1})["styles"]
    assert styles.draw({**question, "image": data_url(drawing), "style": style})["image"]
    assert [name for name, t in catalog.translators.items() if "network" in vars(t.engine)] == []


def test_the_networks_share_one_limit(folder: Path) -> None:
    with api.Page() as blocks:
        api.add_api(Catalog(folder))
    limits = {str(fn.api_name): (fn.queue, fn.concurrency_id, fn.concurrency_limit) for fn in blocks.fns.values()}
    quick = {"checkpoints", "sample_styles"}
    assert {name for name, (queue, _, _) in limits.items() if not queue} == quick
    assert {limits[name] for name in ENDPOINTS - quick} == {(True, "networks", 2)}


# ---- MCP


def with_mcp(server: str, use: Any) -> Any:
    """Run `use(session)` with a real MCP client over streamable HTTP."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def run() -> Any:
        async with (
            streamablehttp_client(f"{server}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await use(session)

    return run_async(run())


def data_url(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def test_the_tools_are_the_endpoints(server: str) -> None:
    tools = {tool.name: tool for tool in with_mcp(server, lambda session: session.list_tools()).tools}
    assert set(tools) == ENDPOINTS, "an event of the page is no tool"
    translate = tools["translate"]
    assert translate.description is not None and translate.description.startswith("Translate an image")
    schema = translate.inputSchema
    assert schema["required"] == ["image", "checkpoint"]
    assert set(schema["properties"]) == {"image", "checkpoint", "direction", "seed", "temperature", "style"}
    assert schema["properties"]["image"]["type"] == "string"
    assert schema["properties"]["direction"]["enum"] == ["A2B", "B2A"]
    for name, tool in tools.items():
        assert tool.description and len(tool.description) > 40, name
        assert all(parameter.get("description") for parameter in tool.inputSchema["properties"].values()), name


def test_a_tool_translates_a_data_url(server: str, folder: Path, drawing: Path) -> None:
    arguments = {"image": data_url(drawing), "checkpoint": PAIRED}
    result = with_mcp(server, lambda session: session.call_tool("translate", arguments))
    assert not result.isError
    picture, address = result.content
    assert picture.type == "image" and picture.mimeType == "image/png"
    shown = np.asarray(i2i.open_image(base64.b64decode(picture.data)))
    expected = i2i.load(folder / PAIRED).translate(Image.open(drawing))
    assert np.abs(shown.astype(int) - np.asarray(expected)).max() <= 1
    assert httpx.get(address.text.removeprefix("Image URL: ")).headers["content-type"] == "image/png"


def test_a_tool_takes_the_address_of_an_upload(server: str, drawing: Path) -> None:
    uploaded = httpx.post(f"{server}/gradio_api/upload", files={"files": ("d.png", drawing.read_bytes())}).json()[0]
    arguments = {"image": f"{server}{api.UPLOADED}{uploaded}", "checkpoint": PAIRED}
    result = with_mcp(server, lambda session: session.call_tool("translate", arguments))
    assert not result.isError and result.content[0].type == "image"


def test_tools_list_checkpoints_and_interpolate(server: str, drawing: Path) -> None:
    async def use(session: Any) -> tuple[Any, Any]:
        listed = await session.call_tool("checkpoints", {})
        ends = {"style_from": [0.0] * 8, "style_to": [1.0] * 8, "steps": 3}
        arguments = {"image": data_url(drawing), "checkpoint": STYLED, **ends}
        made = await session.call_tool("interpolation_strip", arguments)
        return listed, made

    listed, made = with_mcp(server, use)
    assert PAIRED in listed.content[0].text and STYLED in listed.content[0].text
    assert made.content[0].type == "image"
    assert i2i.open_image(base64.b64decode(made.content[0].data)).size == (180, 40)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"checkpoint": "nobody"}, "no model called nobody"),
        ({"image": "http://127.0.0.1:9/a.png"}, text.API["no_addresses"]),
        ({"image": "data:image/png;base64,AAAA"}, "not an image"),
    ],
)
def test_a_tools_mistake_is_answered_with_a_sentence(
    server: str, drawing: Path, changes: dict[str, Any], words: str
) -> None:
    arguments = {"image": data_url(drawing), "checkpoint": PAIRED, **changes}
    result = with_mcp(server, lambda session: session.call_tool("translate", arguments))
    assert result.isError and words in result.content[0].text and "Traceback" not in result.content[0].text


@pytest.mark.parametrize("installed", [True, False])
def test_the_page_starts_with_and_without_mcp(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], installed: bool
) -> None:
    pytest.importorskip("mcp")
    if not installed:
        monkeypatch.setitem(sys.modules, "mcp", None)  # as Python sees a package that is not there
    answers = []

    def served(self: Service) -> None:
        """In place of waiting for Ctrl-C."""
        answers.append(httpx.get(f"{self.page.local_url}gradio_api/mcp/").status_code)
        answers.append(httpx.get(str(self.page.local_url)).status_code)
        self.page.close(verbose=False)

    monkeypatch.setattr(Service, "serve_until_told_to_end", served)
    monkeypatch.setenv("I2I_CHECKPOINTS_DIR", str(folder))
    monkeypatch.setenv("PORT", str(free_port()))
    assert app.main() == 0
    assert "Open http" in capsys.readouterr().out
    assert answers == [200 if installed else 404, 200]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
