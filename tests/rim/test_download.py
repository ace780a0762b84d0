"""Downloads: a cut costs a chunk at most, and a server that lies gets nothing but time."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from common.messages.modules import CHUNK_BYTES
from common.rules.modules import InstallFailure
from common.system import SystemClock
from common.tls import serving
from edge_agent.enrolment.trust import tls_to_pages
from edge_agent.modules.download import Attempt, CannotBeHad, CutOff, DownloadTerms, Source
from edge_agent.modules.part import AnswerIsWrong, Part
from tests.rim.enrolment_kit import an_authority
from tests.rim.lying import Asked, Behaviour, Server, archive_of, honest, ranged, saying

CONTENT = random.Random(7).randbytes(3 * CHUNK_BYTES + 12_345)
ARCHIVE = archive_of(CONTENT)
WHOLE = len(CONTENT)
TERMS = DownloadTerms(silence_seconds=10, headers_seconds=10)
CUTS = 6
"""How often the line is cut here; `./dev prove installs` does it 500 times."""


class Hasty:
    """A clock by which a minute is over at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def steady_seconds(self) -> float:
        self.now += 60.0
        return self.now


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    opened = Part(tmp_path / "a.part", ARCHIVE)
    yield opened
    opened.close()


def attempt(server: Server, part: Part, terms: DownloadTerms = TERMS) -> None:
    Attempt(server.source, part, terms, SystemClock(), lambda _: None).go()


def test_an_archive_comes_whole_and_nothing_is_asked_twice(part: Part, tmp_path: Path):
    with Server(honest(CONTENT)).going() as server:
        told: list[int] = []
        Attempt(server.source, part, TERMS, SystemClock(), told.append).go()
    assert part.is_whole
    assert part.is_as_signed()
    assert (tmp_path / "a.part").read_bytes() == CONTENT
    assert told == [CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES, WHOLE]
    assert b"\r\nAuthorization: Bearer word\r\n" in server.asked[0].head
    path = f"/packages/targets/modules/physics/{ARCHIVE.sha256}.1.0.zip".encode()
    assert server.asked[0].head.startswith(b"GET " + path + b" ")


def test_a_cut_costs_one_chunk_at_most_wherever_it_is(tmp_path: Path, seed: int):
    """Each time by another process, as it were: only the file is left."""
    dice = random.Random(seed)
    cuts = [dice.randrange(WHOLE + 1) for _ in range(CUTS)]
    with Server(*(honest(CONTENT, cut) for cut in cuts), honest(CONTENT)).going() as server:
        for cut in cuts:
            part = Part(tmp_path / "a.part", ARCHIVE)
            start, came = part.verified, 0
            if not part.is_whole:
                came = min(cut, WHOLE - start)
                try:
                    attempt(server, part)
                except CutOff:
                    assert start + came < WHOLE
            here = start + came
            assert part.verified == (here if here == WHOLE else here - here % CHUNK_BYTES)
            part.close()
        part = Part(tmp_path / "a.part", ARCHIVE)
        if not part.is_whole:
            attempt(server, part)
        assert part.is_as_signed()
        part.close()


def test_what_was_written_and_never_verified_is_not_believed(tmp_path: Path):
    file = tmp_path / "a.part"
    wrong = bytearray(CONTENT[: 2 * CHUNK_BYTES])
    wrong[CHUNK_BYTES + 5] ^= 1
    file.write_bytes(bytes(wrong) + b"tail")
    part = Part(file, ARCHIVE)
    assert part.verified == CHUNK_BYTES
    part.close()
    assert file.stat().st_size == CHUNK_BYTES


def test_a_server_that_knows_no_ranges_loses_nothing_that_is_here(tmp_path: Path):
    """It says 200 for 206: what is verified already is skipped."""
    (tmp_path / "a.part").write_bytes(CONTENT[: 2 * CHUNK_BYTES])
    part = Part(tmp_path / "a.part", ARCHIVE)
    whole = saying(f"HTTP/1.1 200 OK\nContent-Length: {WHOLE}\n\n", CONTENT)
    with Server(whole).going() as server:
        attempt(server, part)
    assert part.is_whole
    assert part.is_as_signed()
    part.close()
    assert server.asked[0].start == 2 * CHUNK_BYTES


