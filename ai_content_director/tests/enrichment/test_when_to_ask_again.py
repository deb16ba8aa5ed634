"""The schedule of look-ups, worked out by hand."""

from datetime import timedelta

import pytest

from lead_signals.enrichment.when_to_ask_again import Miss, NotFoundBecause, ask_again_after
from lead_signals.graph_api.graph_failure import FailureKind
from lead_signals.leads.look_up import LookUpKind

FORM, NAME = LookUpKind.LEAD_FORM, LookUpKind.SENDER_NAME
RETRY = Miss(NotFoundBecause.RETRY)
YOUNG = timedelta(minutes=1)


def delay(kind: LookUpKind, miss: Miss, *, failures: int = 1, age: timedelta = YOUNG, jitter: float = 1.0) -> float | None:
    after = ask_again_after(kind, miss, failures=failures, age=age, jitter=lambda: jitter)
    return None if after is None else after.total_seconds()


def test_every_reason_of_graph_is_one_of_ours() -> None:
    assert {kind.value for kind in FailureKind} <= {reason.value for reason in NotFoundBecause}


@pytest.mark.parametrize(("failures", "seconds"), [(1, 30), (2, 60), (5, 480), (10, 15_360), (11, 21_600), (1_000, 21_600)])
def test_the_pause_doubles_up_to_six_hours(failures: int, seconds: float) -> None:
    assert delay(FORM, RETRY, failures=failures) == seconds


def test_full_jitter_spreads_over_the_whole_pause() -> None:
    assert [delay(FORM, RETRY, failures=3, jitter=share) for share in (0.0, 0.25, 1.0)] == [0, 30, 120]


def test_graph_is_never_asked_before_the_moment_it_named() -> None:
    asked_to_wait = Miss(NotFoundBecause.RETRY, retry_after_seconds=3_600)
    assert delay(FORM, asked_to_wait, jitter=0.0) == 3_600
    assert delay(FORM, asked_to_wait, failures=2) == 3_660


@pytest.mark.parametrize("reason", sorted(set(NotFoundBecause) - {"retry", "bad_answer", "not_found"}))
def test_a_form_waits_hours_for_what_a_person_must_mend(reason: NotFoundBecause) -> None:
    assert [delay(FORM, Miss(reason), failures=500, jitter=share) for share in (0.0, 1.0)] == [3 * 3600, 6 * 3600]


@pytest.mark.parametrize("reason", list(NotFoundBecause))
def test_no_form_is_asked_for_after_ninety_days(reason: NotFoundBecause) -> None:
    assert delay(FORM, Miss(reason), age=timedelta(days=90)) is not None
    assert delay(FORM, Miss(reason), age=timedelta(days=90, seconds=1)) is None


def test_a_form_that_is_not_there_is_believed_at_the_fifth_word() -> None:
    missing = Miss(NotFoundBecause.NOT_FOUND)
    assert [delay(FORM, missing, failures=failures) for failures in (1, 4, 5)] == [30, 240, None]


def test_a_name_is_not_worth_more_than_twenty_tries() -> None:
    assert [delay(NAME, RETRY, failures=failures) for failures in (19, 20)] == [21_600, None]
    assert delay(NAME, Miss(NotFoundBecause.NO_TOKEN), failures=20) is None
