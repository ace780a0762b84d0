"""What terminals are told, and have heard: who is there, and how each of their calls stands."""

from __future__ import annotations

import json
from typing import Final

from cloud_controller.ports import Received, Row, Transaction
from common.ids import TerminalId
from common.messages.help import (
    HELPERS_THERE_MAX,
    LINES_TOLD_MAX,
    Bilingual,
    HelperThere,
    HelpHeard,
    HelpThere,
    HelpTold,
    LineTold,
)
from common.rules.help import CallState
from common.topics import BrokerRole, Channel

TOLD_AGAIN_SECONDS: Final = 86_400
"""How long a terminal is told of a call that it has not confirmed: its screen has forgotten it."""

TOLD_MAX: Final = 100
"""Calls of a terminal that comes back, or terminals that lack something, which are told again in
one transaction, so that it stays short."""

TOLD_OF_ONE_MAX: Final = 5
"""Calls of one terminal that are told again each time: one that confirms none keeps no other from
being told."""


def review(books: Transaction, store: str) -> None:
    """Tell a store's terminals who is there now, if that is another list than they were told."""
    told = _as_text(helpers_there(books, store))
    board = books.help.board(store_id=store)
    if told == ("[]" if board is None else board["told"]):
        return
    number = books.help.keep_board(store_id=store, told=told, now=books.now)
    for row in list(books.help.in_service(store_id=store)):
        _say_there(books, row["terminal_id"], number, told)


def review_stores_of(books: Transaction, helper: str) -> None:
    """Do so at each store where this helper helps."""
    for row in list(books.help.stores_of(helper_id=helper)):
        review(books, row["store_id"])


def differs(books: Transaction, store: str) -> bool:
    """Say whether a store's terminals were told another list than is true now."""
    board = books.help.board(store_id=store)
    told = "[]" if board is None else str(board["told"])
    return _as_text(helpers_there(books, store)) != told


def hello(books: Transaction, said: Received) -> None:
    """Tell a terminal that comes back who is there, and how its calls stand."""
    terminal = books.help.terminal(terminal_id=said.terminal)
    if terminal is None or terminal["broker_role"] != BrokerRole.SERVICE:
        return
    review(books, terminal["store_id"])
    board = books.help.board(store_id=terminal["store_id"])
    if board is not None:
        _say_there(books, said.terminal, board["number"], board["told"])
    since = books.now - TOLD_AGAIN_SECONDS * 1000
    calls = books.help.unheard_of(terminal_id=said.terminal, since=since, most=TOLD_MAX)
    for row in list(calls):
        tell(books, row["call_id"])


def note_heard(books: Transaction, said: Received) -> None:
    """Note up to where a terminal has a call; what is still missing is told at once."""
    message: HelpHeard = said.message
    if of_terminal(books, said, message.call) is None:
        return
    books.help.note_heard(
        call_id=message.call,
        terminal_id=said.terminal,
        heard=message.number,
        heard_state=message.state,
    )
    call = books.help.call(call_id=message.call)
    if call["heard"] < call["lines"]:
        tell(books, message.call)


def of_terminal(books: Transaction, said: Received, call: str) -> Row | None:
    """Return a call that was made at this terminal, or None."""
    row = books.help.call(call_id=call)
    return row if row is not None and row["terminal_id"] == said.terminal else None


def tell_unheard(books: Transaction) -> None:
    """Tell terminals again what they have not confirmed of their calls."""
    for row in unheard(books):
        tell(books, row["call_id"])


def unheard(books: Transaction) -> list[Row]:
    """Return the calls of which terminals that are here have not said that they have them."""
    since = books.now - TOLD_AGAIN_SECONDS * 1000
    return [
        call
        for row in list(books.help.unheard(since=since, most=TOLD_MAX))
        for call in books.help.unheard_of(
            terminal_id=row["terminal_id"], since=since, most=TOLD_OF_ONE_MAX
        )
    ]


def tell(books: Transaction, call: str) -> None:
    """Tell a call's terminal how it stands, and the lines it has not confirmed; others hear none.

    Not kept: the row is, and this is said again until the terminal has confirmed it.
    """
    row = books.help.call(call_id=call)
    if row["terminal_id"] is None or row["device_id"] is None:
        return
    terminal = books.help.terminal(terminal_id=row["terminal_id"])
    if terminal is None or terminal["broker_role"] != BrokerRole.SERVICE:
        return
    lines = books.help.lines(call_id=call, after=row["heard"], most=LINES_TOLD_MAX)
    told = HelpTold(
        call=call,
        device=row["device_id"],
        state=row["state"],
        why=row["why"],
        place=place_of(books, row),
        lines=tuple(_line(each) for each in lines),
    )
    books.say(TerminalId(row["terminal_id"]), Channel.DESIRED, told)


def tell_waiting(books: Transaction, helper: str) -> None:
    """Tell whoever waits for a helper at a screen that his place has changed."""
    for row in list(books.help.live_of_helper(helper_id=helper)):
        if books.help.call(call_id=row["call_id"])["state"] == CallState.WAITING:
            tell(books, row["call_id"])


def place_of(books: Transaction, call: Row) -> int:
    """Return how many calls the helper has before this one, while it waits."""
    if call["state"] != CallState.WAITING:
        return 0
    before = books.help.before_it(
        helper_id=call["helper_id"], chosen_at=call["chosen_at"], call_id=call["call_id"]
    )
    return int(before)


def helpers_there(books: Transaction, store: str) -> tuple[HelperThere, ...]:
    """Return who can be called at a store now, and nobody else (E6)."""
    rows = books.help.there(store_id=store, now=books.now, most=HELPERS_THERE_MAX)
    return tuple(
        HelperThere(
            helper=row["helper_id"],
            name=row["name"],
            title=Bilingual(ja=row["title_ja"], en=row["title_en"]),
            languages=tuple(row["languages"].split()),
            price_cents=row["price_cents"],
            currency=row["currency"],
        )
        for row in rows
    )


def _say_there(books: Transaction, terminal: str, number: int, told: str) -> None:
    """Say who is there; kept, since no terminal answers it, until the broker has it."""
    helpers = tuple(HelperThere.model_validate(each) for each in json.loads(told))
    there = HelpThere(number=number, helpers=helpers)
    books.say(TerminalId(terminal), Channel.DESIRED, there, kept=True)


def _as_text(helpers: tuple[HelperThere, ...]) -> str:
    return json.dumps([each.model_dump(mode="json") for each in helpers], ensure_ascii=False)


def _line(row: Row) -> LineTold:
    return LineTold(
        number=row["number"], by=row["side"], text=row["text"], at=row["at"], own=row["own"]
    )
