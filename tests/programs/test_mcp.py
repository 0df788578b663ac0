"""The endpoints as tools, asked by a real MCP client."""

import base64
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from conftest import free_port, run_async
from PIL import Image
from tiny_checkpoints import PAIRED, STYLED

import app
import i2i_models as i2i
from ui import api, text
from ui.service import Service

from .conftest import ENDPOINTS, data_url


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
