"""A PC tells its code only to the controller it was told of, and believes only a whole answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.certificates import Authority
from common.errors import RusubanError
from common.system import SystemNames
from common.tls import fingerprint_of
from edge_agent.enrolment import Asking, calls, enrol, kept_key
from edge_agent.enrolment.asking import EnrolmentIsRefused, PinIsAnother, PinIsWrong
from edge_agent.enrolment.calls import (
    AddressIsWrong,
    AnswerIsNonsense,
    ControllerIsAway,
    NotTrusted,
    TlsIsRequired,
)
from edge_agent.enrolment.keys import KeyIsDamaged, KeyIsExposed, TerminalKey, key_file
from tests.rim.enrolment_kit import (
    CODE,
    HERE,
    TERMINAL,
    Pages,
    a_key,
    an_answer,
    an_authority,
    send,
    serve,
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return the authority of the controller that the operator meant."""
    return an_authority(tmp_path / "controller")


@pytest.fixture
def key(tmp_path: Path) -> TerminalKey:
    """Return the PC's key."""
    return a_key(tmp_path / "pc")


@pytest.fixture
def pages(authority: Authority, key: TerminalKey) -> Iterator[Pages]:
    """Return that controller's pages, served over TLS by its own authority."""
    with serve(Pages(authority, an_answer(authority, key)), authority) as served:
        yield served


def asking(pages: Pages, **said: str) -> Asking:
    return Asking(**{"url": pages.url, "code": CODE, "hostname": "pc 1", **said})


def by_pin(pages: Pages, authority: Authority) -> Asking:
    return asking(pages, pin=fingerprint_of(authority.pem))


def test_with_the_pin_a_pc_gets_its_identity_and_keeps_who_vouched(pages, authority, key):
    who = enrol(by_pin(pages, authority), key)
    assert (who.terminal, who.store, who.secret) == (TERMINAL, "shinjuku", "5e" * 32)
    assert (who.ladder, who.broker_host, who.broker_port) == (2, "broker.example", 18830)
    assert who.pinned == who.authority == authority.pem
    assert who.url == pages.url
    assert pages.heard == [
        (
            "/api/v1/enrolments",
            {"code": CODE, "public_key": key.public, "hostname": "pc-1"},
        )
    ]


def test_a_pin_may_be_typed_with_colons_and_in_capitals(pages, authority, key):
    pin = fingerprint_of(authority.pem).upper()
    spelled = ":".join(pin[at : at + 2] for at in range(0, 64, 2))
    assert enrol(asking(pages, pin=f" {spelled}\n"), key).terminal == TERMINAL


@pytest.mark.parametrize("pin", ["12", "zz" * 32, "ab" * 33])
def test_what_is_no_pin_is_refused_before_anybody_is_called(pages, key, pin):
    with pytest.raises(PinIsWrong):
        enrol(asking(pages, pin=pin), key)
    assert not pages.heard


def test_another_controller_than_the_pin_s_is_told_nothing(pages, key):
    with pytest.raises(PinIsAnother, match="nothing was said to it"):
        enrol(asking(pages, pin="ab" * 32), key)
    assert not pages.heard


def test_who_only_shows_the_right_authority_is_told_nothing(tmp_path, authority, key):
    between = an_authority(tmp_path / "between")
    shown = Pages(authority, an_answer(authority, key))
    with serve(shown, between), pytest.raises(NotTrusted):
        enrol(by_pin(shown, authority), key)
    assert not shown.heard


def test_an_authority_smuggled_in_behind_the_right_one_is_told_nothing(tmp_path, authority, key):
    between = an_authority(tmp_path / "between")
    shown = Pages(authority, an_answer(authority, key))
    shown.authority = authority.pem + between.pem
    with serve(shown, between), pytest.raises(AnswerIsNonsense):
        enrol(by_pin(shown, authority), key)
    assert not shown.heard


def test_without_a_pin_only_whom_the_pc_trusts_is_told_the_code(pages, key):
    with pytest.raises(NotTrusted, match="give the --pin"):
        enrol(asking(pages), key)
    assert not pages.heard


