"""What is tried under crashes: two uses of a device, seats of a module, tickets held offline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from cloud_controller.flows import reservations, rights as issuing
from cloud_controller.flows.rights import holding
from common.messages.rights import ModuleRequest
from common.rules.rights import ClientState
from common.rules.sessions import EndReason
from common.rules.tickets import RecallWhy
from edge_agent.flows import rights as asking, sessions as running
from edge_agent.flows.rights import exchange
from tests.fakes.house import SLOT_SECONDS
from tests.fakes.terminal import a_program
from tests.prove.crash_laws import wrong_with_sessions, wrong_with_the_exchange
from tests.prove.crash_moments import Act, Side
from tests.prove.crash_world import World

PLAYED_SECONDS: Final = 10.0


class Uses:
    """Two customers, one after the other, each with a ticket for the same device."""

    name = "session"

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def furnish(self, world: World) -> None:
        sell_two_tickets(world, self.tokens)

    def next_act(self, world: World) -> Act | None:
        act = next_of_the_program(world)
        if act is not None:
            return act
        state = state_of(world, asking.class_for(world.device))
        if state is ClientState.IDLE:
            return Act(
                Side.TERMINAL,
                "the agent announces",
                lambda: world.terminal.do(asking.prepare, world.terminal.who, world.device),
            )
        if state is ClientState.ANNOUNCED and (token := next_token(world, self.tokens)):
            return Act(
                Side.TERMINAL,
                "a customer shows a ticket",
                lambda: world.terminal.scan(world.device, token),
            )
        return None

    def wrong(self, world: World) -> Iterator[str]:
        yield from wrong_with_the_exchange(world)
        yield from wrong_with_sessions(world, used=2, admitted=0)


class Seats:
    """One seat of a module taken and renewed, and none to be had of another."""

    name = "module"

    _KINDS: Final = {"module:m-1": 2, "module:m-2": 1}
    """How many exchanges of each class there are to be."""

    def furnish(self, world: World) -> None:
        connection = world.house.books.connection
        connection.execute("INSERT INTO seat_pools (module, owned) VALUES ('m-1', 1), ('m-2', 0)")

    def next_act(self, world: World) -> Act | None:
        client = world.terminal.do
        for kind, times in self._KINDS.items():
            state, request = state_of(world, kind), ModuleRequest(module=kind[7:])
            if state is ClientState.ANNOUNCED:
                frozen = request.model_dump(mode="json")
                do = partial(client, exchange.freeze, world.terminal.who, kind, frozen)
                return Act(Side.TERMINAL, "the agent asks for a seat", do)
            if state is ClientState.IDLE and done_of(world, kind) < times:
                do = partial(client, exchange.begin, world.terminal.who, kind)
                return Act(Side.TERMINAL, "the agent announces", do)
        return None

    def wrong(self, world: World) -> Iterator[str]:
        yield from wrong_with_the_exchange(world)
        pools = [tuple(row) for row in world.rows(Side.CONTROLLER, "SELECT used FROM seat_pools")]
        if pools != [(1,), (0,)]:
            yield f"the pools have {pools} seats in use"
        query = "SELECT comm_id, freed_at IS NULL FROM rights ORDER BY comm_id"
        rights = [tuple(row) for row in world.rows(Side.CONTROLLER, query)]
        if [is_live for _, is_live in rights] != [0, 1]:
            yield f"the ledger has {rights}"
        held = [row[0] for row in world.rows(Side.TERMINAL, "SELECT comm_id FROM held_rights")]
        if held != [comm_id for comm_id, is_live in rights if is_live]:
            yield f"the terminal holds {held}"


class Alone:
    """Two tickets held: one is used without the line, the other is given up by its customer."""

    name = "offline"

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def furnish(self, world: World) -> None:
        sell_two_tickets(world, self.tokens)
        world.house.clock.is_kept = True

    def next_act(self, world: World) -> Act | None:
        kind = f"offline:{world.device}"
        used = world.rows(Side.TERMINAL, "SELECT 1 FROM sessions WHERE state <> 'failed'")
        act = next_of_the_program(world)
        if act is not None:
            return act
        if done_of(world, kind) < 1 + len(used):
            return Act(
                Side.TERMINAL,
                "the agent asks for its tickets",
                lambda: world.terminal.do(asking.hold, world.terminal.who, world.device),
            )
        if not used:
            return Act(
                Side.TERMINAL,
                "a customer shows a ticket without the line",
                lambda: world.terminal.scan(world.device, self.tokens[0], line_is_up=False),
            )
        return self._giving_up(world)

    def wrong(self, world: World) -> Iterator[str]:
        yield from wrong_with_the_exchange(world)
        yield from wrong_with_sessions(world, used=1, admitted=1)
        held = [tuple(row) for row in world.rows(Side.CONTROLLER, "SELECT state FROM held_tickets")]
        if held != [("held",), ("released",)]:
            yield f"the controller takes its tickets for {held}"
        query = "SELECT 1 FROM held_tickets WHERE NOT is_released"
        if world.rows(Side.TERMINAL, query):
            yield "the terminal still holds a ticket"
        query = "SELECT state FROM reservations ORDER BY starts_at"
        claims = [row[0] for row in world.rows(Side.CONTROLLER, query)]
        if claims != ["completed", "cancelled"]:
            yield f"the reservations are {claims}"

    def _giving_up(self, world: World) -> Act | None:
        """Return how the second customer's wish is carried to its end."""
        query = "SELECT link, state, cancel_asked_at FROM reservations ORDER BY starts_at"
        _, second = world.rows(Side.CONTROLLER, query)
        if second["state"] != "confirmed":
            return None
        books = world.house.books
        if second["cancel_asked_at"] is None:
            return Act(
                Side.CONTROLLER,
                "a customer gives a ticket up",
                lambda: books.do(give_up, second["link"]),
            )

        def settle() -> None:
            world.house.clock.move(holding.RECALL_AGAIN_SECONDS)
            books.do(issuing.settle_held)

        return Act(Side.CONTROLLER, "the controller recalls it again", settle)


