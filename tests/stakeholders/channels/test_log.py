"""The log channel: one line a message on the disk, whole after every kill, and readable by its owner only."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from listener.config import Config
from listener.errors import DeliveryError
from stakeholders.channels import open_line, probe, send
from tests.stakeholders.channels.desk import channel_config, message


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return channel_config(tmp_path, machines={"kind": "log", "path": "out/alerts.jsonl"})


def test_each_message_is_a_line_with_its_key(config: Config) -> None:
    with open_line("log", config) as line:
        line.send(message("machines"))
        line.send(message("machines", key="case.13.1.0.aa", quote="dos\nlíneas"))
        assert line.alive
    path = config.folder / "out" / "alerts.jsonl"
    first, second = lines(path)
    assert first["data"]["key"] == "case.12.1.0.5f0c"  # type: ignore[index]
    assert second["data"]["quote"] == "dos\nlíneas"  # type: ignore[index]
    assert path.stat().st_mode & 0o077 == 0


def test_the_log_needs_no_table(config: Config) -> None:
    send("log", config, message(""))
    assert len(lines(config.folder / "data" / "alerts.jsonl")) == 1


def test_a_line_that_was_cut_short_spoils_no_other(config: Config) -> None:
    path = config.folder / "out" / "alerts.jsonl"
    send("log", config, message("machines"))
    with path.open("ab") as file:
        file.write(b'{"type": "alert.case", "da')
    send("log", config, message("machines", key="case.13.1.0.aa"))
    whole, torn, after = path.read_text("utf-8").splitlines()
    assert json.loads(whole)["data"]["key"] == "case.12.1.0.5f0c"
    assert torn == '{"type": "alert.case", "da'
    assert json.loads(after)["data"]["key"] == "case.13.1.0.aa"


def test_the_file_may_be_rotated_while_the_line_is_open(config: Config) -> None:
    path = config.folder / "out" / "alerts.jsonl"
    with open_line("log", config) as line:
        line.send(message("machines"))
        path.rename(path.with_suffix(".1"))
        line.send(message("machines"))
    assert len(lines(path)) == len(lines(path.with_suffix(".1"))) == 1


def test_a_disk_that_is_full_in_the_middle_of_a_line_waits(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, line: real(file, line[:10]))
    with pytest.raises(DeliveryError) as told:
        send("log", config, message("machines"))
    monkeypatch.undo()
    assert told.value.retry
    send("log", config, message("machines"))
    assert json.loads((config.folder / "out" / "alerts.jsonl").read_text("utf-8").splitlines()[-1])


def test_a_file_that_cannot_be_written_waits_and_tells_no_path(config: Config) -> None:
    (config.folder / "out").write_text("a file where a folder should be")
    for act in (lambda: send("log", config, message("machines")), lambda: probe("log", config, "machines")):
        with pytest.raises(DeliveryError) as told:
            act()
        assert told.value.retry
        assert str(told.value) == "channels.machines: its file cannot be written, so its messages wait"


def test_asking_writes_nothing(config: Config) -> None:
    probe("log", config, "machines")
    assert (config.folder / "out" / "alerts.jsonl").read_bytes() == b""


def test_a_table_that_is_gone_refuses_and_one_switched_off_waits(tmp_path: Path) -> None:
    config = channel_config(tmp_path, machines={"kind": "log", "enabled": False})
    for name, retry in (("gone", False), ("slack", False), ("machines", True)):
        with pytest.raises(DeliveryError) as told:
            send("log", config, message(name))
        assert told.value.retry is retry


_WRITES = """
import sys
from pathlib import Path
from stakeholders.channels import open_line
from tests.stakeholders.channels.desk import channel_config, message
config = channel_config(Path(sys.argv[1]), machines={"kind": "log", "path": "out/alerts.jsonl"})
print("ready", flush=True)
sys.stdin.readline()
with open_line("log", config) as line:
    for number in range(150):
        line.send(message("machines", key=f"case.{sys.argv[2]}.{number}", quote="x" * 9000))
"""


def test_two_processes_write_whole_lines_into_one_file(config: Config, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WRITES, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": Path(__file__).parents[3]}
    both = [subprocess.Popen([*command, name], **pipes) for name in ("a", "b")]  # type: ignore[call-overload]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    for one in both:  # both begin at once
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in both:
        one.communicate(timeout=60)
        assert one.returncode == 0
    text = (tmp_path / "out" / "alerts.jsonl").read_text("utf-8")
    keys = [json.loads(line)["data"]["key"] for line in text.splitlines()]
    assert sorted(keys) == sorted(f"case.{name}.{number}" for name in "ab" for number in range(150))


def test_a_sender_waits_while_another_writes(config: Config) -> None:
    path = config.folder / "out" / "alerts.jsonl"
    send("log", config, message("machines"))
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b'{"type": "half')
        other.flush()
        second = threading.Thread(target=send, args=("log", config, message("machines", key="case.13.1.0.aa")))
        second.start()
        second.join(0.2)
        assert second.is_alive(), "it would take the half line for one that was cut short"
        other.write(b'"}\n')
    second.join(10)
    assert [one["type"] for one in lines(path)][1] == "half"
    assert len(lines(path)) == 3
