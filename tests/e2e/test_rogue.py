"""Not one byte of service reaches a terminal that is not confirmed, whoever speaks and however."""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

import pytest

from cloud_controller.listener import FLOWS, SIGNS_OF_LIFE
from cloud_controller.web.table import ROUTES
from common.rules.presence import Presence
from common.seals import renewal_document, seal_document
from common.topics import CONTROLLER_STATE, OPEN_TO, Channel
from tests.e2e.judged_routes import FOR_EVERYBODY, FOR_THE_OPERATOR
from tests.e2e.line_up import (
    DOWN,
    HEARS,
    MARK,
    ROLE_OF,
    SHUT_OUT,
    UP,
    LineUp,
    Standing,
    Suspect,
    a_line_up,
    enrolled,
)
from tests.e2e.open_world import OpenWorld
from tests.e2e.rogue import NOT_ALLOWED, OK, SAID_UP, Account, Pc, Rogue, topic

WORDS: Final = ("", "suspend", "retire", "enrol again")
"""How a confirmed terminal leaves; it stays where nothing is said."""

EACH_WORD: Final = pytest.mark.parametrize("word", WORDS)

UNAUTHORISED: Final = 401
FORBIDDEN: Final = 403

EACH_CHANNEL: Final = pytest.mark.parametrize("channel", Channel, ids=lambda each: each.name)
EACH_STANDING: Final = pytest.mark.parametrize("standing", Standing)


@pytest.fixture(scope="module")
def line_up() -> Iterator[LineUp]:
    """Give one rogue of each standing, with all that came of what they tried."""
    with a_line_up() as made:
        yield made


def test_everything_that_can_be_said_is_tried():
    """A new channel or message stands in the tables of this test, or it is red."""
    assert set(SAID_UP) >= set(FLOWS) | SIGNS_OF_LIFE
    assert {channel for channel, _ in SAID_UP} == set(UP)
    assert set(OPEN_TO) == {*UP, *DOWN}


@EACH_STANDING
@EACH_CHANNEL
def test_what_is_delivered_is_what_its_standing_opens(line_up: LineUp, channel, standing):
    """A4, A7, promise 10: one's own registration for all, and for the confirmed the rest."""
    suspect = line_up.suspects[standing]
    own = topic(suspect.pc.terminal, channel)
    is_told = any(each.topic == own for each in suspect.rogue.heard)
    assert is_told is (channel in HEARS[standing])


@EACH_STANDING
def test_nothing_else_is_delivered_whatever_was_subscribed_to(line_up: LineUp, standing):
    """A7, attacks: wildcards, shares, the broker's own topics and another's open nothing."""
    suspect = line_up.suspects[standing]
    may = {topic(suspect.pc.terminal, channel) for channel in HEARS[standing]}
    if standing is Standing.CONFIRMED:
        may.add(CONTROLLER_STATE)
    told = {each.topic for each in suspect.rogue.heard}
    assert {
        each for each in told if each not in may and not _is_own_command(each, suspect)
    } == set()
    granted = {each for each, answer in suspect.filters.items() if answer.startswith("Granted")}
    assert granted == {each.replace("/x", "/#") for each in may}


@EACH_STANDING
@EACH_CHANNEL
def test_what_it_says_is_let_through_only_where_its_standing_lets_it(
    line_up: LineUp, channel, standing
):
    """A7, attacks: nobody speaks as another; nobody shut out speaks at all."""
    suspect = line_up.suspects[standing]
    if not channel.is_up or (channel, standing) == (Channel.SPECIFICATION, Standing.CLAIMED):
        return
    is_open = standing not in SHUT_OUT and ROLE_OF[standing] in OPEN_TO[channel]
    refused = "not in" if standing in SHUT_OUT else NOT_ALLOWED
    assert suspect.said[suspect.pc.terminal, channel] == (OK if is_open else refused)
    assert suspect.said[line_up.honest, channel] == refused


@EACH_STANDING
def test_what_it_says_changes_nothing_in_the_books(line_up: LineUp, standing):
    """A7: only who is in service, or settles what still runs, is written down."""
    is_written = standing in {Standing.CONFIRMED, Standing.SETTLING}
    assert bool(line_up.suspects[standing].changed) is is_written


