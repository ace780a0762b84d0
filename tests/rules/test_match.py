"""The match of two logs is set algebra, at every instant, and every report adds up (D6)."""

from __future__ import annotations

from hypothesis import given, settings, strategies as some

from common.rules.modules import (
    ClientSeen,
    Match,
    Matched,
    Period,
    RoyaltyBasis,
    RoyaltyLine,
    Terms,
    due_of,
    royalty_lines,
)

INSTANTS = some.integers(min_value=0, max_value=40)
EARLIEST = some.none() | INSTANTS
CLIENTS = some.lists(some.tuples(EARLIEST, EARLIEST), max_size=12)
BASES = some.sampled_from(RoyaltyBasis)
TERMS = some.builds(
    Terms,
    basis=BASES,
    royalty_cents=some.integers(min_value=0, max_value=9),
    currency=some.sampled_from(["JPY", "EUR"]),
)


@given(CLIENTS, INSTANTS)
def test_d6_the_four_numbers_are_set_algebra_at_every_instant(clients, instant):
    issued = {each for each, (at, _) in enumerate(clients) if at is not None and at < instant}
    users = {each for each, (_, at) in enumerate(clients) if at is not None and at < instant}
    match = matched(clients).before(instant)
    assert match.issued == len(issued)
    assert match.users == len(users)
    assert match.via_this_system == len(issued & users)
    assert match.obtained_elsewhere == len(users - issued)
    assert match.issued_never_used == len(issued - users)


@settings(max_examples=40)
@given(some.lists(CLIENTS, min_size=1, max_size=5), some.data())
def test_d6_whatever_comes_late_all_reports_together_count_what_is_known_at_the_last(learnt, data):
    """Each report knows other earliest lines than the one before it: late ones, even of others."""
    basis = data.draw(BASES)
    closed: list[Period] = []
    said: list[RoyaltyLine] = []
    for number, clients in enumerate(learnt, start=1):
        starts_at = closed[-1].ends_at if closed else 0
        terms = Terms(basis=basis, royalty_cents=data.draw(INSTANTS), currency="JPY")
        ends_at = starts_at + data.draw(some.integers(min_value=1, max_value=15))
        period = Period(report=number, starts_at=starts_at, ends_at=ends_at, terms=terms)
        said += royalty_lines(matched(clients), period, tuple(closed), tuple(said))
        closed.append(period)
        now = matched(clients)
        assert sum(line.counted for line in said) == now.before(ends_at).counted_by(basis)
        for each in closed:
            of_it = sum(line.counted for line in said if line.period.report == each.report)
            before, after = now.before(each.starts_at), now.before(each.ends_at)
            assert of_it == after.counted_by(basis) - before.counted_by(basis)


@given(CLIENTS, TERMS, TERMS)
def test_d6_a_correction_is_paid_at_the_price_of_its_own_period(clients, then, now):
    first = Period(report=1, starts_at=0, ends_at=20, terms=then)
    nothing_yet = royalty_lines(Matched([]), first, (), ())
    second = Period(report=2, starts_at=20, ends_at=41, terms=now)
    lines = royalty_lines(matched(clients), second, (first,), nothing_yet)
    late = matched(clients).before(20).counted_by(then.basis)
    assert [line.counted for line in lines[1:]] == ([late] if late else [])
    assert [line.cents for line in lines[1:]] == ([late * then.royalty_cents] if late else [])
    assert sum(due_of(lines).values()) == sum(line.cents for line in lines)
    assert {line.period.terms.currency for line in lines} == set(due_of(lines))


def test_d6_each_basis_counts_other_clients():
    match = Match(issued=5, users=4, via_this_system=3)
    assert {basis: match.counted_by(basis) for basis in RoyaltyBasis} == {
        RoyaltyBasis.DOWNLOADS_MATCHED: 3,
        RoyaltyBasis.DOWNLOADS: 5,
        RoyaltyBasis.USERS: 4,
    }


def matched(clients: list[tuple[int | None, int | None]]) -> Matched:
    return Matched(ClientSeen(issued_at=issued, used_at=used) for issued, used in clients)
