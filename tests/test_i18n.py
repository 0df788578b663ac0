"""Languages: every translation is whole, and the request decides which one is spoken."""

import contextvars
import json
import re
import threading

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

import i2i_models as i2i
from ui import i18n, text
from ui.errors import sentences
from ui.i18n import Words

SECTIONS = {name: words for name, words in vars(text).items() if isinstance(words, Words)}
PLACEHOLDER = re.compile(r"\{\w*\}")


def test_every_section_is_words_under_its_own_name() -> None:
    plain = [name for name, value in vars(text).items() if name.isupper() and not isinstance(value, Words)]
    assert not plain, f"{plain} would stay English"
    assert all(words.section == name for name, words in SECTIONS.items())


@pytest.mark.parametrize("language", i18n.LOCALES)
def test_a_translation_has_every_key_and_no_other(language: str) -> None:
    translated = i18n.LOCALES[language]
    assert translated.keys() - {"ERRORS"} == SECTIONS.keys()
    for name, words in SECTIONS.items():
        assert translated[name].keys() == words.english.keys(), name


@pytest.mark.parametrize("language", i18n.LOCALES)
def test_placeholders_are_those_of_the_english(language: str) -> None:
    for name, words in SECTIONS.items():
        for key, english in words.english.items():
            translated = i18n.LOCALES[language][name][key]
            assert sorted(PLACEHOLDER.findall(translated)) == sorted(PLACEHOLDER.findall(english)), (name, key)


@pytest.mark.parametrize("language", i18n.LOCALES)
def test_code_in_the_words_is_left_as_it_is(language: str) -> None:
    for name, words in SECTIONS.items():
        for key, english in words.english.items():
            for code in re.findall(r"`[^`]+`|^    .*", english, re.MULTILINE):
                assert code in i18n.LOCALES[language][name][key], (name, key)


def test_chinese_is_chinese() -> None:
    names = {"INSIDE", "COMPARE", "MULTIMODAL"}  # of formats, metrics and papers stay as they are
    for name, words in i18n.LOCALES["zh"].items():
        for key, word in words.items():
            allowed = name in names and re.fullmatch(r"[A-Za-z0-9 ]+", word)
            assert allowed or re.search("[\u4e00-\u9fff]|^\\{done\\} / \\{count\\}$", word), (name, key)


def test_errors_of_the_models_have_a_sentence_for_their_kind() -> None:
    for name, words in i18n.LOCALES.items():
        for kind in words["ERRORS"]:
            assert issubclass(getattr(i2i.errors, kind), i2i.I2IError), (name, kind)


def test_words_follow_the_language_and_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Words("PAGE", {"title": "Image to image", "new": "Not translated yet"})
    assert words["title"] == "Image to image"
    with i18n.speaking("zh"):
        assert words["title"] == "图像到图像"
        assert words["new"] == "Not translated yet"
        assert {**words} == dict(words)
    assert words["title"] == "Image to image"
    with pytest.raises(KeyError):
        words["title2"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-Hant-TW", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de-DE,de;q=0.9", "en"),
        ("de, zh;q=0.5, en;q=0.4", "zh"),
        ("en;q=0.2, zh;q=0.7", "zh"),
        ("zh;q=0", "en"),
        ("*", "en"),
        ("zh;q=much, fr", "en"),
        (",;,q=;zh-", "en"),
    ],
)
def test_the_preferred_language(header: str, language: str) -> None:
    assert i18n.preferred(header) == language


def test_each_request_has_its_own_language() -> None:
    """Two requests at the same time, in threads of their own as Gradio's server functions are."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        said: list[str] = []
        thread = threading.Thread(
            target=contextvars.copy_context().run, args=(lambda: said.append(text.PAGE["title"]),)
        )
        thread.start()
        thread.join()
        body = json.dumps(said[0]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    client = TestClient(i18n.SpeakLanguage(app))
    assert client.get("/", headers={"accept-language": "zh-CN"}).json() == "图像到图像"
    assert client.get("/", headers={"accept-language": "en"}).json() == "Image to image"
    assert i18n.language() == "en"


def test_server_sentences_are_in_the_language() -> None:
    @sentences
    def refuse(_: object) -> dict[str, object]:
        raise i2i.ImageError("x.png is not an image that can be read.")

    assert refuse({}) == {"error": "x.png is not an image that can be read."}
    with i18n.speaking("zh"):
        assert refuse({}) == {"error": i18n.LOCALES["zh"]["ERRORS"]["ImageError"]}
