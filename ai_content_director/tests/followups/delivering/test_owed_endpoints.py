"""Sharing out hands among endpoints that are owed something: equal shares, turns, and half of each for what is fresh."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.delivering.claim_deliveries import Share
from lead_signals.followups.delivering.owed_endpoints import OwedEndpoints
from lead_signals.tenancy.tenant_session import across_tenants_session
from tests.followups.delivering.at_the_desk import claim
from tests.followups.promised import owe_many

A, B, C, D = (UUID(int=number) for number in range(31, 35))


def owed_to(*endpoint_ids: UUID) -> OwedEndpoints:
    owed = OwedEndpoints()
    for endpoint_id in endpoint_ids:
        owed.add(endpoint_id)
    return owed


def most(shares: list[Share]) -> dict[UUID, int]:
    return {share.endpoint_id: share.most for share in shares}


def test_what_one_has_no_room_for_the_others_get() -> None:
    assert most(owed_to(A, B, C).share_out(20, {A: 2, B: 20, C: 20}.__getitem__)) == {A: 2, B: 9, C: 9}


def test_an_endpoint_without_room_is_not_asked_for() -> None:
    assert most(owed_to(A, B).share_out(20, {A: 0, B: 5}.__getitem__)) == {B: 5}


def test_with_fewer_hands_than_endpoints_they_take_turns() -> None:
    owed = owed_to(A, B, C, D)
    turns = [most(owed.share_out(2, lambda _: 20)) for _ in range(3)]
    assert turns == [{A: 1, B: 1}, {C: 1, D: 1}, {A: 1, B: 1}]


def test_half_of_a_share_is_for_the_fresh_and_of_a_single_hand_every_other_turn() -> None:
    owed = owed_to(A)
    assert [share.fresh for share in owed.share_out(9, lambda _: 9)] == [4]
    assert sorted(owed.share_out(1, lambda _: 20)[0].fresh for _ in range(4)) == [0, 0, 1, 1]


def test_single_hands_of_one_endpoint_alternate_whoever_else_is_served() -> None:
    """With one flag for all, two endpoints served in turn got the same lane each time: one of them its fresh ones never."""
    owed = owed_to(A, B)
    lanes: dict[UUID, list[int]] = {A: [], B: []}
    for _ in range(4):
        for share in owed.share_out(2, lambda _: 1):
            lanes[share.endpoint_id].append(share.fresh)
    assert lanes == {A: [1, 0, 1, 0], B: [1, 0, 1, 0]}


def test_the_reserve_is_for_those_who_have_little_in_hand() -> None:
    in_hand = {A: 40, B: 40, C: 1, D: 0}
    shares = owed_to(A, B, C, D).share_out(500, lambda _: 40, beyond_few=0, in_hand=in_hand.__getitem__)
    assert most(shares) == {C: 1, D: 2}
    shares = owed_to(A, B, C, D).share_out(500, lambda _: 40, beyond_few=8, in_hand=in_hand.__getitem__)
    assert most(shares) == {A: 2, B: 2, C: 3, D: 4}, "what is beyond the first few is shared among all"


def test_with_few_hands_who_has_little_in_hand_comes_first() -> None:
    in_hand = {A: 2, B: 0}
    assert most(owed_to(A, B).share_out(1, lambda _: 20, beyond_few=500, in_hand=in_hand.__getitem__)) == {B: 1}


@given(st.integers(0, 60), st.lists(st.integers(0, 30), max_size=20))
def test_no_more_is_shared_out_than_there_are_hands_and_room_and_nothing_is_left_over(hands: int, rooms: list[int]) -> None:
    room_of = {UUID(int=number): room for number, room in enumerate(rooms, 100)}
    shares = owed_to(*room_of).share_out(hands, room_of.__getitem__)
    assert all(1 <= share.most <= room_of[share.endpoint_id] and 0 <= share.fresh <= share.most for share in shares)
    assert sum(share.most for share in shares) == min(hands, sum(rooms))
    unmet = [share.most for share in shares if share.most < room_of[share.endpoint_id]]
    assert not unmet or max(share.most for share in shares) - min(unmet) <= 1, "who wants more gets as much as any other"


async def test_whom_something_is_due_is_found_by_one_look(alone: AsyncEngine) -> None:
    await owe_many(alone, 30, endpoint_id=A, due_ago=timedelta(hours=1))
    await owe_many(alone, 2, endpoint_id=B)
    await owe_many(alone, 30, endpoint_id=C, due_ago=timedelta(hours=-1), state="retrying")
    await owe_many(alone, 1, endpoint_id=D)
    await claim(alone, endpoint_id=D)
    owed = owed_to(C)
    async with across_tenants_session(alone) as session:
        await owed.look(session)
    assert most(owed.share_out(100, lambda _: 10)) == {A: 10, B: 10}


async def test_who_had_less_due_than_was_asked_for_is_struck_off_until_something_becomes_due(alone: AsyncEngine) -> None:
    await owe_many(alone, 3, endpoint_id=A)
    owed = owed_to(A, B)
    shares = owed.share_out(2, lambda _: 1)
    owed.note(shares, await claim(alone, endpoint_id=A, most=1))
    assert most(owed.share_out(9, lambda _: 4)) == {A: 4}
    owed.add(B)
    assert set(most(owed.share_out(9, lambda _: 4))) == {A, B}
