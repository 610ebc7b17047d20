"""One port: pages and API together, for this machine only, and a loop beside them that ends in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from listener.errors import ConfigError
from stakeholders.serve import OPTIONS, serve
from tests.servers.smtp import free_port

CONFIG = """
[instance]
language = "en"
[brands.nitido]
name = "Nítido"
[departments.communications]
alert = ["mail:team@nitido.example"]
[server]
{server}
"""
PAGE = """
import json, os
import streamlit as st
from streamlit import config
wanted = {names!r}
told = {{name: config.get_option(name) for name in wanted}} | {{"config": os.environ["ESCUCHA_CONFIG"]}}
open({out!r}, "w").write(json.dumps(told))
st.title("It stands")
"""
PROGRAM = """
import sys
from pathlib import Path
from stakeholders.serve import serve
def work(stop):
    stop.wait()
    Path(sys.argv[3]).write_text("ended in order")
serve(Path(sys.argv[1]), script=Path(sys.argv[2]), background=work, ready=lambda url: print(url, flush=True))
"""


def write(folder: Path, server: str = "") -> tuple[Path, Path, Path]:
    config, script, out = folder / "config.toml", folder / "page.py", folder / "told.json"
    config.write_text(CONFIG.format(server=server), "utf-8")
    script.write_text(PAGE.format(names=sorted(OPTIONS), out=str(out)), "utf-8")
    return config, script, out


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str], Path]]:
    """Serve from a process of its own; give its address."""
    config, script, _ = write(folder)
    ended = folder / "ended"
    command = [sys.executable, "-c", PROGRAM, str(config), str(script), str(ended)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment}
    with (
        (folder / "stderr").open("w") as errors,
        subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            assert address, (folder / "stderr").read_text()
            yield address, process, ended
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[str], Path]]:
    with running(tmp_path_factory.mktemp("served"), ESCUCHA_PORT=str(free_port())) as found:
        yield found


def get(address: str, path: str, **headers: str) -> requests.Response:
    return requests.get(address + path, headers=headers, timeout=20, allow_redirects=False)


def test_pages_api_and_streamlits_own_health_answer_on_one_port(served: Any) -> None:
    address = served[0]
    health = get(address, "/api/health")
    assert health.status_code == 200
    assert (health.json()["status"], health.json()["clock"]) == ("ok", "running")
    for path in ("/", "/case?id=1", "/sources"):
        page = get(address, path)
        assert page.status_code == 200
        assert "<title>" in page.text
        assert page.headers["x-frame-options"] == "SAMEORIGIN"
        assert "default-src 'self'" in page.headers["content-security-policy"]
    assert get(address, "/_stcore/health").text == "ok"
    assert get(address, "/api/acknowledge/x").status_code == 404
    assert get(address, "/api/nothing").json() == {"detail": "Not Found"}


def test_a_page_runs_with_the_options_that_we_set_and_finds_the_configuration(served: Any, tmp_path: Path) -> None:
    import websocket
    from streamlit.proto.BackMsg_pb2 import BackMsg

    address, _, ended = served
    line = websocket.create_connection(
        address.replace("http", "ws") + "/_stcore/stream", timeout=20, subprotocols=["streamlit"], origin=address
    )
    ask = BackMsg()
    ask.rerun_script.query_string = ""
    line.send_binary(ask.SerializeToString())
    out = ended.parent / "told.json"
    while not out.exists() or not out.read_text():
        line.recv()
    line.close()
    told = json.loads(out.read_text())
    assert told.pop("config") == str(ended.parent / "config.toml")
    assert told == OPTIONS
    assert told["runner.postScriptGC"] is False
    assert not (ended.parent / ".streamlit").exists()


def test_another_sites_name_or_origin_is_turned_away(served: Any) -> None:
    import websocket

    address = served[0]
    assert get(address, "/api/health", Host="evil.example").status_code == 421
    assert get(address, "/", Host="evil.example:8501").status_code == 421
    assert get(address, "/", Origin="https://evil.example").status_code == 421
    assert get(address, "/api/health", Host="localhost:1").status_code == 200
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(
            address.replace("http", "ws") + "/_stcore/stream", timeout=20, origin="https://evil.example"
        )


def test_it_ends_in_order_when_told_to_and_says_nothing_of_a_link(tmp_path: Path) -> None:
    with running(tmp_path, ESCUCHA_PORT=str(free_port())) as (address, process, ended):
        get(address, "/api/acknowledge/canary-token")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        assert time.monotonic() - began < 10
        assert ended.read_text() == "ended in order"
    assert "canary-token" not in (tmp_path / "stderr").read_text()


def test_escucha_port_wins_over_the_file(tmp_path: Path) -> None:
    port = free_port()
    config, script, _ = write(tmp_path, "port = 1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ESCUCHA_PORT", str(port))
        patch.setenv("ESCUCHA_CONFIG", "restored after the test")
        told: list[str] = []
        stop = threading.Event()

        def ask(address: str) -> None:
            told.append(f"{address} {get(address, '/api/health').status_code}")
            stop.set()

        serve(config, script=script, ready=lambda url: threading.Thread(target=ask, args=(url,)).start(), stop=stop)
        assert told == [f"http://127.0.0.1:{port} 200"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "escucha.example.org", ""])
def test_any_address_but_loopback_is_refused_while_there_is_no_login(tmp_path: Path, host: str) -> None:
    config, script, _ = write(tmp_path, f'host = "{host}"')
    with pytest.raises(ConfigError, match="no login is asked"):
        serve(config, script=script)
    assert not (tmp_path / "data").exists()  # nothing was started


def test_a_taken_port_and_a_port_that_is_none_are_said_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    config, script, _ = write(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("ESCUCHA_PORT", str(taken.getsockname()[1]))
        with pytest.raises(ConfigError, match="cannot be taken"):
            serve(config, script=script)
    monkeypatch.setenv("ESCUCHA_PORT", "eight")
    with pytest.raises(ConfigError, match="is not the number of a port"):
        serve(config, script=script)
