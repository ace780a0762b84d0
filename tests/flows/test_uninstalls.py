"""A module goes where its provenance lets it, and its seat is back when it has gone (D7-D9)."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller.flows import modules
from cloud_controller.flows.modules import LogSaid
from cloud_controller.keys import FileKeys
from common.ids import CommId
from common.messages.base import Message
from common.messages.modules import ModuleInstalled, ModuleUninstalled, ModuleUsed, Receipt
from common.messages.rights import Announce, Complete, Completed, Refused, Request, Right, Troubled
from common.rules.modules import CLOCKS_APART_MS, Basis, UninstallRefusal
from common.seals import digest_of
from common.topics import Channel
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.module_kit import PHYSICS, ask, digest_in, logged, own, publish, used

DIGEST = digest_in("what lies on the disk")
OTHER = digest_in("what somebody else has put there")


class Installed:
    """A terminal that has a module from us: the seat taken, the issue logged, the install told."""

    def __init__(self, house: HouseInHand, basis: str = "installed", key: str = "a") -> None:
        self.house = house
        self.sha256 = publish(house, PHYSICS, basis=basis)
        own(house)
        self.terminal = house.confirmed(key)
        asked = {"module": PHYSICS, "version": "1.0", "sha256": self.sha256}
        right = ask(house, self.terminal, 1, asked)
        assert isinstance(right, Right)
        self.right = right
        self.events = 0
        self.tell(
            ModuleInstalled(
                package=PHYSICS,
                kind="module",
                version="1.0",
                sha256=self.sha256,
                digest=DIGEST,
                at=house.clock.now,
            )
        )

    def tell(self, event: Message) -> None:
        self.events += 1
        self.house.take(self.terminal, event, Channel.EVENTS, self.events)

    def uninstall(self, permission: str) -> None:
        self.tell(
            ModuleUninstalled(
                module=PHYSICS,
                version="1.0",
                digest=DIGEST,
                permission=permission,
                at=self.house.clock.now,
            )
        )

    @property
    def receipt(self) -> dict[str, Any]:
        return {"document": self.right.document, "signature": self.right.signature}


def may_go(
    house: HouseInHand, terminal: TerminalInHand, seq: int, digest: str = DIGEST, **more: Any
) -> Right | Refused:
    """Go through one whole exchange about an uninstall; return what it was answered."""
    request = {"module": PHYSICS, "version": "1.0", "digest": digest, **more}
    who, kind = terminal.who, f"uninstall:{PHYSICS}"
    comm_id = str(
        CommId(party=who.terminal, epoch=who.epoch, kind=kind, seq=seq, nonce=f"{seq:032x}")
    )
    house.ask(terminal, Announce(comm_id=comm_id))
    said = Request(comm_id=comm_id, request=request, digest=digest_of(request))
    (answer,) = house.ask(terminal, said)
    assert isinstance(answer, Right | Refused)
    house.ask(terminal, Complete(comm_id=comm_id, digest=answer.digest()))
    return answer


def another_controller(house: HouseInHand, complete_at: int) -> None:
    """Have there be another controller of ours, whose log is known up to then."""
    with house.books.connection as connection:
        connection.execute(
            "INSERT INTO module_origins (origin, complete_at) VALUES ('o-theirs', ?) "
            "ON CONFLICT (origin) DO UPDATE SET complete_at = excluded.complete_at",
            (complete_at,),
        )


def forget_the_log(house: HouseInHand) -> None:
    """Be a controller that has not heard of the issue: another one made it."""
    with house.books.connection as connection:
        connection.execute("DROP TRIGGER IF EXISTS module_events_no_delete")
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'module_events'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM module_events WHERE kind = 'issued'")


def test_d8_what_came_from_here_may_go_once_and_its_seat_is_back_only_then(house):
    installed = Installed(house)
    right = may_go(house, installed.terminal, 1)
    assert isinstance(right, Right)
    said = right.document
    assert (said["module"], said["version"], said["digest"]) == (PHYSICS, "1.0", DIGEST)
    assert used(house) == 1
    installed.uninstall(said["right"])
    assert used(house) == 0
    installed.uninstall(said["right"])
    assert used(house) == 0
    assert [row["kind"] for row in house.books.rows("module_events")] == [
        *("issued", "installed", "uninstall_asked", "uninstall_allowed"),
        *("uninstalled", "uninstalled"),
    ]


def test_d9_what_was_there_already_may_not_go_though_it_is_used(house):
    publish(house, PHYSICS)
    own(house)
    terminal = house.confirmed("a")
    used_here = ModuleUsed(module=PHYSICS, version="1.0", source="elsewhere", day=1, at=1)
    house.take(terminal, used_here, Channel.EVENTS, 1)
    refused = may_go(house, terminal, 1)
    assert isinstance(refused, Refused)
    assert refused.reason == UninstallRefusal.NOT_FROM_HERE
    (line,) = logged(house, "uninstall_denied")
    assert (line["client"], line["module"]) == (terminal.who.terminal, PHYSICS)


def test_d9_what_was_replaced_by_another_copy_may_not_go(house):
    installed = Installed(house)
    refused = may_go(house, installed.terminal, 1, OTHER, receipt=installed.receipt)
    assert isinstance(refused, Refused)
    assert refused.reason == UninstallRefusal.REPLACED
    assert used(house) == 1


@pytest.mark.parametrize(("digest", "reason"), [(DIGEST, None), (OTHER, "replaced")])
def test_d8_what_is_published_is_known_before_anybody_has_said_that_it_is_installed(
    house, digest, reason
):
    sha256 = publish(house, PHYSICS)
    own(house)
    terminal = house.confirmed("a")
    ask(house, terminal, 1, {"module": PHYSICS, "version": "1.0", "sha256": sha256})
    unknown = may_go(house, terminal, 1, digest)
    assert isinstance(unknown, Refused)
    assert unknown.reason == UninstallRefusal.UNDECIDED
    with house.books.connection as connection:
        connection.execute("UPDATE package_versions SET digest = ?", (DIGEST,))
    answer = may_go(house, terminal, 2, digest)
    assert (answer.reason if isinstance(answer, Refused) else None) == reason


def test_d9_what_another_terminal_says_of_its_disk_makes_no_copy_ours(house):
    installed = Installed(house)
    liar = house.confirmed("b")
    asked = {"module": PHYSICS, "version": "1.0", "sha256": installed.sha256}
    assert isinstance(ask(house, liar, 1, asked), Right)
    lie = {"package": PHYSICS, "kind": "module", "version": "1.0", "sha256": installed.sha256}
    said = ModuleInstalled(**lie, digest=OTHER, at=house.clock.now)
    house.take(liar, said, Channel.EVENTS, 1)
    answer = may_go(house, installed.terminal, 1, OTHER)
    assert isinstance(answer, Refused)
    assert answer.reason == UninstallRefusal.REPLACED


def test_d7_while_a_controller_is_unheard_it_is_undecided_and_a_later_ask_is_answered(house):
    publish(house, PHYSICS)
    terminal = house.confirmed("a")
    another_controller(house, complete_at=0)
    for seq in (1, 2, 3):
        undecided = may_go(house, terminal, seq)
        assert isinstance(undecided, Refused)
        assert undecided.reason == UninstallRefusal.UNDECIDED
        house.clock.move(60)
    assert len(logged(house, "uninstall_asked")) == len(logged(house, "uninstall_undecided")) == 1
    asked_at = logged(house, "uninstall_asked")[0]["at"]
    another_controller(house, complete_at=asked_at + CLOCKS_APART_MS)
    denied = may_go(house, terminal, 4)
    assert isinstance(denied, Refused)
    assert denied.reason == UninstallRefusal.NOT_FROM_HERE


def test_d8_a_receipt_of_ours_is_enough_where_the_log_knows_nothing(house):
    installed = Installed(house)
    forget_the_log(house)
    another_controller(house, complete_at=0)
    unsure = may_go(house, installed.terminal, 1)
    assert isinstance(unsure, Refused)
    assert unsure.reason == UninstallRefusal.UNDECIDED
    assert isinstance(may_go(house, installed.terminal, 2, receipt=installed.receipt), Right)


@pytest.mark.parametrize("change", ["terminal", "module", "sha256", "signature", "kind"])
def test_d9_a_receipt_that_is_another_s_or_nobody_s_proves_nothing(house, change):
    installed = Installed(house)
    forget_the_log(house)
    document = dict(installed.right.document)
    signature = installed.right.signature
    if change == "signature":
        signature = "0" * 128
    else:
        document[change] = "" if change == "sha256" else "session:another"
        signature = house.keys.seal_document(document)
    receipt = {"document": document, "signature": signature}
    refused = may_go(house, installed.terminal, 1, receipt=receipt)
    assert isinstance(refused, Refused)
    assert refused.reason == UninstallRefusal.NOT_FROM_HERE


def test_d7_a_licence_of_what_was_ever_issued_gets_no_seat_back(house):
    installed = Installed(house, Basis.EVER_ISSUED)
    right = may_go(house, installed.terminal, 1)
    assert isinstance(right, Right)
    installed.uninstall(right.document["right"])
    assert used(house) == 1


def test_d11_a_seat_that_was_taken_again_meanwhile_is_not_given_back(house):
    installed = Installed(house)
    right = may_go(house, installed.terminal, 1)
    assert isinstance(right, Right)
    house.clock.move(1)
    asked = {"module": PHYSICS, "version": "1.0", "sha256": installed.sha256}
    assert isinstance(ask(house, installed.terminal, 2, asked), Right)
    installed.uninstall(right.document["right"])
    assert used(house) == 1


def test_d11_who_has_given_its_seat_back_fetches_nothing_by_the_receipt_of_it(house):
    installed = Installed(house)
    receipt, sha256 = Receipt(**installed.receipt), installed.sha256
    assert fetches(house, receipt, sha256)
    asked = {"module": PHYSICS, "version": "1.0", "sha256": sha256}
    renewed = ask(house, installed.terminal, 2, asked | {"renews": True})
    assert isinstance(renewed, Right)
    assert fetches(house, receipt, sha256), "what is under way goes on by it"
    allowed = may_go(house, installed.terminal, 1)
    assert isinstance(allowed, Right)
    installed.uninstall(allowed.document["right"])
    assert used(house) == 0
    assert not fetches(house, receipt, sha256)
    again = ask(house, installed.terminal, 3, asked)
    assert isinstance(again, Right)
    assert fetches(house, Receipt(document=again.document, signature=again.signature), sha256)


def fetches(house: HouseInHand, receipt: Receipt, sha256: str) -> bool:
    try:
        house.books.do(modules.check_fetching, receipt, sha256)
    except modules.PackageNotGiven:
        return False
    return True


@pytest.mark.parametrize("permission", ["g-nobody-s", "of another"])
def test_d11_a_word_without_a_permission_frees_nothing(house, permission):
    installed = Installed(house)
    if permission == "of another":
        permission = installed.right.document["right"]
    installed.uninstall(permission)
    assert used(house) == 1
    assert len(logged(house, "uninstalled")) == 1


def test_d7_a_name_that_nobody_knows_leaves_no_mark(house):
    terminal = house.confirmed("a")
    who = terminal.who
    comm_id = str(
        CommId(party=who.terminal, epoch=who.epoch, kind="uninstall:made-up", seq=1, nonce="0" * 32)
    )
    (answer,) = house.ask(terminal, Announce(comm_id=comm_id))
    assert isinstance(answer, Troubled)
    assert not house.books.rows("exchanges")


def test_d7_a_request_about_another_module_is_malformed(house):
    installed = Installed(house)
    refused = may_go(house, installed.terminal, 1, module="another")
    assert isinstance(refused, Refused)
    assert refused.reason == UninstallRefusal.MALFORMED


def test_b9_a_permission_that_an_old_backup_has_forgotten_counts_again_once(house):
    installed = Installed(house)
    right = may_go(house, installed.terminal, 1)
    assert isinstance(right, Right)
    with house.books.connection as connection:
        connection.execute("DELETE FROM rights WHERE kind = 'uninstall:physics'")
        connection.execute("DELETE FROM exchanges WHERE kind = 'uninstall:physics'")
    said = Complete(comm_id=right.comm_id, digest=right.digest(), presented=right)
    (answer,) = house.ask(installed.terminal, said)
    assert isinstance(answer, Completed)
    installed.uninstall(right.document["right"])
    assert used(house) == 0


def test_d10_a_receipt_of_another_controller_of_ours_is_as_good(house, tmp_path):
    installed = Installed(house)
    forget_the_log(house)
    theirs = FileKeys(tmp_path / "theirs", house.names)
    receipt = {
        "document": installed.right.document,
        "signature": theirs.seal_document(dict(installed.right.document)),
    }
    unknown = may_go(house, installed.terminal, 1, receipt=receipt)
    assert isinstance(unknown, Refused)
    told = LogSaid(heads={}, signers=tuple(theirs.public_keys().values()))
    house.books.do(modules.take_log, "branch", told)
    assert set(theirs.public_keys().values()) < set(house.books.do(modules.say_log, None).signers)
    assert isinstance(may_go(house, installed.terminal, 2, receipt=receipt), Right)
