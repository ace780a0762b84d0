"""Attacks on what a store PC installs, by whoever has the controller, its keys, and its address.

Each is one of the list of The Update Framework, against the agent's own verifier; before it and
after it, what is honestly published is found.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tuf.api.metadata import TargetFile

from cloud_controller.packages import keys as signing
from cloud_controller.packages.lists import EXPIRY_DAYS
from cloud_controller.ports import Published
from common.system import SystemNames
from edge_agent.modules.metadata import SignedPackage
from tests.fakes.packages_kit import PackagesInHand
from tests.rim.thief_kit import ENDLESS_PIECE, Thief, Victim, a_thief

HOUR_MS = 3_600_000
EVIL = b"not what its makers have signed"
EVIL_SHA256 = hashlib.sha256(EVIL).hexdigest()
TARGET = "modules/physics/1.0.0.zip"

NOT_SIGNED, STALE = "not_signed", "stale"


@asynccontextmanager
async def attacked(folder: Path) -> AsyncIterator[tuple[Thief, Victim, Published]]:
    """Give a thief, and a PC that has found the honest release before and finds it afterwards.

    Afterwards is when two root keys have named other keys of the controller's: with its old ones a
    thief can have everybody wait, and nothing else.
    """
    kit = PackagesInHand(folder)
    made = kit.publish()
    kit.publish("racer", kind="program")
    async with a_thief(kit) as thief:
        victim = Victim(folder=folder / "pc", thief=thief, now=kit.now)
        found = await victim.finds(made)
        assert isinstance(found, SignedPackage), found
        assert (found.archive.sha256, found.release) == (made.sha256, made.release)
        yield thief, victim, made
        thief.be_honest()
        kit.now = victim.now = max(kit.now, victim.now)
        kit.replace_online()
        assert await victim.finds(made) == found


def evil(signed: Any) -> None:
    """Put another archive behind the name of the honest one."""
    honest = signed.targets[TARGET]
    custom = honest.custom | {"chunks": [EVIL_SHA256]}
    signed.targets[TARGET] = TargetFile(
        len(EVIL), {"sha256": EVIL_SHA256}, TARGET, {"custom": custom}
    )
    signed.version += 1


async def finds_evil(victim: Victim, made: Published) -> SignedPackage | str:
    """Look by a right that names the thief's archive: he has the key that signs rights, too."""
    return await victim.finds(made, sha256=EVIL_SHA256, length=len(EVIL))


async def test_arbitrary_software_is_not_installed_whatever_the_controller_s_keys_sign(
    tmp_path: Path,
):
    async with attacked(tmp_path) as (thief, victim, made):
        assert await finds_evil(victim, made) == NOT_SIGNED, "what a right names is not enough"
        own = signing.make_offline(tmp_path / "his own", SystemNames())
        for signers in ((), own["modules"], thief.kit.online.values()):
            thief.answer("3.modules", thief.forge("2.modules", evil, signers))
            thief.lead_to({"modules": 3}, snapshot=8, timestamp=8)
            assert await finds_evil(victim, made) == NOT_SIGNED
            assert await victim.finds(made) == NOT_SIGNED


async def test_a_list_without_an_end_is_cut_off_at_its_limit(tmp_path: Path):
    async with attacked(tmp_path) as (thief, victim, made):
        thief.lead_to({"modules": 3}, snapshot=8, timestamp=8)
        for name, limit_bytes in (
            *(("timestamp", 16_384), ("8.snapshot", 2_000_000)),
            *(("3.modules", 5_000_000), ("2.root", 512_000)),
        ):
            thief.endless, thief.sent_bytes = {name}, 0
            assert await victim.finds(made) == NOT_SIGNED, name
            in_between = 100 * len(ENDLESS_PIECE)  # what the system itself holds of a line
            assert thief.sent_bytes < limit_bytes + in_between, name


async def test_nothing_extraneous_is_required_or_put_beside(tmp_path: Path):
    """What another role's keys sign, or what is added to `requires`, brings nothing in."""

    def require_more(signed: Any) -> None:
        signed.targets["programs/racer/1.0.0.zip"].custom["requires"] = ["evil"]

    def put_beside(of: Published) -> Callable[[Any], None]:
        custom = of.release.model_dump(mode="json")
        file = TargetFile(len(EVIL), {"sha256": EVIL_SHA256}, of.target, {"custom": custom})

        def change(signed: Any) -> None:
            signed.targets[of.target] = file
            signed.version = 3

        return change

    async with attacked(tmp_path) as (thief, victim, made):
        program = thief.kit.repository.releases()[0]
        (tmp_path / "pc/seen/programs.json").unlink(missing_ok=True)
        thief.answer("2.programs", thief.forge("2.programs", require_more))
        assert await victim.finds(program) == NOT_SIGNED
        thief.be_honest()
        versions: dict[str, int] = {}
        for number, (role, other) in enumerate((("programs", made), ("modules", program)), 8):
            keys = thief.kit.offline[role]
            thief.answer(f"3.{role}", thief.forge(f"2.{role}", put_beside(other), keys))
            versions[role] = 3
            thief.lead_to(versions, snapshot=number, timestamp=number)
            assert await finds_evil(victim, other) == NOT_SIGNED
            assert isinstance(await victim.finds(other), SignedPackage)


