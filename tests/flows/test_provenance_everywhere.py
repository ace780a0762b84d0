"""Where a module came from is known at every controller once their logs have met (D10, D8, D9)."""

from __future__ import annotations

from cloud_controller.flows import modules
from cloud_controller.flows.rights import peers
from common.messages.rights import Refused, Right
from common.rules.modules import CLOCKS_APART_MS, UninstallRefusal
from tests.fakes.house import HouseInHand
from tests.flows.module_kit import PHYSICS, logged, own, publish
from tests.flows.test_uninstalls import Installed, may_go

ROOT = "https://root"


class Call:
    """A branch that exchanges its log with its root; both are houses with terminals."""

    def __init__(self, root: HouseInHand, branch: HouseInHand) -> None:
        self.root, self.branch = root, branch
        self.heard = None
        branch.names._counts["o"] = 50  # names of origins are drawn at random, and never meet
        root.books.do(peers.add_peer, "osaka", "0" * 64, "tests")
        root.books.do(modules.begin, [])
        branch.books.do(modules.begin, [ROOT])

    def __call__(self) -> None:
        for _ in range(2):
            said = self.branch.books.do(modules.say_log, self.heard)
            self.heard = self.root.books.do(modules.answer_log, "osaka", said)
            self.branch.books.do(modules.take_log, ROOT, self.heard)


def reason(answer: Right | Refused) -> str:
    assert isinstance(answer, Refused)
    return answer.reason


def test_d7_d8_d9_d10_who_judges_knows_what_any_other_controller_has_issued(make_house):
    root, branch = make_house(), make_house()
    call = Call(root, branch)
    installed = Installed(root)
    theirs = installed.terminal.who.terminal
    publish(branch, PHYSICS)
    own(branch)
    moved, local = branch.confirmed("a"), branch.confirmed("b")
    assert moved.who.terminal == theirs != local.who.terminal
    for terminal in (moved, local):
        assert reason(may_go(branch, terminal, 1)) == UninstallRefusal.UNDECIDED
    call()
    for house in (root, branch):
        house.clock.move(1)
    assert isinstance(may_go(branch, moved, 2), Right)
    assert reason(may_go(branch, local, 2)) == UninstallRefusal.UNDECIDED, "since its ask, nothing"
    for house in (root, branch):
        house.clock.move(CLOCKS_APART_MS / 1000 + 1)
    call()
    assert reason(may_go(branch, local, 3)) == UninstallRefusal.NOT_FROM_HERE
    call()
    (denied,) = logged(root, "uninstall_denied")
    assert denied["client"] == local.who.terminal
    branch.clock.move(3_600)
    assert reason(may_go(branch, local, 4)) == UninstallRefusal.UNDECIDED, "its root is silent"
