"""`python app.py`: how it starts, refuses to start, and ends."""

import os
import socket
import subprocess
import sys
import time

import pytest
from conftest import ROOT, free_port

import app


def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port), "HOST": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and f"127.0.0.1:{port} cannot be used" in done.stderr


def test_a_page_that_is_told_to_end_while_it_warms_up_ends_in_good_order() -> None:
    """A network that runs in a thread while the process ends would abort it."""
    environment = {**os.environ, "PORT": str(free_port()), "I2I_ENGINE": "torch"}
    with subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as page:
        assert page.stdout is not None
        assert any(line.startswith("Open http://") for line in page.stdout), "it ended"
        time.sleep(1)
        page.terminate()
        assert page.wait(60) == 0


@pytest.mark.parametrize("environment", [{"PORT": "many"}, {"PORT": "70000"}, {"HOST": "no.such.host.invalid"}])
def test_a_bad_address_is_one_sentence(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(app.StartError) as refused:
        app.address()
    (given,) = environment.values()
    assert given in str(refused.value) and "\n" not in str(refused.value)
