"""The commands about packages: their keys, what is published, and what is published no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cloud_controller.commands import reports
from cloud_controller.commands.beside import SettingsFile, leave, load, look, once
from cloud_controller.commands.printed import table_of, told
from cloud_controller.flows import modules
from cloud_controller.packages import keys as signing, releasing, replacing
from cloud_controller.packages.lists import ROLE_OF, WARNED_DAYS
from cloud_controller.packages.repository import CannotBePublished, Keys, Repository
from cloud_controller.ports import Actor, NotFound, Published, Transaction
from cloud_controller.settings import ControllerSettings
from common.errors import CannotStart
from common.ids import TerminalId
from common.messages.modules import PackageKind
from common.rules.modules import PackageWish
from common.system import SystemClock, SystemNames

KeyFolders = Annotated[
    list[Path], typer.Option("--keys", help="A folder with offline keys; said again for another.")
]
Locked = Annotated[bool, typer.Option("--locked", help="The keys have a passphrase; it is asked.")]

CONTROLLER: Final = "controller"
"""Who has the two keys for freshness."""

commands = typer.Typer(
    help="Publish packages of programs and modules, and say what is published.",
    no_args_is_help=True,
)
report = commands.command()(reports.report)


@commands.command(name="init-keys")
def init_keys(
    settings: SettingsFile,
    to: Annotated[Path, typer.Option("--to", help="Where the offline keys go: a stick.")],
    locked: Locked = False,  # noqa: FBT002 - a switch of the command line
) -> None:
    """Make the keys that sign packages, and sign the first lists, which name nothing."""

    def go() -> None:
        loaded = load(settings)
        repository = _repository(loaded)
        passphrase = _passphrase(is_new=True) if locked else ""
        with repository.alone():
            if repository.is_there():
                raise CannotStart(why=f"{repository.folder} has signed lists already")
            made = signing.make_offline(to, SystemNames(), passphrase)
            own = signing.online(loaded.keys_folder, SystemNames())
            root = repository.begin(made, own, SystemClock().now_ms())
        once(loaded, _audit, "packages.begun", str(repository.folder))
        typer.echo(root)
        typer.echo(_what_to_do(to), err=True)

    leave(go)


@commands.command()
def publish(
    description: Annotated[Path, typer.Argument(help="The TOML file that describes the release.")],
    keys: KeyFolders,
    settings: SettingsFile,
    locked: Locked = False,  # noqa: FBT002 - a switch of the command line
) -> None:
    """Pack, sign and list a release; terminals are offered it from now on."""

    def go() -> None:
        loaded = load(settings)
        described = releasing.read_description(description)
        repository, signers = _repository(loaded), _online(loaded)
        passphrase = _passphrase() if locked else ""
        by = releasing.keys_for(described.kind, keys, signers, passphrase)
        highest = look(loaded, _highest, described)
        with repository.alone(), _shown(f"{described.package} {described.version}"):
            made = releasing.publish(repository, described, highest, by, SystemClock().now_ms())
        _tell_books(loaded, repository, "package.published", made)
        typer.echo(f"{made.target} {made.sha256} {made.length}")

    leave(go)


@commands.command()
def withdraw(
    package: Annotated[str, typer.Argument(help="The package's name.")],
    version: Annotated[str, typer.Argument(help="Which version of it.")],
    keys: KeyFolders,
    settings: SettingsFile,
    locked: Locked = False,  # noqa: FBT002 - a switch of the command line
) -> None:
    """Offer a release to nobody any more; who has it keeps it."""

    def go() -> None:
        loaded = load(settings)
        repository, signers = _repository(loaded), _online(loaded)
        listed = {(each.release.package, each.release.version): each for each in _listed(loaded)}
        known = listed.get((package, version))
        if known is None:
            raise NotFound(what="release on the list")
        passphrase = _passphrase() if locked else ""
        by = releasing.keys_for(known.release.kind, keys, signers, passphrase)
        with repository.alone():
            repository.withdraw(known, by, SystemClock().now_ms())
        _tell_books(loaded, repository, "package.withdrawn", known)
        typer.echo(f"{known.target}: offered to nobody any more.")

    leave(go)


@commands.command()
def renew(
    keys: KeyFolders,
    settings: SettingsFile,
    locked: Locked = False,  # noqa: FBT002 - a switch of the command line
) -> None:
    """Sign the lists of the offline keys that are here anew, before they run out."""

    def go() -> None:
        loaded = load(settings)
        repository, signers = _repository(loaded), _online(loaded)
        passphrase = _passphrase() if locked else ""
        for role in (signing.TARGETS, *ROLE_OF.values()):
            try:
                by = Keys(role=signing.offline(keys, role, passphrase), online=signers)
            except signing.KeysAreMissing:
                continue
            with repository.alone():
                repository.sign_again(role, by, SystemClock().now_ms())
            typer.echo(f"{role}: good until {told(repository.current().expires_at()[role])}.")

    leave(go)


@commands.command(name="replace-keys")
def replace_keys(
    keys: KeyFolders,
    settings: SettingsFile,
    role: Annotated[
        str, typer.Option(help="Whose: `controller`, or modules, programs, targets, root.")
    ] = CONTROLLER,
    to: Annotated[
        Path | None, typer.Option("--to", help="Where a role's new offline keys go: a stick.")
    ] = None,
    locked: Locked = False,  # noqa: FBT002 - a switch of the command line
) -> None:
    """Give the controller, or a role, other keys, by those above it; cut short, say it again."""

    def go() -> None:
        loaded = load(settings)
        if role != CONTROLLER and (role not in replacing.ABOVE or to is None):
            raise CannotStart(why="say a --role that there is, and --to where its new keys go")
        passphrase = _passphrase() if locked else ""
        above = signing.offline(keys, replacing.ABOVE.get(role, signing.ROOT), passphrase)
        repository, now = _repository(loaded), SystemClock().now_ms()
        with repository.alone():
            if to is None or role == CONTROLLER:
                own = signing.replace_online(loaded.keys_folder, SystemNames())
                replacing.replace_online(repository, above, own, now)
            else:
                new = signing.others(to, role, SystemNames(), passphrase)
                by = Keys(role=above, online=_online(loaded))
                replacing.replace_offline(repository, role, new, by, now)
        once(loaded, _audit, "packages.keys_replaced", role)
        typer.echo(f"{role}: other keys sign; what only the old ones sign counts no more.")

    leave(go)


@commands.command(name="list")
def show(settings: SettingsFile) -> None:
    """Show every release, and until when each signed list is believed."""

    def go() -> None:
        loaded = load(settings)
        console = Console(width=140)
        titles = ("package", "kind", "version", "release", "bytes", "seats by", "", "SHA-256")
        table = table_of(*titles, numbers={"release", "bytes"})
        for row in look(loaded, modules.versions):
            gone = row["withdrawn_at"]
            table.add_row(
                *(row["package"], row["kind"], row["version"], str(row["release_counter"])),
                *(str(row["length"]), row["basis"] if row["kind"] == PackageKind.MODULE else ""),
                "offered" if gone is None else f"withdrawn {told(gone)}",
                row["sha256"][:12],
            )
        console.print(table)
        now = SystemClock().now_ms()
        for name, at in _repository(loaded).current().expires_at().items():
            days = (at - now) / 86_400_000
            style = "red" if days < 0 else "yellow" if _is_ending(name, days) else "dim"
            console.print(f"{name} is believed until {told(at)}", style=style)

    leave(go)


@commands.command()
def uninstall(
    terminal: Annotated[str, typer.Argument(help="The terminal's name.")],
    package: Annotated[str, typer.Argument(help="A module, or a program's package.")],
    settings: SettingsFile,
) -> None:
    """Want a package off a terminal; of modules goes what came from us and nothing else needs."""
    _wish(settings, terminal, package, PackageWish.UNINSTALL)


@commands.command()
def install(
    terminal: Annotated[str, typer.Argument(help="The terminal's name.")],
    package: Annotated[str, typer.Argument(help="A module, or a program's package.")],
    settings: SettingsFile,
) -> None:
    """Want a package at a terminal, also where it was wanted off before."""
    _wish(settings, terminal, package, PackageWish.INSTALL)


def _wish(settings: Path, terminal: str, package: str, what: PackageWish) -> None:
    def go() -> None:
        name, actor = TerminalId(terminal), Actor.COMMAND_LINE
        once(load(settings), modules.wish, name, package, what, actor)
        typer.echo(f"{terminal} is told to {what} {package}, now or when it is back.")

    leave(go)


def _is_ending(name: str, days: float) -> bool:
    return name not in signing.ONLINE and days < WARNED_DAYS


def _repository(settings: ControllerSettings) -> Repository:
    return Repository(settings.packages_folder)


def _listed(settings: ControllerSettings) -> tuple[Published, ...]:
    return _repository(settings).releases()


def _online(settings: ControllerSettings) -> Mapping[str, signing.Signer]:
    """Return this controller's own keys for packages.

    Raises:
        CannotStart: it has none: its packages are another's.
    """
    if not signing.has_online(settings.keys_folder):
        raise CannotStart(why="this controller signs no packages: begin with `modules init-keys`")
    return signing.online(settings.keys_folder, SystemNames())


def _tell_books(
    settings: ControllerSettings, repository: Repository, act: str, what: Published
) -> None:
    """Have the books say it at once; the running controller would find it a little later."""

    def tell(books: Transaction) -> None:
        modules.project(books, repository.releases())
        books.audit(Actor.COMMAND_LINE, act, what.target, what.sha256)

    once(settings, tell)


def _highest(books: Transaction, described: releasing.Description) -> int:
    """Return the highest number that a release of this package ever had.

    Raises:
        CannotBePublished: this version was published, and be it long ago.
    """
    rows = [row for row in modules.versions(books) if row["package"] == described.package]
    if any(row["version"] == described.version for row in rows):
        what = f"{described.package} {described.version}"
        raise CannotBePublished(what=what, why="it was published before; give it a new version")
    return max((row["release_counter"] for row in rows), default=0)


def _audit(books: Transaction, act: str, subject: str) -> None:
    books.audit(Actor.COMMAND_LINE, act, subject)


def _passphrase(*, is_new: bool = False) -> str:
    said: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=is_new, err=True)
    return said


@contextmanager
def _shown(what: str) -> Iterator[None]:
    """Show that something goes on, where somebody looks on."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(f"packing and signing {what}")
        yield


def _what_to_do(keys: Path) -> str:
    return (
        f"Put the two halves of {keys} on two sticks, in two drawers: of each role one key a stick,"
        "\nand the third root key elsewhere; then remove them here. The file named above goes on"
        "\nevery PC, as `[modules] root` of its edge agent."
    )
