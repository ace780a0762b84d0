"""The screen put together: what it looks at, what its buttons do, and its loops, where it is on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeAlias

from common.messages.devices import DeviceAround
from common.messages.service import ProfileDevice, ServiceProfile
from common.rules.devices import Confirmation, DeviceState
from common.words import Here
from edge_agent.display import Display
from edge_agent.display.around import Line
from edge_agent.display.stage import Look, Stage
from edge_agent.flows import devices, help as calls, service, sessions
from edge_agent.ports import (
    Clock,
    DeviceOnScreen,
    Extending,
    Journal,
    Names,
    Viewfinder,
)
from edge_agent.settings import AgentSettings, DeviceSettings


class Opened(Protocol):
    """What of an opened terminal the screen looks at."""

    @property
    def journal(self) -> Journal:
        """Return what is known of its sessions."""
        ...

    @property
    def clock(self) -> Clock:
        """Return what every countdown is kept on."""
        ...

    @property
    def names(self) -> Names:
        """Return where the name of a start comes from."""
        ...


class Served(Protocol):
    """Whoever knows what this terminal serves."""

    @property
    def profile(self) -> ServiceProfile | None:
        """Return the service information that it serves by now; None: it serves nobody."""
        ...


Confirm: TypeAlias = Callable[[str, str], Confirmation]
"""Takes a cleaner's code for a device; see `turnover.Turnovers.confirm`."""


class Screen:
    """The stage of a terminal's devices, and its server; without its section there is neither."""

    def __init__(
        self,
        settings: AgentSettings,
        opened: Opened,
        served: Served,
        viewfinder: Viewfinder,
        here: Callable[[], Here],
    ) -> None:
        """Take what stands behind the screen.

        Args:
            settings: the devices of this terminal, and whether there is a screen.
            opened: the journal, and the clock on which countdowns are kept.
            served: which devices customers are served on now.
            viewfinder: what the scanners see.
            here: the store's time zone, and what time it is there.
        """
        self._part = settings.display
        self._devices = settings.devices
        self._opened = opened
        self._served = served
        self._known: Sequence[ProfileDevice] = ()
        self._stage = (
            None if self._part is None else Stage(self._look, opened.clock, here, viewfinder)
        )
        self.display = Display(here, self._stage)

    def take_around(self, told: DeviceAround) -> None:
        """Take in what stands around a device; see `around.Surroundings`."""
        if self._stage is not None:
            self._stage.surroundings.take(told)
            self._stage.nudge()

    def loops(
        self, on_ended: Callable[[], None], extending: Extending, confirm: Confirm, line: Line
    ) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what runs beside the agent's other loops, by name.

        `on_ended` is called when a session is to be ended by its customer's wish; `extending` is
        asked for more time, `confirm` takes cleaners' codes, `line` what else is asked.
        The server is imported here: a terminal without a screen need not carry one (15 MB).
        """
        if self._stage is None or self._part is None:
            return {}
        from edge_agent.display.calls import Calls  # noqa: PLC0415 - only where it is needed
        from edge_agent.display.presses import Presses  # noqa: PLC0415 - only where it is needed
        from edge_agent.display.server import Server  # noqa: PLC0415 - only where it is needed

        self._stage.surroundings.line = line
        touch = Touch(self._opened.journal, on_ended, confirm)
        calls = Calls(self._stage, touch)
        presses = Presses(self._stage, touch, extending, calls)
        server = Server(self._part, self._stage, presses, self._opened.names.hex_digits(8))
        return {"stage": self._stage.run(), "screen": server.run()}

    def _look(self) -> Look:
        """Return what the journal says; while nobody is served, of the devices last known."""
        profile, journal = self._served.profile, self._opened.journal
        kept = profile if self._known or profile is not None else journal.transact(service.profile)
        self._known = self._known if kept is None else kept.devices
        known = {each.key: each for each in self._known}
        live, stand = journal.transact(sessions.on_screen), journal.transact(devices.states)
        around = journal.transact(calls.look)
        return Look(
            devices=[_on_screen(it, known.get(it.key), live, stand) for it in self._devices],
            serves=profile is not None,
            help_told=journal.transact(calls.is_told),
            helpers=around.helpers,
            calls=around.calls,
        )


class Touch:
    """What the buttons do, on this terminal's own journal; see `ports.Buttons`."""

    def __init__(self, journal: Journal, on_ended: Callable[[], None], confirm: Confirm) -> None:
        """Take where it is written, who sees to what is to end, and who takes cleaners' codes."""
        self._journal = journal
        self._on_ended = on_ended
        self._confirm = confirm
        self._seen = ""

    def end(self, session: str) -> bool:
        """End a session by its customer's wish; see `ports.Buttons`."""
        is_ending = self._journal.transact(sessions.end_by_customer, session)
        self._on_ended()
        return is_ending

    def call_for_help(self, device: str, session: str | None, about: str) -> None:
        """Tell the operator that somebody needs him; see `ports.Buttons`."""
        self._journal.transact(calls.call, device, session, about)

    def choose_helper(
        self, device: DeviceOnScreen, helper: str, price_cents: int, language: str
    ) -> calls.Refused | None:
        """Call a helper for whoever stands at this device; see `calls.Calling`."""
        session = None if device.session is None else device.session.session
        assert device.device is not None, "a press without its device is not taken"
        wish = calls.Wish(helper=helper, price_cents=price_cents, language=language)
        return self._journal.transact(calls.choose, device.device, session, wish)

    def write_line(self, device: str, call: str, text: str) -> calls.Refused | None:
        """Write to the helper; see `calls.Calling`."""
        return self._journal.transact(calls.write, device, call, text)

    def leave_call(self, device: str, call: str) -> bool:
        """End a call by its customer's wish; see `calls.Calling`."""
        return self._journal.transact(calls.leave, device, call)

    def note_warning_seen(self, session: str, seconds_left: int) -> None:
        """Take in that the page has shown a warning; see `ports.Buttons`."""
        self._journal.transact(sessions.note_warning_shown, session, seconds_left)

    def note_message_seen(self, device: str, message: str) -> None:
        """Take in that the page has shown what the store said, once; see `ports.Buttons`."""
        if message == self._seen:
            return
        self._seen = message
        self._journal.transact(devices.note_message_shown, device, message)

    def confirm_turnover(self, device: str, code: str) -> bool:
        """Take a cleaner's code; see `ports.Buttons`."""
        return self._confirm(device, code).is_taken


def _on_screen(
    device: DeviceSettings,
    known: ProfileDevice | None,
    live: dict[str, Any],
    stand: dict[str, devices.DeviceNow],
) -> DeviceOnScreen:
    if known is None:
        return DeviceOnScreen(key=device.key, title=device.title)
    now = stand.get(known.device)
    return DeviceOnScreen(
        key=device.key,
        title=device.title,
        device=known.device,
        number=known.number,
        session=live.get(known.device),
        is_in_turnover=now is not None and now.state is DeviceState.TURNOVER,
        is_out_of_order=now is not None and now.state is DeviceState.OUT_OF_ORDER,
        takes_code=now is not None and now.takes_code,
    )
