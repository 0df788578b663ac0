"""The endpoints through gradio_client."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from tiny_checkpoints import PAIRED, STYLED

import i2i_models as i2i
from i2i_models.inference.remote import NetworkServer, RemoteNetworks
from ui import api
from ui.answers import Answers
from ui.catalog import Catalog
from ui.multimodal.answers import StyleAnswers

from .conftest import ENDPOINTS, META, data_url


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
