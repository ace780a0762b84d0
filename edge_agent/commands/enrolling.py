"""A terminal gets its identity: its key on the disk first, then asked, then kept."""

from __future__ import annotations

import os
from contextlib import closing

import typer

from common.system import SystemClock, SystemNames
from edge_agent.alone import alone_in
from edge_agent.enrolment import Asking, enrol as ask_to_enrol, kept_key
from edge_agent.flows import enrolment
from edge_agent.opened import open_journal
from edge_agent.settings import AgentSettings


def enrol(
    settings: AgentSettings, url: str | None, code: str | None, pin: str, *, again: bool
) -> int:
    """Enrol this PC, asking for what was not said; cut anywhere, the same is asked again.

    Raises:
        RusubanError: it was refused, or nobody answered; nothing has changed.
    """
    names = SystemNames()
    with alone_in(settings.state_folder):
        key = kept_key(settings.state_folder, names.secret_bytes)
        with closing(open_journal(settings, SystemClock(), names)) as journal:
            known = journal.transact(enrolment.identity)
            if known is not None and not again:
                typer.echo(f"This PC is {known.terminal} of store {known.store} already.")
                typer.confirm("Enrol it anew?", abort=True)
            who = ask_to_enrol(_asking(url, code, pin), key)
            journal.transact(enrolment.keep_identity, who)
    typer.echo(f"Enrolled as {who.terminal} of store {who.store}.")
    typer.echo("Start the agent now; an operator may have to confirm it.")
    return 0


def _asking(url: str | None, code: str | None, pin: str) -> Asking:
    return Asking(
        url=url or typer.prompt("Controller's address"),
        code=code or typer.prompt("Enrolment code"),
        hostname=os.uname().nodename,
        pin=pin,
    )
