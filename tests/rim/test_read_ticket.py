"""`read-ticket` answers one JSON line a file, and its exit code says whether each was a ticket."""

from __future__ import annotations

import json
import time

import pytest
import qrcode
from PIL import Image

from common.seals import new_signing_key, public_bytes
from edge_agent.scanners.read_ticket import KeysAreUnreadable, load_keys, read_tickets
from tests.demo.photograph import as_png
from tests.rim.scanner_kit import KEY, a_photograph, a_token

THEIRS = new_signing_key(bytes([1]) * 32)
FIELDS = ["file", "text", "decoder", "milliseconds", "verdict", "reason", "why"]


def a_ticket(folder, token, name="ticket.png"):
    file = folder / name
    file.write_bytes(as_png(a_photograph(token)))
    return file


def answers(*files, keys=None):
    lines: list[str] = []
    code = read_tickets(files, keys, lines.append, time.perf_counter)
    return code, [json.loads(line) for line in lines]


def test_a_ticket_is_called_one(tmp_path):
    file = a_ticket(tmp_path, a_token())
    code, [answer] = answers(file)
    assert code == 0
    assert list(answer) == FIELDS
    assert answer.pop("milliseconds") > 0
    assert answer == {
        "file": str(file),
        "text": a_token(),
        "decoder": "zxing",
        "verdict": "ticket",
        "reason": None,
        "why": None,
    }


def test_without_keys_the_signature_is_not_checked(tmp_path):
    code, [answer] = answers(a_ticket(tmp_path, a_token(key=THEIRS)))
    assert (code, answer["verdict"]) == (0, "ticket")


def test_with_keys_a_ticket_of_another_key_is_no_ticket(tmp_path):
    keys = {1: KEY.public_key()}
    ours = a_ticket(tmp_path, a_token(), "ours.png")
    theirs = a_ticket(tmp_path, a_token(key=THEIRS), "theirs.png")
    code, [one, other] = answers(ours, theirs, keys=keys)
    assert code == 1
    assert (one["verdict"], one["reason"]) == ("ticket", None)
    assert (other["verdict"], other["reason"]) == ("not_a_ticket", "bad_signature")
    assert other["text"] == a_token(key=THEIRS)


def test_another_code_is_unknown(tmp_path):
    file = tmp_path / "poster.png"
    qrcode.make("https://example.com").save(file)
    code, [answer] = answers(file)
    assert code == 1
    assert (answer["verdict"], answer["reason"]) == ("not_a_ticket", "unknown_ticket")
    assert answer["why"] == "it has 19 characters, not 144"
    assert answer["text"] == "https://example.com"


def test_an_empty_picture_and_a_broken_file_are_told_apart(tmp_path):
    Image.new("L", (64, 64)).save(tmp_path / "black.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    code, [black, broken, gone] = answers(
        tmp_path / "black.png", tmp_path / "broken.png", tmp_path / "gone.png"
    )
    assert code == 1
    assert black["verdict"] == "nothing_found"
    assert broken["verdict"] == "unreadable"
    assert broken["why"] == "it is not one of PNG, JPEG, WEBP, BMP"
    assert (gone["verdict"], gone["why"]) == ("unreadable", "No such file or directory")


def test_one_bad_file_among_many_is_told_and_the_rest_are_read(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"")
    ticket = a_ticket(tmp_path, a_token())
    code, found = answers(ticket, tmp_path / "broken.png", ticket)
    assert code == 1
    assert [answer["verdict"] for answer in found] == ["ticket", "unreadable", "ticket"]


def test_each_answer_is_one_line_whatever_the_file_is_called(tmp_path):
    lines: list[str] = []
    read_tickets([tmp_path / "two\nlines\x1b.png"], None, lines.append, time.perf_counter)
    assert lines[0].isascii()
    assert lines[0].isprintable()


def test_keys_are_loaded_by_id(tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"1": public_bytes(KEY).hex()}))
    code, [answer] = answers(a_ticket(tmp_path, a_token()), keys=load_keys(file))
    assert (code, answer["verdict"]) == (0, "ticket")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", '{"1": 5}', '{"1": "zz"}', '{"one": "00"}', '{"1": "00"}', '{"16": "00"}'],
)
def test_keys_of_another_shape_are_refused_in_one_sentence(tmp_path, text):
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(KeysAreUnreadable, match="it has to look like"):
        load_keys(file)


def test_keys_that_are_not_there_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(KeysAreUnreadable, match="No such file or directory"):
        load_keys(tmp_path / "keys.json")
