"""The fields of a sheet: what each shows, and what was written into it, read or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field as Limits, ValidationError

from cloud_controller.web.language import Language
from common.rules.setup import REASON_MAX, SetupKind, WrittenWrong

LINES_LENGTH_MAX: Final = 16_000
"""Characters of one field: a year of dates, a line each; a form has 65 536 bytes."""

Line = Annotated[str, Limits(max_length=200)]
Lines = Annotated[str, Limits(max_length=LINES_LENGTH_MAX)]
Flag = Annotated[str, Limits(pattern=r"^(True)?$")]
"""A box that was ticked; a browser says nothing of one that was not."""

Said = Mapping[str, str]
"""What was written into a form, by its fields' names."""

Document = Mapping[str, Any]
T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)


class Why(StrEnum):
    """What can be wrong with a field, or the whole of a form, besides what cannot be read."""

    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    MISSING = "missing"
    NO_NAME = "no_name"
    RANGES_OVERLAP = "ranges_overlap"
    DATE_TWICE = "date_twice"
    CANNOT_BE = "cannot_be"
    KNOWN = "known"
    NO_CURRENCY = "no_currency"
    NEEDS_HOUR = "needs_hour"
    NO_STORE = "no_store"
    NO_INSTANT = "no_instant"
    ENDS_FIRST = "ends_first"
    MEANWHILE = "meanwhile"
    SOME_FIELDS = "some_fields"
    NOT_ALLOWED = "not_allowed"


OF_PYDANTIC: Final = {
    "greater_than_equal": "too_small",
    "greater_than": "too_small",
    "less_than_equal": "too_large",
    "less_than": "too_large",
    "string_too_long": "too_long",
    "string_too_short": "missing",
    "too_short": "missing",
    "too_long": "too_many",
    "string_pattern_mismatch": "no_name",
    "range_unreadable": "no_range",
    "range_empty": "no_range",
    "range_too_long": "no_range",
    "ranges_overlap": "ranges_overlap",
    "date_twice": "date_twice",
}
"""Words for what the checks of a document find; all else `cannot_be`."""