def test_a_certificate_for_another_name_is_not_trusted(pages, authority, key):
    elsewhere = pages.url.replace(HERE, "localhost")
    with pytest.raises(NotTrusted):
        enrol(asking(pages, url=elsewhere, pin=fingerprint_of(authority.pem)), key)
    assert not pages.heard


@pytest.mark.parametrize("host", ["10.0.0.7", "controller.example", "127.0.0.1.example", "[::2]"])
def test_nothing_is_said_in_the_clear_beyond_this_machine(pages, key, host):
    with pytest.raises(TlsIsRequired, match="use https"):
        enrol(asking(pages, url=f"http://{host}:8080"), key)


@pytest.mark.parametrize(
    "url",
    [
        *("", "controller.example", "ftp://127.0.0.1", "file:///etc/passwd", "https://"),
        *("https://x:port", "https://x:99999", "http://localhost@10.0.0.7", "https://x/?a=b"),
        *("https://[::1", "https://x\x1b[2J", "https://x\r\nHost: y"),
    ],
)
def test_what_is_no_address_is_one_clear_sentence(pages, key, url):
    with pytest.raises(AddressIsWrong) as raised:
        enrol(asking(pages, url=url), key)
    assert str(raised.value).isprintable()


def test_within_one_machine_it_goes_in_the_clear(authority, key):
    broker = {"host": HERE, "port": 1883}
    told = an_answer(authority, key, ladder=0, broker=broker, authority="", certificate="")
    with serve(Pages(authority, told), None) as pages:
        who = enrol(asking(pages), key)
    assert (who.ladder, who.authority, who.certificate, who.pinned) == (0, "", "", "")


NONSENSE: dict[str, dict[str, Any]] = {
    "a step that is none": {"ladder": 3},
    "a step in words": {"ladder": "2"},
    "a step below the ground": {"ladder": -1},
    "in the clear beyond this machine": {"ladder": 0},
    "no terminal": {"terminal": None},
    "a terminal that is no name": {"terminal": "../../x"},
    "a store of another type": {"store": ["shinjuku"]},
    "an epoch that is none": {"epoch": "E!"},
    "half a secret": {"secret": "5e"},
    "a secret of another type": {"secret": 5},
    "no port": {"broker": {"host": HERE}},
    "a port that is none": {"broker": {"host": HERE, "port": 70_000}},
    "a host that is a command": {"broker": {"host": "x; reboot", "port": 1}},
    "no keys": {"public_keys": {}},
    "keys without end": {"public_keys": {str(n): "00" * 32 for n in range(17)}},
    "a key that is none": {"public_keys": {"1": "zz" * 32}},
    "no authority": {"authority": ""},
    "an authority that is none": {"authority": "-----BEGIN CERTIFICATE-----\nAAAA"},
    "no certificate": {"certificate": ""},
    "an authority in many words": {"authority": "A" * 20_000},
}


@pytest.mark.parametrize("changed", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_as_a_whole(pages, authority, key, changed):
    pages.answer.update(changed)
    with pytest.raises(AnswerIsNonsense, match="nothing is kept") as raised:
        enrol(by_pin(pages, authority), key)
    assert "5e5e" not in str(raised.value)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"\xff\xfe", b"{" * 60_000, b'"' + b"x" * 1_000_000 + b'"']
)
def test_what_is_no_answer_at_all_is_refused(pages, authority, key, body):
    pages.answer = body
    with pytest.raises(AnswerIsNonsense):
        enrol(by_pin(pages, authority), key)


def test_credentials_of_somebody_else_are_refused(tmp_path, pages, authority, key):
    other, stranger = an_authority(tmp_path / "other"), a_key(tmp_path / "stranger")
    certified = authority.certify_terminal
    leaf = certified(TERMINAL, key.public).pem
    for changed in (
        {"certificate": certified(TERMINAL, stranger.public).pem},
        {"certificate": certified("t-2", key.public).pem},
        {"certificate": other.certify_terminal(TERMINAL, key.public).pem},
        {"certificate": leaf + leaf},
        {"authority": leaf},
        {"authority": other.pem},
    ):
        pages.answer = an_answer(authority, key, **changed)
        with pytest.raises(AnswerIsNonsense):
            enrol(by_pin(pages, authority), key)


