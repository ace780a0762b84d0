"""What this terminal's programs need, and the sequence that sees to it: put together here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence as List
from typing import Final, Protocol

from pydantic import TypeAdapter, ValidationError

from common.messages.base import PackageName
from common.messages.service import ProfileDevice, ServiceProfile
from common.rules.modules import Needing
from edge_agent.modules.installer import Installer
from edge_agent.modules.making import store_of
from edge_agent.modules.ports import Steady
from edge_agent.modules.sequence import LOOK_SECONDS as SEQUENCE_LOOKS, Sequence, Surroundings
from edge_agent.modules.starts import LOOK_SECONDS as STARTS_LOOKS, Around, Served, Starts
from edge_agent.modules.uninstaller import LOOK_SECONDS as UNINSTALLER_LOOKS, Sight, Uninstaller
from edge_agent.modules.wanted import ProgramNeeds
from edge_agent.ports import Asked, Identity, Journal
from edge_agent.settings import AgentSettings

UNUSED_LOOK_SECONDS: Final = 60.0
"""How often is looked on a PC without packages: it is at rest, and is told of what comes."""

_NAME: Final[TypeAdapter[str]] = TypeAdapter(PackageName)


class Carried(Protocol):
    """A program of the catalogue, as far as it needs packages."""

    @property
    def package(self) -> str | None:
        """Its own package, where it comes as one."""
        ...

    @property
    def modules(self) -> List[str]:
        """The modules that its catalogue says it needs."""
        ...


class Opened(Protocol):
    """What of an opened terminal it works with."""

    @property
    def who(self) -> Identity:
        """Return whose packages these are."""
        ...

    @property
    def journal(self) -> Journal:
        """Return where what is known of them is."""
        ...

    @property
    def catalogue(self) -> Mapping[str, Carried]:
        """Return what programs there are."""
        ...

    @property
    def clock(self) -> Steady:
        """Return what questions are timed on."""
        ...


class Serving(Protocol):
    """What this terminal serves."""

    @property
    def profile(self) -> ServiceProfile | None:
        """Return the service information that is served by now, or None: nobody is served."""
        ...


class Offering(Serving, Protocol):
    """Who puts devices on offer."""

    @property
    def devices(self) -> List[ProfileDevice]:
        """Return the devices on which customers are served now."""
        ...

    def note_order(self, device: str, *, is_out: bool) -> None:
        """Take a device off offer, or put it on, if it is ready."""
        ...


class Line(Protocol):
    """The line to the controller."""

    is_connected: bool

    def post(self, asked: List[Asked]) -> None:
        """Send what may get lost."""
        ...


def packages_of(
    settings: AgentSettings,
    opened: Opened,
    line: Line,
    installer: Installer,
    serving: Serving,
) -> tuple[Sequence, Uninstaller]:
    """Return who has packages come to this PC, and who has them go."""
    return (
        sequence_of(settings, opened, line, installer, serving),
        uninstaller_of(settings, opened, line, installer, serving),
    )


def sequence_of(
    settings: AgentSettings,
    opened: Opened,
    line: Line,
    installer: Installer,
    serving: Serving,
) -> Sequence:
    """Return the sequence of this PC's packages; without a root to trust it never begins."""
    part = settings.modules

    def needs() -> List[ProgramNeeds] | None:
        served = serving.profile
        if served is None or part.root is None:
            return None
        return needed(served, opened.catalogue)

    around = Surroundings(
        needs=needs,
        elsewhere=part.folders_elsewhere,
        line_is_up=lambda: line.is_connected,
        post=line.post,
        steady_seconds=opened.clock.steady_seconds,
        look_seconds=_looks_each(settings, SEQUENCE_LOOKS),
        ask_each_seconds=part.ask_each_seconds,
    )
    disk = store_of(settings)
    made = Sequence(opened.who, opened.journal, around, installing=installer, disk=disk)
    installer.telling.on_progress = made.on_progress
    return made


def starts_of(
    settings: AgentSettings,
    opened: Opened,
    offers: Offering,
    installer: Installer,
    line_is_up: Callable[[], bool],
) -> Starts:
    """Return what sees to it that programs start with what they need, and only so."""

    def needs(program: str) -> ProgramNeeds | None:
        carried, profile = opened.catalogue.get(program), offers.profile
        told = profile.programs if profile is not None else ()
        more = next((each.modules for each in told if each.program == program), ())
        package, own = (carried.package, carried.modules) if carried is not None else (None, ())
        names = tuple(sorted({*own, *more}))
        return ProgramNeeds(package=package, modules=names) if package or names else None

    around = Around(
        needs=needs,
        elsewhere=settings.modules.folders_elsewhere,
        served=lambda: [
            Served(device=each.device, program=each.program) for each in offers.devices
        ],
        line_is_up=line_is_up,
        offer_anew=lambda device: offers.note_order(device, is_out=False),
        steady_seconds=opened.clock.steady_seconds,
        look_seconds=_looks_each(settings, STARTS_LOOKS),
    )
    return Starts(opened.who, opened.journal, around, disk=store_of(settings), tries=installer)


def uninstaller_of(
    settings: AgentSettings,
    opened: Opened,
    line: Line,
    installer: Installer,
    serving: Serving,
) -> Uninstaller:
    """Return who takes packages off this PC again."""

    def programs() -> List[Needing] | None:
        served = serving.profile
        return None if served is None else needing(served, opened.catalogue)

    around = Sight(
        programs=programs,
        elsewhere=settings.modules.folders_elsewhere,
        line_is_up=lambda: line.is_connected,
        post=line.post,
        steady_seconds=opened.clock.steady_seconds,
        look_seconds=_looks_each(settings, UNINSTALLER_LOOKS),
    )
    return Uninstaller(opened.who, opened.journal, store_of(settings), installer, around)


def _looks_each(settings: AgentSettings, seconds: float) -> float:
    """Return how often a loop looks; on a PC that has nothing to do with packages, seldom."""
    return seconds if settings.modules.are_used else UNUSED_LOOK_SECONDS


def needing(profile: ServiceProfile, catalogue: Mapping[str, Carried]) -> List[Needing]:
    """Return what every program of this PC needs, also one that is not served now."""
    served = {program.program: program.modules for program in profile.programs}
    return [
        Needing(
            name=name,
            package=carried.package,
            needs=(*carried.modules, *filter(_is_name, served.get(name, ()))),
        )
        for name, carried in catalogue.items()
    ]


def needed(profile: ServiceProfile, catalogue: Mapping[str, Carried]) -> List[ProgramNeeds]:
    """Return what each program needs, by the profile and by the catalogue of this very terminal."""
    return [
        ProgramNeeds(
            package=carried.package,
            modules=tuple(sorted({*carried.modules, *filter(_is_name, program.modules)})),
        )
        for program in profile.programs
        if (carried := catalogue.get(program.program)) is not None
    ]


def _is_name(text: str) -> bool:
    """Say whether a package can have this name; a module with another one can only be elsewhere."""
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True
