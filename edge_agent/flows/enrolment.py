"""Who this terminal is and how it proves it: kept when it enrols or renews, and never less."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from common.ids import TerminalId
from common.messages.registration import KeysTold
from common.rules.enrolment import Ladder
from common.seals import KEY_IDS_MAX, is_sealed, keys_document, verifying_key
from edge_agent.ports import Identity, LadderGoesDown, Row, Transaction


class KeysNotHeard(StrEnum):
    """Why a word on the controller's keys changes nothing."""

    STRANGE = "strange_keys"
    STALE = "stale_keys"
    MALFORMED = "malformed_keys"


def identity(journal: Transaction) -> Identity | None:
    """Return who we are, or None before enrolment."""
    row = journal.rows.identity()
    if row is None:
        return None
    keys = json.loads(row["public_keys"])
    return Identity(
        terminal=TerminalId(row["terminal"]),
        store=row["store"],
        epoch=row["epoch"],
        secret=row["secret"],
        broker_host=row["broker_host"],
        broker_port=row["broker_port"],
        keys={int(number): verifying_key(bytes.fromhex(raw)) for number, raw in keys.items()},
        ladder=Ladder(row["ladder"]),
        authority=row["authority"],
        certificate=row["certificate"],
        url=row["url"],
        pinned=row["pinned"],
    )


def keep_identity(journal: Transaction, who: Identity) -> None:
    """Keep who we are, as enrolment answered; what another identity was told and said is void.

    Raises:
        LadderGoesDown: it would be less than this PC has had; nothing is kept.
    """
    known = journal.rows.identity()
    _refuse_less(known, who)
    if known is not None and (known["terminal"], known["epoch"]) != (who.terminal, who.epoch):
        _forget_another(journal)
    journal.rows.keep_identity(store=who.store, url=who.url, **_renewable(who))


def keep_renewed(journal: Transaction, who: Identity) -> bool:
    """Keep what a renewal has changed; False: this PC has become another terminal meanwhile.

    Raises:
        LadderGoesDown: it would be less than this PC has had; nothing is kept.
    """
    _refuse_less(journal.rows.identity(), who)
    return bool(journal.rows.keep_renewed(**_renewable(who)))


def take_keys(journal: Transaction, told: KeysTold) -> KeysNotHeard | None:
    """Keep the controller's live keys, if one that we know has signed them, or return why not.

    A key that is not among them any more verifies nothing from now on.
    """
    known = {
        key_id: verifying_key(bytes.fromhex(raw))
        for key_id, raw in json.loads(journal.rows.public_keys()).items()
    }
    is_theirs = any(
        is_sealed(told.document, signature, known[key_id])
        for key_id, signature in told.signatures.items()
        if key_id in known
    )
    if not is_theirs:
        journal.rows.doubt_keys()
        return KeysNotHeard.STRANGE
    found = _keys_in(told.document)
    if found is None:
        return KeysNotHeard.MALFORMED
    revision, keys = found
    is_kept = journal.rows.keep_keys(public_keys=json.dumps(keys), revision=revision)
    return None if is_kept else KeysNotHeard.STALE


def _keys_in(document: Mapping[str, Any]) -> tuple[int, dict[str, str]] | None:
    """Return the revision and the keys of a document that is signed, or None: it says no such."""
    try:
        revision, keys = int(document["revision"]), dict(document["keys"])
        public = {int(key_id): bytes.fromhex(raw) for key_id, raw in keys.items()}
        is_good = document == keys_document(revision, {k: raw.hex() for k, raw in public.items()})
        for raw in public.values():
            verifying_key(raw)
    except (KeyError, TypeError, ValueError):
        return None
    are_some = 1 <= len(public) <= KEY_IDS_MAX and set(public) <= set(range(KEY_IDS_MAX))
    return (revision, keys) if is_good and are_some else None


def _refuse_less(known: Row | None, who: Identity) -> None:
    if known is not None and who.ladder < known["ladder"]:
        raise LadderGoesDown(asked=int(who.ladder), kept=known["ladder"])


def _renewable(who: Identity) -> dict[str, Any]:
    """Return what a renewal may change, with whom it is for."""
    return {
        "terminal": who.terminal,
        "epoch": who.epoch,
        "secret": who.secret,
        "broker_host": who.broker_host,
        "broker_port": who.broker_port,
        "public_keys": json.dumps(
            {key: at.public_bytes_raw().hex() for key, at in who.keys.items()}
        ),
        "ladder": int(who.ladder),
        "authority": who.authority,
        "certificate": who.certificate,
        "pinned": who.pinned,
    }


def _forget_another(journal: Transaction) -> None:
    """Begin a new epoch: its gate is closed, and its events and exchanges count from one."""
    journal.rows.forget_registration()
    journal.rows.forget_profile()
    journal.rows.forget_revision()
    journal.rows.forget_revoked()
    journal.rows.forget_exchanges()
    journal.rows.forget_rights()
    journal.rows.forget_all_held()
    journal.rows.forget_modules_offer()
    journal.rows.forget_module_wishes()
    journal.rows.forget_module_requests()
    journal.rows.forget_runs()
    journal.rows.ask_removals_anew()
    journal.rows.forget_switches()
    journal.rows.forget_there()
    journal.rows.forget_calls()
    journal.rows.forget_all_lines()
    journal.rows.forget_events()
    journal.rows.count_events_anew()
