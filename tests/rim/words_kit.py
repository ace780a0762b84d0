"""Every word that pages and letters ask for, those put together included."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from cloud_controller.web import acts
from cloud_controller.web.faults import STATUS
from cloud_controller.web.language import Languages
from cloud_controller.web.pages.chart import STACK
from cloud_controller.web.pages.console import hooks, own, people, privacy, terminals
from cloud_controller.web.pages.console.board import ORDER
from cloud_controller.web.pages.console.lanes import KINDS
from cloud_controller.web.pages.console.modules import KEPT_BECAUSE, STATES
from cloud_controller.web.pages.console.setup.fields import Why
from cloud_controller.web.pages.console.setup.stores import WEEK
from cloud_controller.web.pages.console.shell import NAV
from cloud_controller.web.pages.console.terminals import DONE
from cloud_controller.web.pages.offering import Notice
from cloud_controller.web.pages.order import Standing
from cloud_controller.web.pages.ticket import Phase
from common.rules import registration as registered
from common.rules.accounts import OperatorRole, Permission
from common.rules.audit import Invariant
from common.rules.devices import OFFLINE, RESERVED, DeviceFault, DeviceState, ForHolder
from common.rules.figures import Choice
from common.rules.help import CallEnd, CallState
from common.rules.hooks import SUBJECTS, DeliveryState
from common.rules.letters import LetterKind
from common.rules.modules import Basis, InstallFailure, RoyaltyBasis
from common.rules.presence import Presence
from common.rules.problems import Severity
from common.rules.registration import Policy
from common.rules.reservations import WaitingState
from common.rules.sessions import EndReason
from common.rules.setup import Fault, Stage, StageState
from common.words import LANGUAGES

WEB = Path(__file__).parents[2] / "cloud_controller" / "web"
HOUSE = sorted(WEB.parent.rglob("*.py"))
COMMON = sorted((WEB.parents[1] / "common").rglob("*.py"))

DYNAMIC: dict[str, Iterable[str]] = {
    "basis": Basis,
    "broken": DeviceFault,
    "failure": InstallFailure,
    "go": Stage,
    "install": ("unknown", *STATES),
    "invariant": Invariant,
    "kept": KEPT_BECAUSE,
    "leak": (Invariant.DEVICE_WITHOUT_SESSION, Invariant.SESSION_WITHOUT_DEVICE),
    "lost": (*(set(EndReason) - {"time_up", "customer_ended"}), "interrupted", "not_started"),
    "period": Choice,
    "weekday": (*WEEK, *range(7), *(f"short.{day}" for day in range(7))),
    "lane": KINDS,
    "language": LANGUAGES,
    "letter": LetterKind,
    "match": STACK,
    "nav": [name for name, _ in NAV],
    "notice": Notice,
    "order": Standing,
    "policy": Policy,
    "problem": [fault.code for fault in STATUS],
    "royalty": RoyaltyBasis,
    "severity": Severity,
    "stage": Stage,
    "state": StageState,
    "todo": Stage,
    "shelf": ("free_now", "free_at", "closed_until", "full"),
    "stands": (*DeviceState, OFFLINE, RESERVED),
    "ticket": Phase,
    "standing": registered.Standing,
    "present": Presence,
    "decide": DONE,
    "decision": DONE,
    "told": terminals.SAID,
    "tone": ORDER,
    "waiting": ("next", *WaitingState),
}


def told_to_operators() -> dict[str, set[str]]:
    """Return what problems propose and by which facts they were found, as the code names them.

    What has no words is told as it is called; what has some is named somewhere.
    """
    code = "".join(path.read_text() for path in (*HOUSE, *COMMON))
    known = Languages()["en"].words
    facts = {word.removeprefix("fact.") for word in known if word.startswith("fact.")}
    proposed = {f"propose.{each}" for each in re.findall(r'"do": "(\w+)"', code)} & set(known)
    return {
        "propose": {word.removeprefix("propose.") for word in proposed},
        "fact": {fact for fact in facts if f'"{fact}"' in code},
    }


def words_used() -> set[str]:
    """Return every word that templates and code ask for, those put together included."""
    used, dynamic = set(), DYNAMIC | told_to_operators()
    for path in [path for end in ("html", "txt", "py") for path in WEB.rglob(f"*.{end}")]:
        text = path.read_text()
        used |= set(re.findall(r'say\(\s*"([a-z_.]+)"\s*[,)]', text))
        for first in re.findall(r'say\(\s*"([a-z]+)\." ~', text):
            last = re.findall(rf'"{first}\." ~ [\w.]+ ~ "(\.[a-z]+)"', text) or [""]
            used |= {f"{first}.{middle}{end}" for middle in dynamic[first] for end in last}
    used |= {f"people.said_{each}" for each in own.SAID | people.SAID}
    used |= {f"people.may_{each}" for each in Permission}
    used |= {f"people.role_{each}" for each in OperatorRole}
    used |= {f"hooks.said_{each}" for each in hooks.SAID}
    used |= {f"hooks.subject_{each}" for each in SUBJECTS}
    used |= {f"hooks.delivery_{each}" for each in DeliveryState}
    used |= {f"hooks.{each}" for each in ("state_off", "state_gone")}
    used |= {f"hooks.why_{each}" for each in ("410", "too_much_waiting")}
    used |= {f"privacy.said_{each}" for each in privacy.SAID}
    used |= {f"acts.said.{each}" for each in acts.SAID}
    used |= {f"booth.{each}" for each in (*ForHolder, "in_line", "you_are_next")}
    used |= {f"trouble.told_{step}" for step in ("raised", "escalated", "solved")}
    used |= {f"trouble.said.{said}" for said in ("taken", "settled", "paid_back", "not_paid_back")}
    used |= {f"alerts.said.{said}" for said in ("kept", "forgotten")}
    used |= {f"wrong.{why}" for why in (*Fault, *Why)}
    used |= {f"helper.ended.{why}" for why in CallEnd}
    used |= {f"helper.call.{state}" for state in CallState if state is not CallState.ENDED}
    used |= {f"helper.device.{state}" for state in (*DeviceState, OFFLINE, RESERVED)}
    used |= {f"paper.paid.{method}" for method in ("free", "voucher", "stripe_checkout")}
    return used | {f"length.{unit}" for unit in ("hours", "minutes", "seconds")}
