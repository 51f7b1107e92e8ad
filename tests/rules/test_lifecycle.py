"""The table of moves: every status, move and role, and every missing fact."""

from dataclasses import fields, replace
from itertools import product

import pytest

from manyeyes.rules.errors import IllegalMove, NotAllowed
from manyeyes.rules.lifecycle import (
    FACT_WORDS,
    GIVEN_WITH_THE_MOVE,
    MOVES,
    TEAM_CLOSE_REASONS,
    CloseReason,
    Facts,
    Role,
    Status,
    check,
    open_to,
)

FACT_NAMES = [field.name for field in fields(Facts)]
READY = replace(Facts(**dict.fromkeys(FACT_NAMES, True)), verification_running=False, was_triaged=False)

# Written out by hand from the design, so that an accidental change of the table is seen.
LANDS = {
    "ask_researcher": {"new": "needs_info", "triaged": "needs_info"},
    "answer": {"needs_info": "new"},
    "accept": {"new": "triaged", "needs_info": "triaged"},
    "confirm": {"triaged": "confirmed"},
    "start_fix": {"confirmed": "remediating"},
    "deploy_fix": {"remediating": "fix_deployed"},
    "request_verification": {"fix_deployed": "retesting"},
    "fix_refuted": {"retesting": "remediating"},
    "resolve": {"retesting": "resolved"},
    "reopen": {"resolved": "triaged", "closed": "triaged"},
    "withdraw": {"new": "closed", "needs_info": "closed"},
    "close": dict.fromkeys(
        ["new", "needs_info", "triaged", "confirmed", "remediating", "fix_deployed", "retesting"], "closed"
    ),
}
TEAM = {"security_triager", "ml_triager", "program_manager"}
MAKERS = {
    **dict.fromkeys(("ask_researcher", "accept", "confirm", "resolve", "reopen", "close"), TEAM),
    "answer": {"reporter"},
    "withdraw": {"reporter"},
    **{name: TEAM | {"target_owner"} for name in ("start_fix", "request_verification")},
    "deploy_fix": {"target_owner", "program_manager"},
    "fix_refuted": TEAM | {"system"},
}


def test_the_table_holds_exactly_the_moves_of_the_design() -> None:
    assert set(MOVES) == set(LANDS) == set(MAKERS)


@pytest.mark.parametrize(("name", "status", "role"), list(product(LANDS, Status, Role)))
def test_every_status_move_and_role(name: str, status: Status, role: Role) -> None:
    offered = {offer.move.name: offer for offer in open_to(status, {role}, READY)}
    if role not in MAKERS[name]:
        assert name not in offered
        with pytest.raises(NotAllowed):
            check(name, status, {role}, READY)
    elif status not in LANDS[name]:
        assert name not in offered
        with pytest.raises(IllegalMove) as refusal:
            check(name, status, {role}, READY)
        assert refusal.value.missing == []
    else:
        assert check(name, status, {role}, READY) == LANDS[name][status]
        assert offered[name].target == LANDS[name][status]
        assert offered[name].ready


@pytest.mark.parametrize(("name", "fact"), [(name, fact) for name, move in MOVES.items() for fact in move.demands])
def test_every_demanded_fact_is_asked_for(name: str, fact: str) -> None:
    move = MOVES[name]
    facts = replace(READY, **{fact: False})
    with pytest.raises(IllegalMove) as refusal:
        check(move, move.sources[0], move.roles, facts)
    assert refusal.value.missing == [fact]
    assert FACT_WORDS[fact] in str(refusal.value)
    (offer,) = [offer for offer in open_to(move.sources[0], move.roles, facts) if offer.move is move]
    assert offer.missing == (() if fact in GIVEN_WITH_THE_MOVE else (fact,))


def test_a_running_verification_stands_in_the_way_of_resolving() -> None:
    with pytest.raises(IllegalMove) as refusal:
        check("resolve", Status.RETESTING, {Role.ML_TRIAGER}, replace(READY, verification_running=True))
    assert refusal.value.missing == ["verification_running"]


def test_an_answer_goes_back_to_where_the_question_was_asked() -> None:
    assert check("answer", Status.NEEDS_INFO, {Role.REPORTER}, Facts(was_triaged=True)) is Status.TRIAGED
    assert check("answer", Status.NEEDS_INFO, {Role.REPORTER}, Facts()) is Status.NEW


def test_a_refused_offer_teaches() -> None:
    facts = replace(READY, rated=False, signed_off=False)
    (offer,) = [o for o in open_to(Status.TRIAGED, {Role.ML_TRIAGER}, facts) if o.move.name == "confirm"]
    assert offer.sentence == "Confirm finding. Missing: a severity rating, sign-off by both disciplines."
    assert offer.missing_words == ("a severity rating", "sign-off by both disciplines")
    (ready,) = [o for o in open_to(Status.TRIAGED, {Role.ML_TRIAGER}, READY) if o.move.name == "confirm"]
    assert ready.sentence == "Confirm finding."


def test_a_plain_string_from_a_row_is_a_status() -> None:
    row_status: Status = "new"  # type: ignore[assignment]
    assert check("accept", row_status, {Role.ML_TRIAGER}, READY) is Status.TRIAGED
    assert open_to(row_status, {Role.ML_TRIAGER}, READY)


def test_the_refusal_for_a_role_names_those_who_can() -> None:
    with pytest.raises(NotAllowed, match=r"belongs to ML triager, program manager or security triager\."):
        check("confirm", Status.TRIAGED, {Role.REPORTER}, READY)
    with pytest.raises(NotAllowed, match=r"belongs to reporter\."):
        check("answer", Status.NEEDS_INFO, {Role.ADMIN}, READY)


def test_every_name_has_words_and_every_fact_exists() -> None:
    used = {fact for move in MOVES.values() for fact in (*move.demands, *move.forbids)}
    assert used <= set(FACT_NAMES)
    assert used == set(FACT_WORDS)
    assert all(reason.words for reason in CloseReason)
    assert CloseReason.WITHDRAWN not in TEAM_CLOSE_REASONS
    assert len(TEAM_CLOSE_REASONS) == len(CloseReason) - 3, "those that name another case have words of their own"
    assert MOVES["withdraw"].reason is CloseReason.WITHDRAWN


def test_no_key_means_two_moves_from_one_status() -> None:
    for status, role in product(Status, Role):
        keys = [offer.move.key for offer in open_to(status, {role}, READY) if offer.move.key]
        assert len(keys) == len(set(keys))
