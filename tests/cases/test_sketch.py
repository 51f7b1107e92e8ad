"""A report without a reproducer can still be replayed by hand: the file to begin with is made from its answers."""

from __future__ import annotations

import pytest

from manyeyes.cases import intake, reproduction
from manyeyes.cases.sketch import sketch
from manyeyes.reproducer.load import load_text
from tests.people import make_cast, submit

pytestmark = pytest.mark.django_db


def test_a_plain_report_becomes_a_file_that_a_person_can_work_through() -> None:
    cast = make_cast()
    case = submit(cast, reproducer="", success_text="")
    assert not reproduction.propose(case, mode="manual").ready
    text = sketch(case)
    made = load_text(text, "sketch")
    report = case.reports.get()
    assert made.wording_list()[0].text == report.steps.strip()
    assert (made.claim.successes, made.claim.trials) == (report.claim_k, report.claim_n)
    intake.attach_reproducer(case, by=cast.theo, text=text)
    proposal = reproduction.propose(case, mode="manual")
    assert proposal.ready, proposal.problems
    link = reproduction.request(case, by=cast.theo, mode="manual")
    assert link.replay.mode == "manual"
