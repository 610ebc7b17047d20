"""Links: good for their time, for their case and their reader; a changed one is nobody's."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.errors import ConfigError
from stakeholders.links import ACTIONS, Expired, Forged, Link, links_for, read, secret_file, sign
from tests.stakeholders.newsroom import NOW, make_config


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_a_link_says_whom_and_what_it_is_for(tmp_path: Path) -> None:
    config = make_config(tmp_path, "sqlite://")
    url = sign(config, 7, "ana@nitido.example", now=NOW)
    assert url.startswith("http://127.0.0.1:8501/api/acknowledge/")
    assert read(token_of(url), config, NOW) == Link(7, "ana@nitido.example", "acknowledge", NOW)


def test_the_same_moment_gives_the_same_link(tmp_path: Path) -> None:
    config = make_config(tmp_path, "sqlite://")
    assert sign(config, 7, "a@x.pe", now=NOW) == sign(config, 7, "a@x.pe", now=NOW)


def test_a_link_ends_after_its_days_and_not_before(tmp_path: Path) -> None:
    config = make_config(tmp_path, "sqlite://", server={"link_days": 3})
    token = token_of(sign(config, 7, "a@x.pe", now=NOW))
    assert isinstance(read(token, config, NOW + timedelta(days=3)), Link)
    assert read(token, config, NOW + timedelta(days=3, seconds=1)) == Expired(7)


def test_a_link_from_the_future_is_forged(tmp_path: Path) -> None:
    config = make_config(tmp_path, "sqlite://")
    assert read(token_of(sign(config, 7, "a@x.pe", now=NOW + timedelta(days=1))), config, NOW) == Forged()


def test_a_link_of_another_secret_or_another_action_is_forged(tmp_path: Path) -> None:
    config = make_config(tmp_path, "sqlite://")
    other = make_config(tmp_path, "sqlite://", server={"secret": "another-secret-of-tests-0123456789"})
    assert read(token_of(sign(other, 7, "a@x.pe", now=NOW)), config, NOW) == Forged()
    assert read(token_of(sign(config, 7, "a@x.pe", "close", now=NOW)), config, NOW) == Forged()


def test_a_mail_offers_every_action_and_a_chat_none_that_needs_a_me(tmp_path: Path) -> None:
    config = make_config(tmp_path, "sqlite://")
    mail = links_for(config, 7, "mail", "ana@nitido.example", now=NOW)
    assert [label for label, _ in mail] == list(ACTIONS.values())
    for action, (_, url) in zip(ACTIONS, mail, strict=True):
        assert f"/api/{action}/" in url
        assert read(token_of(url), config, NOW, action) == Link(7, "ana@nitido.example", action, NOW)
    chat = links_for(config, 7, "slack", "care", now=NOW)
    assert [label for label, _ in chat] == ["Acknowledge", "Snooze for 1 hour", "Snooze until tomorrow"]
    assert read(token_of(chat[0][1]), config, NOW) == Link(7, "slack:care", "acknowledge", NOW)


@given(st.text(max_size=3000))
def test_any_text_is_forged_and_never_raises(text: str) -> None:
    assert read(text, make_config(Path(), "sqlite://"), NOW) == Forged()


@given(st.integers(min_value=0, max_value=200), st.sampled_from("aZ9-_."))
def test_a_link_changed_in_one_place_is_forged(place: int, sign_: str) -> None:
    config = make_config(Path(), "sqlite://")
    token = token_of(sign(config, 7, "ana@nitido.example", now=NOW))
    place %= len(token)
    changed = token[:place] + sign_ + token[place + 1 :]
    good = read(changed, config, NOW)
    # The last sign of base64 carries spare bits: another spelling of the same signature is the same link.
    assert good == Forged() or changed == token or place == len(token) - 1


def test_without_a_secret_one_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/data/escucha.db"
    config = make_config(tmp_path, url, server={"secret": None})
    made: list[str] = []
    together = threading.Barrier(8)

    def work() -> None:
        together.wait()
        made.append(sign(config, 1, "a@x.pe", now=NOW))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path = tmp_path / "data" / "secret.key"
    assert secret_file(config) == path
    assert len(set(made)) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["secret.key"]


def test_beside_a_server_database_the_secret_stands_in_the_configs_folder(tmp_path: Path) -> None:
    config = make_config(tmp_path, "postgresql://nobody@127.0.0.1/none", server={"secret": None})
    assert secret_file(config) == tmp_path / "data" / "secret.key"


def test_a_secret_that_others_could_read_is_closed_and_an_empty_one_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(tmp_path, f"sqlite:///{tmp_path}/escucha.db", server={"secret": None})
    path = secret_file(config)
    path.write_text("canary-secret-0123456789-0123456789-0123")
    path.chmod(0o644)
    sign(config, 1, "a@x.pe", now=NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "closed it" in caplog.text
    assert "canary" not in caplog.text
    path.write_text("\n")
    with pytest.raises(ConfigError, match="holds no secret"):
        sign(config, 1, "a@x.pe", now=NOW)
