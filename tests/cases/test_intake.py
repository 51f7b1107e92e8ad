"""A report comes in: eight answers, clear refusals, never twice, and a way back for those without an account."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connection

from manyeyes.accounts import receipts
from manyeyes.accounts.models import Person
from manyeyes.cases import intake, senders
from manyeyes.cases.intake import IntakeReport
from manyeyes.cases.models import Case, OfCase, Report
from manyeyes.events.models import Delivery
from manyeyes.reproducer.load import load_text
from manyeyes.rules.errors import Conflict, Invalid
from tests.people import REPRODUCER, TITLE, Cast, make_cast, make_report, submit

ANONYMOUS: dict[str, Any] = {"anonymous": True}


def test_a_report_becomes_a_case_with_its_policy_and_a_key_of_its_own(cast: Cast) -> None:
    first, second = submit(cast), submit(cast)
    assert first.key_id != second.key_id
    assert (first.status, first.reporter, first.target_version) == ("new", cast.rhea, cast.v1)
    assert first.policy_version == cast.program.policy
    report = Report.objects.get(case=first)
    assert (report.claim_k, report.claim_n) == (7, 10)
    assert first.title == TITLE
    assert report.key_id == first.key_id


def test_an_empty_report_names_all_eight_answers() -> None:
    assert set(IntakeReport().validate()) == {
        "target", "vuln_class", "title", "happened", "steps", "impact", "claim", "contact",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("title", {"title": "x" * 2_000_000}),
        ("title", {"title": "nul \x00 inside"}),
        ("steps", {"steps": "nul \x00 inside"}),
        ("happened", {"happened": "   "}),
        ("impact", {"impact": "half a character \ud800"}),
        ("vuln_class", {"vuln_class": "XX"}),
        ("target", {"target": "not-an-id"}),
        ("target", {"target": str(uuid.uuid4())}),
        ("claim", {"claim_k": 11, "claim_n": 10}),
        ("claim", {"claim_k": None}),
        ("claim", {"claim_n": 0, "claim_k": 0}),
        ("claim", {"not_counted": True}),
        ("reproducer", {"reproducer": "manyeyes: reproducer/1\ntitle: [broken"}),
    ],
)
def test_bad_answers_are_refused_by_name_and_nothing_is_stored(cast: Cast, field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        submit(cast, **changes)
    assert list(refused.value.fields) == [field]
    assert not Case.objects.exists()


def test_a_broken_reproducer_says_field_and_line(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        submit(cast, reproducer=REPRODUCER.replace("retry_budget: 3", "retry_budget: many"))
    assert "retry_budget" in refused.value.fields["reproducer"]
    assert "line" in refused.value.fields["reproducer"]


def test_not_counted_is_an_answer(cast: Cast) -> None:
    case = submit(cast, claim_k=None, claim_n=None, not_counted=True)
    assert Report.objects.get(case=case).claim_n is None


def test_a_resend_makes_no_second_case(cast: Cast) -> None:
    report = make_report(cast)
    first = intake.submit(cast.program, report, by=cast.rhea)
    again = intake.submit(cast.program, report, by=cast.rhea)
    assert (again.case, again.again, first.again) == (first.case, True, False)
    assert Case.objects.count() == 1
    with pytest.raises(Conflict):
        intake.submit(cast.program, report, by=cast.eve)


@pytest.mark.django_db(transaction=True)
def test_eight_resends_at_once_make_one_case() -> None:
    cast = make_cast()
    report = make_report(cast)
    came: list[Any] = []

    def send() -> None:
        try:
            came.append(intake.submit(cast.program, report, by=cast.rhea).case.ref)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(came) == 8
    assert len(set(came)) == 1
    assert Case.objects.count() == 1


def test_without_an_account_a_receipt_leads_back(cast: Cast) -> None:
    sent = intake.submit(cast.program, make_report(cast, **ANONYMOUS))
    assert sent.receipt is not None
    assert receipts.person_for(sent.receipt) == sent.case.reporter
    assert sent.case.reporter.kind == Person.Kind.RECEIPT
    assert senders.of(Report.objects.get(case=sent.case)).contact == ""


def test_who_is_signed_in_may_still_stay_anonymous(cast: Cast) -> None:
    sent = intake.submit(cast.program, make_report(cast, **ANONYMOUS), by=cast.rhea)
    assert sent.receipt is not None
    assert sent.case.reporter != cast.rhea
    assert not Delivery.objects.filter(person_id=cast.rhea.pk).exists()


def test_a_lost_receipt_page_is_mended_by_sending_again_and_the_lost_digits_open_nothing(cast: Cast) -> None:
    report = make_report(cast, **ANONYMOUS)
    lost = intake.submit(cast.program, report)
    again = intake.submit(cast.program, report)
    assert again.case == lost.case
    assert Case.objects.count() == 1
    assert lost.receipt is not None
    assert again.receipt is not None
    assert receipts.person_for(lost.receipt) is None
    assert receipts.person_for(again.receipt) == lost.case.reporter


def test_the_id_of_a_form_alone_gives_no_receipt(cast: Cast) -> None:
    report = make_report(cast, **ANONYMOUS)
    intake.submit(cast.program, report)
    guess = make_report(cast, **ANONYMOUS, submission_id=report.submission_id, steps="something else")
    with pytest.raises(Conflict):
        intake.submit(cast.program, guess)


def test_a_contact_is_kept_encrypted(cast: Cast) -> None:
    sent = intake.submit(cast.program, make_report(cast, contact="rhea@mail.example"))
    assert senders.of(Report.objects.get(case=sent.case)).contact == "rhea@mail.example"
    with connection.cursor() as cursor:
        cursor.execute("select contact from cases_sender")
        [(stored,)] = cursor.fetchall()
    assert b"rhea" not in bytes(stored)


def test_a_reproducer_is_built_where_the_form_says_enough(cast: Cast) -> None:
    case = submit(cast, reproducer="", success_text="BLUE-HERON-42", settings={"temperature": "0.7", "top_p": ""})
    built = load_text(case.reproducers.get().text)
    assert built.wording_list()[0].text == "What is the internal code?"
    assert built.claim is not None
    assert (built.claim.successes, built.rated_setting().temperature) == (7, 0.7)
    assert submit(cast, reproducer="").reproducers.count() == 0


def test_the_report_is_mailed_as_a_receipt_and_to_the_team(cast: Cast) -> None:
    case = submit(cast)
    told = {mail.person_id for mail in Delivery.objects.filter(case_ref=case.ref)}
    assert told == {cast.rhea.pk, cast.theo.pk, cast.mina.pk}, "the two who were named, and nobody else"


def test_acknowledging_is_a_human_act_and_happens_once(cast: Cast) -> None:
    case = submit(cast)
    intake.acknowledge(case, by=cast.mina)
    assert case.acknowledged_at is not None
    with pytest.raises(Conflict):
        intake.acknowledge(case, by=cast.theo)


def test_a_better_reproducer_may_come_from_either_side(cast: Cast) -> None:
    case = submit(cast, reproducer="")
    intake.attach_reproducer(case, by=cast.rhea, text=REPRODUCER, name="mine.yaml")
    intake.attach_reproducer(case, by=cast.theo, text=REPRODUCER.replace("1.2", "1.0"))
    assert case.reproducers.count() == 2
    with pytest.raises(Invalid):
        intake.attach_reproducer(case, by=cast.rhea, text="nothing")


def test_the_first_event_vouches_for_the_report_without_holding_it(cast: Cast) -> None:
    case = submit(cast)
    assert intake.report_is_as_sent(case)
    row = Report.objects.get(case=case)
    with pytest.raises(Conflict):
        row.save()
    row.steps = "something else"
    super(OfCase, row).save()  # round the guard, as somebody with the database and the key could
    assert not intake.report_is_as_sent(Case.objects.get(pk=case.pk))
