"""What differs between two versions of a document, field by field, as both were shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A field that says something else; what is empty was not said."""

    field: str
    before: str
    after: str


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Changed, ...]:
    """Return the fields that differ, in the order of the newer one, then what it has no more."""
    fields = (*after, *(each for each in before if each not in after))
    return tuple(
        Changed(field=each, before=before.get(each, ""), after=after.get(each, ""))
        for each in fields
        if before.get(each, "") != after.get(each, "")
    )