class SheetForm(BaseModel):
    """What every sheet's form sends besides its fields.

    Attributes:
        seen: the version that the page showed; another one meanwhile, and nothing is kept.
        undo: which version is to be said again, `file` for the settings file's; empty: none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Annotated[str, Limits(max_length=REASON_MAX)] = ""
    seen: Annotated[int, Limits(ge=0)] = 0
    undo: Annotated[str, Limits(pattern=r"^(file|[0-9]{0,9})$")] = ""

    @property
    def said(self) -> Said:
        """Return what was written into the sheet's own fields."""
        kept = self.model_dump(exclude={"reason", "seen", "undo"})
        return {name: str(each) for name, each in kept.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrong:
    """What is wrong with a field: a word, and the line where it stands; nought: no line."""

    why: str
    line: int = 0


class FieldsAreWrong(Exception):
    """Some fields cannot be kept as they were written; by their names."""

    def __init__(self, wrong: Mapping[str, Wrong]) -> None:
        """Keep what is wrong, by field."""
        super().__init__(", ".join(wrong))
        self.wrong = dict(wrong)


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field as it is shown.

    Attributes:
        look: `text`, `number`, `lines`, `words`, `choice`, `flag`; `told` cannot be
            changed.
        options: of a choice, each value with its words.
        rows: of lines, how many are seen at once.
    """

    name: str
    label: str
    value: str = ""
    look: str = "text"
    hint: str = ""
    unit: str = ""
    options: Sequence[tuple[str, str]] = ()
    rows: int = 3
    is_needed: bool = False
    wrong: str = ""

    @property
    def shown(self) -> str:
        """Return what it says, for whoever compares two versions."""
        if self.options:
            return dict(self.options).get(self.value, self.value)
        return f"{self.value} {self.unit}".strip() if self.value else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Fields that belong together, under a title."""

    title: str
    fields: Sequence[Field]
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One document as a page: what it is called, its fields, and how they are read.

    Attributes:
        store: the store it belongs to; empty: to none, and whoever changes it sets up all.
        sections: its fields, as a document says them.
        read: the document that was written, given what it says now.
        more: other facts of its page.
        may_say: whether the caller may say a document that he has not written himself, but that
            an older version says.
        template: of its page.
    """

    kind: SetupKind
    subject: str
    title: str
    lead: str
    store: str
    sections: Callable[[Document], Sequence[Section]]
    read: Callable[[Said, Document], Document]
    more: Mapping[str, Any] = field(default_factory=dict)
    may_say: Callable[[Document], bool] = lambda _: True
    template: str = "console/setup/sheet.html"

    def shown(self, document: Document) -> dict[str, str]:
        """Return what a document says, field by field, as people read it."""
        fields = (each for section in self.sections(document) for each in section.fields)
        return {each.label: each.shown for each in fields}


class Reading:
    """Reads fields one by one, and goes on after one that is wrong, to tell all at once."""

    def __init__(self, said: Said) -> None:
        """Begin with nothing wrong."""
        self._said = said
        self._wrong: dict[str, Wrong] = {}

    def text(self, name: str) -> str:
        """Return what was written, without the spaces around it."""
        return self._said.get(name, "").replace("\r\n", "\n").strip()

    def flag(self, name: str) -> bool:
        """Say whether a box was ticked."""
        return bool(self.text(name))

    def take(self, name: str, read: Callable[..., T], *more: object) -> T | None:
        """Return what a field says; None where it cannot be read, which is noted."""
        try:
            return read(self.text(name), *more)
        except WrittenWrong as fault:
            self.refuse(name, str(fault.facts["fault"]), int(str(fault.facts["line"])))
            return None

    def refuse(self, name: str, why: str, line: int = 0) -> None:
        """Note that a field cannot be so."""
        has_lines = "\n" in self.text(name)
        self._wrong[name] = Wrong(why=why, line=line if has_lines else 0)

    def check(self) -> None:
        """Stop here if anything was wrong.

        Raises:
            FieldsAreWrong: it was.
        """
        if self._wrong:
            raise FieldsAreWrong(self._wrong)

    def checked(
        self, model: type[Model], document: Document, where: Mapping[str, str] | None = None
    ) -> Model:
        """Return the document as what it is, once every field could be read.

        Args:
            model: what it has to be.
            document: what was written.
            where: the field that a part of the document was written into, where another one.

        Raises:
            FieldsAreWrong: a field could not be read, or the document cannot be so.
        """
        self.check()
        try:
            return model.model_validate(document)
        except ValidationError as fault:
            for each in fault.errors(include_url=False, include_input=False, include_context=False):
                path = [str(part) for part in each["loc"]] or [next(iter(self._said))]
                name = _field_of(path, where or {})
                line = next((int(part) + 1 for part in path[1:] if part.isdigit()), 0)
                self.refuse(name, OF_PYDANTIC.get(each["type"], "cannot_be"), line)
            raise FieldsAreWrong(self._wrong) from fault


def marked(
    sections: Sequence[Section], said: Said, wrong: Mapping[str, Wrong], language: Language
) -> tuple[Section, ...]:
    """Return the fields with what was written into them, and what is wrong with it."""
    return tuple(
        replace(
            section,
            fields=tuple(
                replace(
                    each,
                    value=each.value if each.look == "told" else said.get(each.name, each.value),
                    wrong=wrong_words(wrong.get(each.name), language),
                )
                for each in section.fields
            ),
        )
        for section in sections
    )


def wrong_words(wrong: Wrong | None, language: Language) -> str:
    """Return what is wrong with a field, in words; nothing where nothing is."""
    if wrong is None:
        return ""
    words = language.words[f"wrong.{wrong.why}"]
    return words if not wrong.line else language.say("setup.line", number=wrong.line, why=words)


def _field_of(path: Sequence[str], where: Mapping[str, str]) -> str:
    """Return the field of a part of a document: that of its longest known beginning."""
    for length in range(len(path), 0, -1):
        name = where.get(".".join(path[:length]))
        if name is not None:
            return name
    return path[0]
