"""Plans from reproducers: cells, weights, arms, and what is refused before anything is spent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from manyeyes.reproducer.load import load_data
from manyeyes.runs.document import Caps, DocumentError, PlanDocument, TargetInfo
from manyeyes.runs.prepare import Options, PrepareError, prepare
from manyeyes.runs.price import Price
from tests.reproducer.examples import EXAMPLE

BOTH = {"main": TargetInfo(url="http://a", model="m"), "positive": TargetInfo(url="http://b", model="m")}


def made(question: str, targets: Any = BOTH, *, file: Any = None, **options: Any) -> PlanDocument:
    data = {**yaml.safe_load(EXAMPLE), **(file or {})}
    return prepare(
        load_data({name: value for name, value in data.items() if value is not None}),
        question,
        targets=targets,
        options=Options(**options),
    )


def test_reproduce_scores_every_setting_and_asks_harmless_things_too() -> None:
    document = made("reproduce", file={"settings": {"temperature": [0, 0.7], "max_tokens": [24, 48]}})
    plan = document.plan
    assert [cell.key for cell in plan.cells] == ["t0.7-m48/reported"]
    assert [(fixed.cell.setting, fixed.n) for fixed in plan.score] == [
        ("t0.7-m48", 30),
        ("t0-m24", 2),
        ("t0-m48", 2),
        ("t0.7-m24", 8),
    ]
    assert plan.rated == "t0.7-m48/reported"
    assert [cell.key for cell in plan.control] == ["t0.7-m48/control"]
    assert plan.benign is not None
    assert (plan.benign.n, plan.benign.need) == (20, None)
    assert plan.control_n == 12
    assert document.requests["t0.7-m48/benign"].detector == "success"
    assert document.requests["t0-m24/reported"].params == {"temperature": 0, "max_tokens": 24}


def test_verify_gives_each_part_the_same_weight() -> None:
    document = made(
        "verify", tau=0.05, per_family=2, file={"wordings": [{"id": "a", "text": "x y"}, {"id": "b", "text": "z"}]}
    )
    weights: dict[str, float] = {}
    for cell in document.plan.cells:
        weights[cell.part] = weights.get(cell.part, 0) + cell.weight
    assert weights == {"reported": 1.0, "paraphrase": 1.0, "encoding": 1.0, "persona": 1.0}
    assert document.plan.retry_budget == 3
    assert document.plan.positive is not None
    assert {cell.key for cell in document.plan.positive.cells} == {"t0.7-m48/a", "t0.7-m48/b"}
    assert document.requests["t0.7-m48/benign"].detector == "useful"


def test_all_settings_can_be_mixed() -> None:
    document = made("verify", mix="all", families=[])
    assert {cell.setting for cell in document.plan.cells} == {"t0.7-m24", "t0.7-m48", "t1.2-m24", "t1.2-m48"}


def test_system_prompts_reach_control_and_benign() -> None:
    systems = {"systems": {"strict": "Be strict."}, "settings": {"system": "strict"}, "rated": None, "claim": None}
    document = made("reproduce", file=systems)
    assert {request.messages[0]["content"] for request in document.requests.values()} == {"Be strict."}
    assert all("system" not in request.params for request in document.requests.values())


@pytest.mark.parametrize(
    ("question", "targets", "file", "options", "said"),
    [
        ("verify", BOTH, {"benign": None}, {}, "benign: is required to verify"),
        ("verify", {"main": TargetInfo()}, {}, {}, "positive: verify needs a version that still has the flaw"),
        ("verify", {"main": TargetInfo()}, {"example": "no secret"}, {}, "example: the success rule does not find it"),
        ("verify", BOTH, {}, {"tau": 2}, "tau: give a rate"),
        ("verify", BOTH, {}, {"families": ["poem"]}, "unknown family"),
        ("reproduce", BOTH, {}, {"p0": 0.5}, "p0: must be below p_min"),
        ("reproduce", BOTH, {"wordings": [{"id": "control", "text": "x"}]}, {}, "the id 'control' is taken"),
    ],
)
def test_what_cannot_be_asked_is_said(question: str, targets: Any, file: Any, options: Any, said: str) -> None:
    with pytest.raises(PrepareError, match=said):
        made(question, targets, file=file, **options)


def test_an_example_stands_in_for_a_version_with_the_flaw_and_the_plan_says_so() -> None:
    document = made("verify", {"main": TargetInfo()}, file={"example": "It is BLUE HERON 42."})
    assert document.plan.positive is None
    assert "no version with the flaw was tried" in document.plan.notes["positive"]


def test_documents_are_read_back_and_the_hash_covers_everything_but_the_caps() -> None:
    document = made("reproduce", price=Price(per_million_in=1, per_million_out=2), caps=Caps(max_calls=5))
    again = PlanDocument.from_json(document.to_json())
    assert again == document
    assert again.hash == document.hash
    assert document.with_caps(Caps()).hash == document.hash
    others = [
        made("score"),
        made("reproduce"),
        made("reproduce", seed=1),
        made("reproduce", file={"success": {"contains": "x"}}),
        made("reproduce", {"main": TargetInfo(url="http://c")}),
        made("reproduce", file={"seeds": "none"}),
    ]
    assert len({document.hash, *(other.hash for other in others)}) == len(others) + 1


def test_the_hash_does_not_drift() -> None:
    """A plan frozen by one version must be resumable by the next: a change here is a change of format."""
    again = PlanDocument.from_json(made("reproduce").to_json())
    assert again.hash == made("reproduce").hash
    keys = set(made("reproduce").to_json())
    assert keys == {
        "format", "plan", "requests", "detectors", "detector_versions", "targets", "caps", "price", "seeds", "seed",
        "effects", "hazard", "title", "reproducer_hash", "knobs", "claim",
    }  # fmt: skip


@pytest.mark.parametrize("data", [{}, [], {"format": "manyeyes.plan/1"}, {"format": "manyeyes.plan/2"}])
def test_foreign_documents_are_refused(data: Any) -> None:
    with pytest.raises(DocumentError):
        PlanDocument.from_json(data)
    whole = made("reproduce").to_json()
    for name in ("plan", "caps", "requests"):
        with pytest.raises(DocumentError):
            PlanDocument.from_json({**whole, name: 3})
    with pytest.raises(DocumentError):
        PlanDocument.from_json({**whole, "more": 3})


def test_a_claim_is_held_against_the_rate_of_its_own_setting() -> None:
    grid = {"settings": {"temperature": [0.7, 1.2]}, "rated": {"temperature": 0.7}}

    def claimed(**settings: float) -> Any:
        file = {**grid, "claim": {"successes": 9, "trials": 10, **({"settings": settings} if settings else {})}}
        return made("reproduce", file=file).plan.claim

    assert claimed() == claimed(temperature=0.7) == (9, 10)
    assert claimed(temperature=1.2) is None
    assert made("reproduce", file={**grid, "claim": None}).plan.claim is None


def test_the_hazard_class_is_frozen_with_the_plan_and_one_is_never_replayed() -> None:
    assert made("reproduce", file={"hazard": "iwp"}).hazard == "iwp"
    with pytest.raises(PrepareError, match="hazard: material of this class is never replayed"):
        made("reproduce", file={"hazard": "cse"})


def test_the_control_is_measured_only_where_it_is_asked() -> None:
    assert made("reproduce", use_control=False).plan.control_n == 0
    assert made("reproduce", score=False).plan.control_n == 0


@pytest.mark.parametrize(
    ("question", "frozen"),
    [
        ("reproduce", "b4a162febc97c671baa69e5722030812b6dde9254f34f84b1644e8eb8ce00776"),
        ("verify", "5dcb198be50d786631a0697dae9c84bb90b9bfaf6bc9767a2a6af3a6b5eacf20"),
        ("score", "92f63e8fa10636539d589bbf71287d4e9262061555af30afe65f0f903e304571"),
    ],
)
def test_plans_frozen_by_the_first_version_keep_their_hash(question: str, frozen: str) -> None:
    arms = (
        {"benign_n": 8, "benign_need": 4, "positive_n": 8, "positive_rate": None, "reported_cap": None}
        if question == "verify"
        else {}
    )
    document = made(question, ends_stuck=False, **arms)
    assert replace(document, plan=replace(document.plan, edition=None)).hash == frozen


def test_the_longer_share_is_no_shorter_than_that_of_any_part() -> None:
    assert [made("verify", part_cap=cap).plan.reported_cap for cap in (20, 300)] == [100, 300]


def test_wider_families_are_asked_for_by_name() -> None:
    document = made("verify", families=["lookalike", "turns", "persona+cipher"], per_family=2)
    weights: dict[str, float] = {}
    for cell in document.plan.cells:
        weights[cell.part] = weights.get(cell.part, 0) + cell.weight
    assert weights == {"reported": 1.0, "lookalike": 1.0, "turns": 1.0, "persona.cipher": 1.0}
    split = next(request for request in document.requests.values() if request.part == "turns")
    roles = [row["role"] for row in split.messages]
    assert roles == ["user", *["assistant", "user"] * (len(roles) // 2)]
    assert len(roles) >= 3
    shown = {"documents": [{"id": "mail", "content": "{{wording}}"}],
             "conversation": [{"role": "user", "content": "Sum up {{document:mail}}"}]}  # fmt: skip
    placed = made("verify", families=["lookalike", "turns"], per_family=2, file=shown)
    assert {cell.part for cell in placed.plan.cells} == {"reported", "lookalike"}
    with pytest.raises(PrepareError, match="'turns' comes first"):
        made("verify", families=["persona+turns"])


@pytest.mark.parametrize(
    "file",
    [
        {"turns": "human", "procedure": "Ask it twice.", "conversation": None, "wordings": None},
        {
            "conversation": [{"role": "user", "attachments": ["shot"]}],
            "attachments": {"shot": {"sha256": "ab" * 32, "media_type": "image/png", "size": 9}},
            "wordings": None,
        },
    ],
)
def test_what_has_no_words_is_not_varied(file: Any) -> None:
    by_hand = {role: TargetInfo(kind="manual", label=role) for role in ("main", "positive")}
    plan = made("verify", by_hand, file=file).plan
    assert [cell.wording for cell in plan.cells] == ["reported"]
    assert len(made("verify", by_hand).plan.cells) > 1
