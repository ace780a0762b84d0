"""Pictures of offerings: each once, under the digest of its bytes, whoever sent it (E1).

Its law: what is kept was judged first; a browser is given nothing that only says it is a picture.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Final

from cloud_controller.ports import NotAllowed, NotFound, Received, Transaction
from common.messages.offerings import PICTURE_TYPE, OfferingPictured
from common.rules.offerings import PICTURES_OF_STORE_MAX, picture_fault

FORGOTTEN_AT_ONCE: Final = 20
"""Pictures that nothing names which make way for a new one: room for a while, at little work."""


def keep_told_picture(books: Transaction, said: Received) -> None:
    """Keep a picture that a terminal tells of; one that is none is not kept, and is not shown."""
    message: OfferingPictured = said.message
    try:
        body = b64decode(message.body, validate=True)
    except (binascii.Error, ValueError):
        return
    store = books.offerings.store_of(terminal_id=said.terminal)
    if store is not None and picture_fault(body, message.sha256) is None:
        keep_picture(books, store, body)


def keep_picture(books: Transaction, store: str, body: bytes) -> str | None:
    """Keep a picture of a store; return its SHA-256, or None: there are too many.

    Where a store has as many as it may, those that nothing names make way.
    """
    digest = sha256(body).hexdigest()
    if books.offerings.has_picture(sha256=digest):
        return digest
    if books.offerings.count_pictures(store_id=store) >= PICTURES_OF_STORE_MAX:
        books.offerings.forget_pictures(store_id=store, most=FORGOTTEN_AT_ONCE)
    if books.offerings.count_pictures(store_id=store) >= PICTURES_OF_STORE_MAX:
        return None
    books.offerings.keep_picture(
        sha256=digest,
        store_id=store,
        media_type=PICTURE_TYPE,
        body=b64encode(body).decode(),
        kept_at=books.now,
    )
    return digest


def add_picture(books: Transaction, store: str, body: bytes, actor: str) -> str:
    """Keep a picture that an operator gives; return its SHA-256, by which an offering names it.

    Raises:
        NotFound: there is no such store, or it is another controller's.
        NotAllowed: the store has as many as it may, or this is none of ours.
    """
    if not books.offerings.own_store(store_id=store):
        raise NotFound(what="store")
    fault = picture_fault(body, sha256(body).hexdigest())
    if fault is not None:
        raise NotAllowed(why=f"the picture is none that is shown: {fault}")
    digest = keep_picture(books, store, body)
    if digest is None:
        raise NotAllowed(why=f"a store has at most {PICTURES_OF_STORE_MAX} pictures")
    books.audit(actor, "offering.picture", store, digest)
    return digest


def picture(books: Transaction, digest: str) -> bytes:
    """Return the bytes of a picture by its SHA-256.

    Raises:
        NotFound: there is none, or none any more.
    """
    body = books.offerings.picture(sha256=digest)
    if body is None:
        raise NotFound(what="picture")
    return b64decode(body)