LIES: dict[str, Behaviour] = {
    "another start": ranged(CHUNK_BYTES + 1, WHOLE - 1, WHOLE),
    "from the beginning": ranged(0, WHOLE - 1, WHOLE),
    "another whole": ranged(CHUNK_BYTES, WHOLE - 1, WHOLE + 1),
    "past the end": ranged(CHUNK_BYTES, WHOLE, "*"),
    "no range": saying("HTTP/1.1 206 Partial\nContent-Length: 5\n\n", b"abcde"),
    "another length": saying(f"HTTP/1.1 200 OK\nContent-Length: {WHOLE + 1}\n\n", CONTENT),
    "packed": saying("HTTP/1.1 200 OK\nContent-Encoding: gzip\n\n", CONTENT),
    "elsewhere": saying("HTTP/1.1 302 Found\nLocation: http://127.0.0.1:1/\n\n"),
    "not to be had": saying("HTTP/1.1 416 Range\nContent-Range: bytes */9\n\n"),
    "another file": ranged(CHUNK_BYTES, WHOLE - 1, WHOLE, bytes(WHOLE - CHUNK_BYTES)),
    "one bit": saying("HTTP/1.1 200 OK\n\n", CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_seen_and_changes_nothing_that_is_here(tmp_path: Path, lie: str):
    (tmp_path / "a.part").write_bytes(CONTENT[:CHUNK_BYTES])
    part = Part(tmp_path / "a.part", ARCHIVE)
    with Server(LIES[lie]).going() as server, pytest.raises(AnswerIsWrong):
        attempt(server, part)
    assert part.verified % CHUNK_BYTES == 0
    assert part.verified >= CHUNK_BYTES
    part.close()
    assert CONTENT.startswith((tmp_path / "a.part").read_bytes())


@pytest.mark.parametrize(
    ("status", "failure"),
    [(401, "no_right"), (403, "no_right"), (404, "gone"), (410, "gone")],
)
def test_what_is_refused_is_not_asked_again(part: Part, status: int, failure: str):
    no = saying(f"HTTP/1.1 {status} No\n\n")
    with Server(no).going() as server, pytest.raises(CannotBeHad) as fault:
        attempt(server, part)
    assert fault.value.failure is InstallFailure(failure)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again(part: Part, status: int):
    with Server(saying(f"HTTP/1.1 {status} Later\n\n")).going() as server, pytest.raises(CutOff):
        attempt(server, part)


def test_a_server_without_end_is_left_when_all_is_here(part: Part):
    def endless(asked: Asked) -> None:
        asked.say("HTTP/1.1 200 OK\n\n")
        asked.line.sendall(CONTENT)
        while True:  # until the other side hangs up
            asked.line.sendall(bytes(65_536))

    with Server(endless).going() as server:
        attempt(server, part)
    assert part.is_whole
    assert part.is_as_signed()


def test_a_head_without_end_is_cut(part: Part):
    def endless(asked: Asked) -> None:
        asked.say("HTTP/1.1 200 OK\n")
        while True:
            asked.say("X-More: and more\n")

    with Server(endless).going() as server, pytest.raises(CutOff):
        attempt(server, part)


def until_left(head: str, body: bytes) -> Behaviour:
    """Say this and nothing else, until the other side has gone."""

    def stall(asked: Asked) -> None:
        asked.say(head)
        asked.line.sendall(body)
        asked.line.settimeout(20)
        assert asked.line.recv(1) == b""

    return stall


def test_a_drip_is_too_slow_and_is_left(part: Part):
    dripping = until_left("HTTP/1.1 200 OK\n\n", b"drip")
    with Server(dripping).going() as server, pytest.raises(CutOff, match="too slow"):
        Attempt(server.source, part, TERMS, Hasty(), lambda _: None).go()


@pytest.mark.parametrize("head", ["", "HTTP/1.1 200 OK\n\n"])
def test_a_server_that_falls_silent_is_left(part: Part, head: str):
    terms = DownloadTerms(silence_seconds=0.2, headers_seconds=10)
    with Server(until_left(head, b"")).going() as server, pytest.raises(CutOff):
        attempt(server, part, terms)


def test_whoever_waits_no_longer_cuts_the_line(part: Part):
    with Server(until_left("HTTP/1.1 200 OK\n\n", b"some")).going() as server:
        going = Attempt(server.source, part, TERMS, SystemClock(), lambda _: None)
        faults: list[BaseException] = []

        def go() -> None:
            try:
                going.go()
            except CutOff as fault:
                faults.append(fault)

        thread = threading.Thread(target=go, name="download")
        thread.start()
        going.line.cut()
        thread.join(timeout=20)
    assert len(faults) == 1


def test_over_tls_only_the_pinned_controller_is_shown_our_right(part: Part, tmp_path: Path):
    ours, another = (an_authority(tmp_path / name) for name in ("ours", "another"))
    files = ours.server_files(["127.0.0.1"])
    tls = serving(files.certificate, files.key)
    with Server(honest(CONTENT), tls=tls).going() as server:
        url = server.source.url.replace("http:", "https:")
        for authority in (another, ours):
            assert server.asked == []
            source = Source(url=url, tls=tls_to_pages(authority.pem), bearer="word")
            with nullcontext() if authority is ours else pytest.raises(CutOff, match="verif"):
                Attempt(source, part, TERMS, SystemClock(), lambda _: None).go()
    assert part.is_as_signed()


def test_a_connection_that_is_forgotten_loses_nothing_that_is_here(tmp_path: Path):
    def forgotten(asked: Asked) -> None:
        honest(CONTENT, CHUNK_BYTES + 77)(asked)
        asked.reset()

    part = Part(tmp_path / "a.part", ARCHIVE)
    with Server(forgotten, honest(CONTENT)).going() as server:
        with pytest.raises(CutOff):
            attempt(server, part)
        assert part.verified in {0, CHUNK_BYTES}
        attempt(server, part)
    assert part.is_whole
    assert part.is_as_signed()
    part.close()
