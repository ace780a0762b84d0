"""A seat for one run of a program: it follows the run, and comes back with its end (D11).

Its law: a seat comes back when its terminal says that the run is over, or at the end of its lease
and not before; whoever asks again for the same run, or for the next on that device, takes no
second one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from cloud_controller.flows.rights.pools import count_again, give_back
from cloud_controller.flows.rights.scene import Answer, Issuing, Scene, heading, issue, keep_right
from cloud_controller.flows.rights.seats import no_seat, refused, take
from cloud_controller.ports import Problem, Received, Transaction
from common.messages.modules import ModuleRunEnded, RunRequest
from common.messages.rights import Refused, Request
from common.rules.modules import (
    Basis,
    SeatRefusal,
    device_of_run,
    module_of_run,
    run_subject,
)
from common.rules.problems import ProblemKind
from common.rules.rights import RightKind, class_of


def note_run_ended(books: Transaction, said: Received) -> None:
    """Give back the seat of a run that is over; what the next run has taken over stays."""
    message: ModuleRunEnded = said.message
    facts = {"module": message.module, "device": message.device, "run": message.run}
    books.enter(message.type, facts, terminal=said.terminal, at=min(message.at, books.now))
    kind = class_of(RightKind.RUN, run_subject(message.module, message.device))
    if books.modules.run_of(party=said.terminal, kind=kind) != message.run:
        return
    held = int(books.rights.seats_in_use_of(party=said.terminal, kind=kind))
    if held:
        books.rights.free_held(party=said.terminal, kind=kind, freed_at=books.now)
        give_back(books, message.module, held)


def _is_known(books: Transaction, scene: Scene) -> bool:
    """Say whether the module is counted by runs here, and the device is this terminal's."""
    licence = books.modules.licence(module=module_of_run(scene.subject))
    device = device_of_run(scene.subject)
    return (
        licence is not None
        and licence["basis"] == Basis.CONCURRENT
        and books.rights.door(device_id=device, terminal_id=scene.comm_id.party) is not None
    )


def _decide(books: Transaction, scene: Scene, message: Request) -> Answer:
    """Give a run one seat; one that it holds already, or the run before on its device, it keeps."""
    try:
        asked = RunRequest.model_validate(message.request)
    except ValidationError:
        return refused(message, SeatRefusal.MALFORMED)
    if run_subject(asked.module, asked.device) != scene.subject or not _is_known(books, scene):
        return refused(message, SeatRefusal.MALFORMED)
    pool = books.rights.pool(module=asked.module)
    if pool is None:
        return _none_left(books, asked, refused(message, SeatRefusal.NO_SEAT_LEFT))
    mine = {"party": scene.comm_id.party, "kind": scene.comm_id.kind}
    missing = 1 - int(books.rights.seats_in_use_of(**mine))
    if pool["is_doubted"] or (missing > 0 and not take(books, asked.module, missing)):
        return _none_left(books, asked, no_seat(books, message, asked.module))
    books.solve_problem(ProblemKind.SEATS_RUN_OUT, asked.module)
    books.rights.free_held(**mine, freed_at=books.now)
    books.modules.keep_run(**mine, run=asked.run)
    ends_at = books.now + pool["lease_seconds"] * 1000
    document = {
        **heading(books, scene),
        "module": asked.module,
        "device": asked.device,
        "run": asked.run,
        "ends_at": ends_at,
    }
    return issue(books, scene, document, lease_ends_at=ends_at)


def _restore(books: Transaction, scene: Scene, document: Mapping[str, Any]) -> None:
    """Count again the seat of a run that an old backup has forgotten, unless one is counted."""
    mine = {"party": scene.comm_id.party, "kind": scene.comm_id.kind}
    missing = max(0, 1 - int(books.rights.seats_in_use_of(**mine)))
    count_again(books, module_of_run(scene.subject), missing)
    books.modules.keep_run(**mine, run=document["run"])
    keep_right(books, scene, document, lease_ends_at=document["ends_at"], amount=missing)


def _none_left(books: Transaction, asked: RunRequest, answer: Refused) -> Refused:
    """Have an operator know that customers are turned away, or run for which he is to pay."""
    books.raise_problem(
        Problem(
            kind=ProblemKind.SEATS_RUN_OUT,
            subject=asked.module,
            why="A program was to start, and every seat of a module that it needs was in use.",
            evidence={"module": asked.module, "device": asked.device, "refused": answer.reason},
            proposals=({"do": "own_more"},),
        )
    )
    return answer


RUN_RIGHTS: Final = Issuing(is_known=_is_known, decide=_decide, restore=_restore)