async def test_fast_forward_is_refused_or_forgotten_with_the_keys_that_signed_it(tmp_path: Path):
    """With the controller's keys he can shut everybody out, until two root keys name others."""
    async with attacked(tmp_path) as (thief, victim, made):
        highest, stolen = 2**31 - 1, thief.kit.online
        own = signing.make_offline(tmp_path / "his own", SystemNames())["root"]
        thief.kit.online = {"snapshot": own[0], "timestamp": own[1]}
        thief.lead_to({}, snapshot=highest, timestamp=highest)
        assert await victim.finds(made) == NOT_SIGNED
        thief.be_honest()
        thief.kit.online = stolen
        thief.lead_to({}, snapshot=highest, timestamp=highest)
        assert isinstance(await victim.finds(made), SignedPackage)
        thief.be_honest()
        assert await victim.finds(made) == STALE, "what was seen is not forgotten"
        thief.kit.replace_online()
        assert isinstance(await victim.finds(made), SignedPackage)
        new = thief.kit.publish(version="2.0.0")
        assert isinstance(await victim.finds(new), SignedPackage)


async def test_frozen_lists_are_found_out_within_a_day(tmp_path: Path):
    async with attacked(tmp_path) as (thief, victim, made):
        thief.lies["timestamp"] = thief.body("timestamp")
        began, kit = victim.now, thief.kit
        kit.now += 20 * HOUR_MS
        new = kit.publish(version="2.0.0")
        victim.now = began + 23 * HOUR_MS
        assert await victim.finds(new) == NOT_SIGNED, "he still holds it back"
        assert isinstance(await victim.finds(made), SignedPackage)
        victim.now = began + 24 * HOUR_MS
        assert await victim.finds(made) == STALE
        thief.be_honest()
        assert isinstance(await victim.finds(new), SignedPackage)


async def test_lists_of_different_times_are_not_mixed_and_matched(tmp_path: Path):
    async with attacked(tmp_path) as (thief, victim, made):
        old = {name: thief.body(name) for name in ("2.modules", "3.snapshot")}
        new = thief.kit.publish(version="2.0.0")
        for lies, why in (
            ({"4.snapshot": None}, "gone"),
            ({"4.snapshot": old["3.snapshot"]}, STALE),
            ({"3.modules": old["2.modules"]}, STALE),
            ({"3.modules": None}, "gone"),
        ):
            thief.be_honest()
            thief.lies |= lies
            assert await victim.finds(new) == why
            assert await victim.finds(made) == why


async def test_lists_are_not_rolled_back_to_what_was_withdrawn(tmp_path: Path):
    async with attacked(tmp_path) as (thief, victim, _):
        names = ("timestamp", "3.snapshot", "2.modules")
        withheld = {name: thief.body(name) for name in names}
        new = thief.kit.publish(version="2.0.0")
        old = thief.kit.publish(version="1.1.0", release=9)
        thief.kit.withdraw(old)
        assert isinstance(await victim.finds(new), SignedPackage)
        assert await victim.finds(old) == NOT_SIGNED
        thief.lies |= withheld
        assert await victim.finds(old) == STALE
        thief.be_honest()
        thief.lead_to({"modules": 4}, snapshot=20, timestamp=20)
        assert await victim.finds(old) == STALE, "nor with the controller's own keys"


async def test_keys_below_their_threshold_sign_nothing(tmp_path: Path):
    """One key of each role and both of the controller's: no list, no delegation and no root."""

    def name_his_own(signed: Any) -> None:
        signed.version += 1
        for key in own["modules"]:
            signed.keys[key.public_key.keyid] = key.public_key
        signed.roles["targets"].keyids = [key.public_key.keyid for key in own["modules"]]

    def delegate_to_his_own(signed: Any) -> None:
        signed.version += 1
        signed.delegations.roles["modules"].threshold = 1

    async with attacked(tmp_path) as (thief, victim, made):
        own = signing.make_offline(tmp_path / "his own", SystemNames())
        stolen = {role: keys[:1] for role, keys in thief.kit.offline.items()}
        thief.answer("3.modules", thief.forge("2.modules", evil, stolen["modules"]))
        thief.answer(
            "4.modules", thief.forge("2.modules", evil, [*stolen["modules"], *own["modules"]])
        )
        thief.answer("2.targets", thief.forge("1.targets", delegate_to_his_own, stolen["targets"]))
        for lists in ({"modules": 3}, {"modules": 4}, {"modules": 3, "targets": 2}):
            thief.lead_to(lists, snapshot=8, timestamp=8)
            assert await finds_evil(victim, made) in {NOT_SIGNED, STALE}
        thief.answer("2.root", thief.forge("1.root", name_his_own, [*stolen["root"], *own["root"]]))
        assert await finds_evil(victim, made) == NOT_SIGNED
        assert not (tmp_path / "pc/seen/root_history/2.root.json").exists()


async def test_a_pc_follows_keys_that_were_replaced_and_believes_the_lost_ones_no_more(
    tmp_path: Path,
):
    async with attacked(tmp_path) as (thief, victim, made):
        found, stolen = await victim.finds(made), thief.kit.offline["modules"]
        for role in ("root", "targets", "modules"):
            thief.kit.replace_offline(role)
            assert await victim.finds(made) == found, role
        thief.answer("4.modules", thief.forge("3.modules", evil, stolen))
        thief.lead_to({"modules": 4}, snapshot=20, timestamp=20)
        assert await finds_evil(victim, made) == NOT_SIGNED


async def test_a_list_of_the_offline_keys_ends_too(tmp_path: Path):
    async with attacked(tmp_path) as (thief, victim, made):
        kit, began = thief.kit, victim.now
        victim.now += EXPIRY_DAYS["modules"] * 24 * HOUR_MS
        kit.repository.renew(kit.online, victim.now - HOUR_MS)
        assert await victim.finds(made) == STALE
        victim.now = began