class Longer:
    """A customer plays, asks for more time and gets it once: in books, journal and runner."""

    name = "extension"

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def furnish(self, world: World) -> None:
        self.tokens += [world.house.book(world.device)]
        (claim,) = world.house.books.rows("reservations", "starts_at")
        world.house.clock.move((claim["starts_at"] - world.house.clock.now) / 1000)

    def next_act(self, world: World) -> Act | None:
        rows = world.rows(Side.TERMINAL, "SELECT * FROM sessions WHERE state = 'running'")
        for row in rows:
            act = self._of_more_time(world, dict(row))
            if act is not None:
                return act
        act = next_of_the_program(world)
        if act is not None:
            return act
        state = state_of(world, asking.class_for(world.device))
        used = world.rows(Side.TERMINAL, "SELECT 1 FROM sessions WHERE state <> 'failed'")
        if state is ClientState.IDLE and not used:
            return Act(
                Side.TERMINAL,
                "the agent announces",
                lambda: world.terminal.do(asking.prepare, world.terminal.who, world.device),
            )
        if state is ClientState.ANNOUNCED and not used:
            return Act(
                Side.TERMINAL,
                "a customer shows a ticket",
                lambda: world.terminal.scan(world.device, self.tokens[0]),
            )
        return None

    def wrong(self, world: World) -> Iterator[str]:
        yield from wrong_with_the_exchange(world)
        yield from wrong_with_sessions(world, used=1, admitted=0)
        query = "SELECT extended_seconds, told_extended_seconds FROM sessions"
        own = [tuple(row) for row in world.rows(Side.TERMINAL, query)]
        if own != [(SLOT_SECONDS, SLOT_SECONDS)]:
            yield f"the journal and its runner have extended {own}"
        query = """SELECT s.extended_seconds, r.price_cents, (SELECT count(*) FROM payments)
            FROM sessions AS s JOIN reservations AS r USING (reservation_id)"""
        books = [tuple(row) for row in world.rows(Side.CONTROLLER, query)]
        if books != [(SLOT_SECONDS, 3000, 1)]:
            yield f"the books have extended and charged {books}"
        query = "SELECT count(*) FROM ledger WHERE type = ?"
        for kind in ("session.extension_granted", "session.extended"):
            ((count,),) = world.rows(Side.CONTROLLER, query, kind)
            if count != 1:
                yield f"{kind} was entered {count} times"

    def _of_more_time(self, world: World, row: dict[str, Any]) -> Act | None:
        """Return what is next about more time while a program runs, or None: it is over."""
        client, session = world.terminal.do, row["session"]
        if client(running.to_extend):
            return Act(Side.TERMINAL, "the runner moves the deadline", partial(lengthen, world))
        wish = client(asking.wish_of, session)
        if wish is not None and wish["state"] == "wanted":
            look = partial(client, asking.look, world.terminal.who)
            return Act(Side.TERMINAL, "the agent looks at what is wanted", look)
        if wish is None:
            wanted = asking.Wish(session=session, seconds=SLOT_SECONDS, price_cents=1500)
            return Act(
                Side.TERMINAL,
                "the customer asks for more time",
                partial(client, asking.wish, wanted),
                is_of_an_exchange=False,
            )
        return None