def without_silence(tables: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Leave out who has fallen silent: time does that, whatever is said meanwhile."""
    here = {"presence": Presence.HERE, "presence_at": 0}
    rows = [{**row, **here} for row in tables["terminals"]]
    return {**tables, "terminals": rows}


@EACH_STANDING
def test_what_the_broker_should_have_kept_out_reaches_no_flow(line_up: LineUp, standing):
    """A7: the controller looks for itself, and answers with where it stands, and nothing else."""
    suspect, world = line_up.suspects[standing], line_up.world
    before, heard = world.tables(), len(suspect.rogue.heard)
    for (channel, kind), message in SAID_UP.items():
        if ROLE_OF[standing] not in OPEN_TO[channel]:
            own = topic(suspect.pc.terminal, channel, kind)
            world.makes_it_take(own, suspect.pc.says(message, seq=1))
    suspect.rogue.hears(topic(suspect.pc.terminal, Channel.REGISTRATION))
    before, after = without_silence(before), without_silence(world.tables())
    assert {table for table in after if after[table] != before[table]} == set()
    told = {each.topic for each in suspect.rogue.heard[heard:]}
    is_told = standing not in {*SHUT_OUT, Standing.CLAIMED, Standing.CONFIRMED}
    assert told == ({topic(suspect.pc.terminal, Channel.REGISTRATION)} if is_told else set())


@EACH_WORD
def test_what_waited_for_a_terminal_is_kept_from_it_when_it_may_hear_it_no_more(
    line_up: LineUp, word
):
    """A7: its session at the broker outlives its standing, and holds nothing for it."""
    world = line_up.world
    pc = enrolled(world, Standing.CONFIRMED, address=f"127.0.2.{1 + WORDS.index(word)}")
    own = [topic(pc.terminal, channel) for channel in DOWN]
    with Rogue(pc.account, is_kept=True) as rogue:
        assert set(rogue.hears(*own)) == {"Granted QoS 1"}
    for each in own:
        line_up.auditor.says(each, MARK)
    back = leave(world, pc, word)
    registered = topic(pc.terminal, Channel.REGISTRATION)
    with Rogue(back.account, is_kept=True) as rogue:
        rogue.hears(registered)
    told = {each.topic for each in rogue.heard} | {registered}
    assert told == ({registered} if word else set(own))


@EACH_WORD
def test_nothing_is_kept_of_a_terminal_that_has_left(line_up: LineUp, word):
    """A7: its presence is taken off the broker, whatever its will says."""
    world = line_up.world
    pc = enrolled(world, Standing.CONFIRMED, address=f"127.0.3.{1 + WORDS.index(word)}")
    presence = topic(pc.terminal, Channel.PRESENCE)
    here = SAID_UP[Channel.PRESENCE, "terminal.presence"]
    with Rogue(pc.account, will=presence) as rogue:
        assert rogue.says(presence, pc.says(here), is_kept=True) == OK
        assert kept(line_up.witness, presence)
        leave(world, pc, word)
        assert rogue.is_lost.wait(1.0) is bool(word)
    assert kept(line_up.witness, presence) is not bool(word)


PACKAGES: Final = "GET /packages/targets/{kind}/{package}/{file}"
"""A file is sent to whoever shows our word for it; `tests/rim/test_web_packages.py` judges it."""

ENROLMENTS: Final = "POST /api/v1/enrolments"
CREDENTIALS: Final = "POST /api/v1/terminals/{terminal}/credentials"


def test_every_route_is_judged_here():
    """A new route stands in one of these lists, or this is red."""
    judged = {*FOR_EVERYBODY, *FOR_THE_OPERATOR, ENROLMENTS, CREDENTIALS, PACKAGES}
    assert {f"{route.method} {route.path}" for route in ROUTES} == judged


@EACH_STANDING
def test_nothing_a_terminal_has_makes_it_an_operator(line_up: LineUp, standing):
    """A7: secret, epoch, name, signature and code open no route of the operator's."""
    pc = line_up.suspects[standing].pc
    for route in FOR_THE_OPERATOR:
        for whose in (pc.terminal, line_up.honest):
            for headers in _everything_it_has(pc):
                status, text = _call(line_up, route, whose, headers)
                told = _tells_of_service(text.replace(whose, ""), line_up)
                assert (status, told) == (UNAUTHORISED, []), "but what the caller has said itself"


@EACH_STANDING
def test_with_all_it_has_a_terminal_is_told_what_everybody_is_told(line_up: LineUp, standing):
    """A7: no page and no download tells a terminal more than a stranger, and that is no service."""
    pc = line_up.suspects[standing].pc
    for route in FOR_EVERYBODY:
        of_a_stranger, _ = _call(line_up, route, pc.terminal, {})
        for headers in _everything_it_has(pc):
            status, text = _call(line_up, route, pc.terminal, headers)
            assert (status, _tells_of_service(text, line_up)) == (of_a_stranger, []), route


@EACH_STANDING
def test_credentials_are_for_whoever_has_the_key_of_this_epoch(line_up: LineUp, standing):
    """A7, ladder: they are renewed for the right key and epoch, retired for nobody."""
    pc, own = line_up.suspects[standing].pc, CREDENTIALS
    good = _renewal(pc, pc.terminal, pc.epoch)
    bad = [
        good | {"epoch": "e0" * 8},
        _renewal(pc, pc.terminal, "e0" * 8) | {"epoch": pc.epoch},
        _renewal(pc, line_up.honest, pc.epoch),
        good | {"signature": "0" * 128},
    ]
    assert {_call(line_up, own, pc.terminal, {}, each)[0] for each in bad} == {FORBIDDEN}
    assert _call(line_up, own, line_up.honest, {}, good)[0] == FORBIDDEN
    status, text = _call(line_up, own, pc.terminal, {}, good)
    assert status == (FORBIDDEN if standing in SHUT_OUT else 200)
    assert _tells_of_service(text, line_up) == []


@EACH_STANDING
def test_nothing_a_terminal_has_is_a_code(line_up: LineUp, standing):
    """A1: a secret, an epoch or a name enrols nobody."""
    pc = line_up.suspects[standing].pc
    for has in (pc.account.secret[:40], pc.epoch, pc.terminal):
        body = {"code": has, "public_key": "ab" * 32, "hostname": "rogue"}
        address = f"127.0.1.{10 + list(Standing).index(standing)}"
        status, _ = line_up.world.ask("POST", "/api/v1/enrolments", body, address=address)
        assert status == FORBIDDEN


_CALLS = itertools.count()
"""Each call has an address of its own: who calls often is limited before he is judged."""


def _everything_it_has(pc: Pc) -> list[dict[str, str]]:
    signature = _renewal(pc, pc.terminal, pc.epoch)["signature"]
    bearers = (pc.account.secret, pc.epoch, pc.terminal, signature, pc.code)
    both = b64encode(f"{pc.terminal}:{pc.account.secret}".encode()).decode()
    return [{"Authorization": f"Bearer {each}"} for each in bearers] + [
        {"Authorization": f"Basic {both}"}
    ]


def _renewal(pc: Pc, terminal: str, epoch: str) -> dict[str, str]:
    """Return what it signs with its own key of this terminal and epoch."""
    return {"epoch": epoch, "signature": seal_document(renewal_document(terminal, epoch), pc.key)}


def _call(
    line_up: LineUp,
    route: str,
    terminal: str,
    headers: dict[str, str],
    body: dict[str, str] | None = None,
) -> tuple[int, str]:
    method, path = route.split()
    if path.endswith("/events"):
        method = "HEAD"  # it never ends
    names = {
        "terminal": terminal,
        "store": "nowhere",
        "problem": "p-none",
        "blackout": "b-none",
        "device": "d-none",
        "module": "physics",
        "offering": line_up.offering,
        "link": "nobody",
        "program": "racer",
        "name": "style.css",
        "key": "o",
        "picture": "none.webp",
        "voucher": "v-none",
        "helper": "h-none",
        "call": "h-none",
        "reservation": "r-none",
        "photo": "f-none",
        "task": "f-none",
        "browser": "b-none",
        "delivery": "d-none",
        "file": "f-none",
        "hook": "h-none",
        "kind": "k-none",
        "operator": "o-none",
        "package": "p-none",
        "passkey": "p-none",
        "token": "t-none",
    }
    whole = {} if body is None and method != "GET" else body
    number = next(_CALLS)
    caller = f"127.1.{number // 250}.{1 + number % 250}"
    return line_up.world.ask(method, path.format(**names), whole, headers=headers, address=caller)


def _tells_of_service(text: str, line_up: LineUp) -> list[str]:
    """Return what stands in an answer that only the confirmed may know."""
    return [mark for mark in line_up.marks if mark in text]


def leave(world: OpenWorld, pc: Pc, word: str) -> Pc:
    """Say the word, and return who the PC is afterwards."""
    if word == "enrol again":
        return world.enrol_by_hand(again=pc, address="127.0.4.1")
    if word:
        world.word(pc.terminal, word)
    return pc


def kept(witness: Account, presence: str) -> bool:
    """Say whether the broker keeps a presence for whoever comes."""
    with Rogue(witness) as visitor:
        visitor.hears(presence)
        visitor.hears(presence)  # what is kept comes behind the first answer, before the second
    return any(each.retain for each in visitor.heard)


def _is_own_command(told: str, suspect: Suspect) -> bool:
    """Say whether this is a real command of its own, whose topic ends with its id."""
    branch = topic(suspect.pc.terminal, Channel.COMMANDS).removesuffix("x")
    return told.startswith(branch) and Channel.COMMANDS in HEARS[suspect.standing]
