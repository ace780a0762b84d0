"""What an operator wants of the modules of a terminal, said over HTTP."""

from __future__ import annotations

from functools import partial

from cloud_controller.flows import modules
from cloud_controller.web.routes import Call, Shape
from common.ids import TerminalId
from common.rules.modules import PackageWish


class Wished(Shape):
    """What is wanted of a package at a terminal now; `number` grows with each word to it."""

    terminal: str
    package: str
    wish: PackageWish
    number: int


async def wish_uninstall(call: Call[None]) -> Wished:
    """Want a package off a terminal, and of a program's the modules that nothing else there needs.

    Of these goes what came from one of our controllers; the terminal asks for each.

    Raises:
        NotFound: there is no such terminal, or the package was never heard of.
        NotAllowed: something is wanted of too many packages there.
    """
    return await _wish(call, PackageWish.UNINSTALL)


async def wish_install(call: Call[None]) -> Wished:
    """Want a package at a terminal, also where it was wanted off before.

    Raises:
        NotFound: there is no such terminal, or the package was never heard of.
        NotAllowed: something is wanted of too many packages there.
    """
    return await _wish(call, PackageWish.INSTALL)


async def _wish(call: Call[None], what: PackageWish) -> Wished:
    terminal, package = TerminalId(call.names["terminal"]), call.names["module"]
    say = partial(modules.wish, what=what, actor=call.operator.name)
    number = await call.parts.books.transact(say, terminal, package)
    return Wished(terminal=terminal, package=package, wish=what, number=number)