STORIES: Final[dict[str, Callable[[], Any]]] = {
    story.name: story for story in (Uses, Seats, Alone, Longer)
}


def sell_two_tickets(world: World, tokens: list[str]) -> None:
    """Sell a slot and the next, at an instant when both tickets open the device."""
    tokens += [
        world.house.book(world.device, in_seconds=number * SLOT_SECONDS) for number in range(2)
    ]
    (second,) = world.house.books.rows("reservations", "starts_at")[1:]
    world.house.clock.move((second["starts_at"] - world.house.clock.now) / 1000 - 100)


def give_up(books: Any, link: str) -> None:
    """Do what the page does for a customer who gives a ticket up."""
    ticket = reservations.cancel(books, link)
    if ticket is not None:
        issuing.recall(books, ticket, RecallWhy.CANCEL)


def next_token(world: World, tokens: list[str]) -> str | None:
    """Return the ticket of the first customer who has not had a session that ended."""
    used = len(world.rows(Side.TERMINAL, "SELECT 1 FROM sessions WHERE state = 'ended'"))
    return tokens[used] if used < len(tokens) else None


def next_of_the_program(world: World) -> Act | None:
    """Return what the runner does next, or what the agent sees of it."""
    query = "SELECT session, state FROM sessions WHERE state IN ('starting', 'running')"
    for session, state in world.rows(Side.TERMINAL, query):
        if session not in world.ran:
            return _seen("the runner starts a program", partial(start, world))
        facts: dict[str, Any] = {"started_at": world.house.clock.now}
        if state == "starting":
            return _seen("the agent sees it run", partial(see, world, session, "running", **facts))
        facts |= {"delivered_seconds": PLAYED_SECONDS, "end_reason": EndReason.CUSTOMER_ENDED}
        return _seen("the agent sees it ended", partial(see, world, session, "ended", **facts))
    return None


def _seen(words: str, do: Callable[[], Any]) -> Act:
    return Act(Side.TERMINAL, words, do, is_of_an_exchange=False)


def start(world: World) -> None:
    """Have the runner start what is due; it remembers that by itself."""
    for due in world.terminal.do(running.to_start):
        world.ran = (*world.ran, due.session)


def lengthen(world: World) -> None:
    """Have the runner move the deadlines that it has not moved yet, and the agent note it."""
    for due in world.terminal.do(running.to_extend):
        seen = a_program(due.session, "running", started_at=world.house.clock.now)
        world.terminal.do(running.note_extended, due, seen)


def see(world: World, session: str, state: str, **seen: Any) -> None:
    world.terminal.do(running.note_seen, a_program(session, state, **seen))


def state_of(world: World, kind: str) -> ClientState:
    """Return where the client is in an exchange."""
    query = "SELECT state FROM exchanges WHERE kind = ?"
    return ClientState(next((row[0] for row in world.rows(Side.TERMINAL, query, kind)), "idle"))


def done_of(world: World, kind: str) -> int:
    """Return how many exchanges of a class are over."""
    query = "SELECT done_seq FROM exchanges WHERE kind = ?"
    return next((int(row[0]) for row in world.rows(Side.TERMINAL, query, kind)), 0)