def redirect(request: BaseHTTPRequestHandler) -> None:
    send(request, 307, b"", Location=f"http://{HERE}:9/api/v1/enrolments")


def test_nobody_is_followed_to_another_address(pages, authority, key):
    pages.lie = redirect
    with pytest.raises(AnswerIsNonsense, match="307"):
        enrol(by_pin(pages, authority), key)
    assert len(pages.heard) == 1


def drip_headers(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    drip(request)


def drip_body(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    drip(request)


def drip(request: BaseHTTPRequestHandler) -> None:
    for _ in range(600):
        request.wfile.write(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize("lie", [drip_headers, drip_body])
def test_an_answer_that_drips_is_cut_off(pages, authority, key, lie, monkeypatch):
    monkeypatch.setattr(calls, "ANSWER_SECONDS_MAX", 0.5)
    pages.lie = lie
    began = time.monotonic()
    with pytest.raises(ControllerIsAway, match="say the same again"):
        enrol(by_pin(pages, authority), key)
    assert time.monotonic() - began < 5


def say_half(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{")


def say_a_line(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")


def test_silence_and_half_an_answer_mean_try_again(pages, authority, key, monkeypatch):
    monkeypatch.setattr(calls, "SILENCE_SECONDS_MAX", 0.3)
    for pages.lie in (lambda _: time.sleep(1.5), lambda _: None, say_half, say_a_line):
        with pytest.raises(ControllerIsAway):
            enrol(by_pin(pages, authority), key)


def test_nobody_there_is_one_sentence_that_says_where_to_look(key):
    with pytest.raises(ControllerIsAway, match=r"Connection refused.*look at the address"):
        enrol(Asking(url=f"http://{HERE}:9", code=CODE, hostname="pc"), key)


REFUSALS = {
    "code_is_spent": (403, "ask the operator for a new code"),
    "key_is_known": (409, "enrol-code --terminal"),
    "too_many_attempts": (429, "say the same again"),
    "storage_is_full": (503, "do this"),
    "": (502, "say the same again"),
}


@pytest.mark.parametrize(("code", "status", "words"), [(c, *w) for c, w in REFUSALS.items()])
def test_a_refusal_says_what_happened_and_what_to_do(pages, authority, key, code, status, words):
    problem = {"code": code, "detail": "So it \x1b[31mis.", "next": "Do this." if code else None}
    pages.status, pages.answer = status, problem if code else b"<html>"
    with pytest.raises(EnrolmentIsRefused) as raised:
        enrol(by_pin(pages, authority), key)
    assert words in str(raised.value).lower() or words in str(raised.value)
    assert str(raised.value).isprintable()


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path):
    made = a_key(tmp_path / "pc")
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert made.file.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert a_key(tmp_path / "pc").public == made.public
    assert "private" not in repr(made)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    made = a_key(tmp_path)
    made.file.chmod(mode)
    with pytest.raises(KeyIsExposed, match="enrol with a new key"):
        a_key(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 32, b"-----BEGIN PRIVATE KEY-----\nAA"])
def test_a_damaged_key_is_left_as_it_is(tmp_path, content):
    made = a_key(tmp_path)
    made.file.write_bytes(content)
    with pytest.raises(KeyIsDamaged, match="put a good copy back"):
        a_key(tmp_path)
    assert made.file.read_bytes() == content


def test_a_folder_that_takes_no_key_is_one_sentence(tmp_path):
    (tmp_path / "pc").write_text("in the way")
    with pytest.raises(RusubanError, match="cannot be kept"):
        a_key(tmp_path / "pc")


def test_what_systemd_holds_for_us_wins(tmp_path, monkeypatch):
    ours, held = a_key(tmp_path / "pc"), a_key(tmp_path / "credentials")
    held.file.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert kept_key(tmp_path / "pc", SystemNames().secret_bytes).public == held.public
    assert key_file(tmp_path / "pc", {}) == ours.file
    assert key_file(tmp_path / "pc", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == ours.file


def test_no_secret_is_in_what_is_shown_of_an_identity(pages, authority, key):
    shown = repr(enrol(by_pin(pages, authority), key)) + repr(by_pin(pages, authority))
    assert CODE not in shown
    assert "5e5e" not in shown
    assert "PRIVATE" not in shown
