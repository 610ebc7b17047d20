from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from listener.redaction import Redaction, install, redact


@pytest.fixture
def redacting() -> Iterator[None]:
    former = logging.getLogRecordFactory()
    install(["canary-secret", "with space&sign"])
    yield
    logging.setLogRecordFactory(former)


@pytest.mark.usefixtures("redacting")
def test_no_secret_reaches_any_handler(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = logging.getLogger("some.library")
    log.debug("token canary-secret and %s", "canary-secret")
    log.debug("Headers: {'Authorization': 'Bearer canary-bearer', 'Accept': 'x'}")
    log.debug("Authorization: Basic Y2FuYXJ5OmNhbmFyeQ==")
    log.debug("GET %s %s", "/x?key=canary-key&q=1&access_token=canary-token", 200)
    log.debug("https://canary-user:canary-pass@example.org/ with+space%26sign canary")
    log.debug({"client_secret": "canary-secret"})
    try:
        raise ValueError("canary-secret")
    except ValueError:
        log.exception("failed with canary-secret")
    text = caplog.text
    for word in (
        "canary-secret",
        "canary-bearer",
        "Y2FuY",
        "canary-key",
        "canary-token",
        "canary-user",
        "canary-pass",
        "with+space",
    ):
        assert word not in text
    assert "q=1" in text
    assert "ValueError" in text


@pytest.mark.usefixtures("redacting")
def test_a_record_without_secrets_keeps_its_arguments(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="uvicorn.access")
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)  # a server of another test turns it off
    logging.getLogger("uvicorn.access").info('%s - "%s %s"', "127.0.0.1", "GET", "/x?key=abc")
    assert caplog.records[0].args == ("127.0.0.1", "GET", "/x?key=[redacted]")
    assert logging.getLogger("tweepy").level == logging.INFO


def test_a_record_whose_arguments_do_not_fit_is_left_to_logging() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "%d broken", ("no number",), None)
    assert Redaction(["abcd"]).filter(record)


def test_redact_leaves_ordinary_words_alone() -> None:
    told = "3 posts of 'monkey=banana', keyword, the key is under the mat; tokens: 5"
    assert redact(told, ["zzzz"]) == told
