"""The researcher on severity: a rating of their own, which is kept; a word against the team's, which is answered."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases import people
from manyeyes.cases.access import is_reporter
from manyeyes.cases.conversation import checked
from manyeyes.cases.facts import newest_rating
from manyeyes.cases.intake_report import BANDS, IntakeReport
from manyeyes.cases.judged import Dispute, OwnRating
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.programs import rubrics
from manyeyes.rules import clock, cvss4, mes
from manyeyes.rules import severity as scale
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import TRIAGERS, Role

VECTOR_LONGEST = 300


def say_own(case: Case, *, by: Any, band: str, vector: str = "", why: str = "") -> OwnRating:
    """Keep what the researcher thinks of it; older ones stay on record. A vector is one of CVSS v4 or of our rubric."""
    if band not in BANDS:
        raise Invalid(band=_("Choose a band."))
    written = checked("vector", vector, longest=VECTOR_LONGEST, required=False)
    if written:
        written = _clean_vector(case, written)
    text = checked("why", why, longest=5_000, required=False)
    row = OwnRating(band=band, vector=written, why=text or None, by=by, at=clock.now())
    with acting(
        case, "rating.own", by=by, allowed={Role.REPORTER}, tell=people.team(case), public=True, side="reporter",
        band=band,
    ) as locked:  # fmt: skip
        row.case, row.key = locked, locked.key
        row.save()
    return row


def keep_sent(case: Case, report: IntakeReport, *, by: Any) -> OwnRating | None:
    """What a report says of its own severity, kept as it came: a vector that can be read as one, else the words."""
    if not report.own_band:
        return None
    said, vector = report.own_why.strip(), ""
    with contextlib.suppress(Invalid):
        vector = _clean_vector(case, said)
    row = OwnRating(
        case=case, key=case.key, band=report.own_band, vector=vector, why=None if vector else said or None, by=by,
        at=case.created_at,
    )  # fmt: skip
    row.save()
    return row


def own(case: Case) -> OwnRating | None:
    """The newest rating of a researcher of this case."""
    return case.own_ratings.order_by("-at").first()


def dispute(case: Case, *, by: Any, text: str) -> Dispute:
    """The researcher does not agree with the rating they were told. Raises IllegalMove before there is one."""
    said, rating = checked("text", text, longest=20_000), newest_rating(case)
    if rating is None or case.confirmed_at is None:
        raise IllegalMove(_("There is no rating that you were told yet."))
    row = Dispute(rating=rating, text=said, by=by, at=clock.now())
    with acting(
        case, "rating.disputed", by=by, allowed={Role.REPORTER}, tell=people.holding(case, TRIAGERS), public=True,
        side="reporter", dispute=str(row.pk), rating=str(rating.pk), said=said,
    ) as locked:  # fmt: skip
        if waiting(locked) is not None:
            raise Conflict(_("What you said about the severity waits for its answer."))
        row.case, row.key = locked, locked.key
        row.save()
    return row


def waiting(case: Case) -> Dispute | None:
    """The word against a rating that has no answer yet."""
    return case.disputes.filter(answered_at__isnull=True).order_by("at").first()


def said(case: Case) -> list[Dispute]:
    """Every word against a rating with its answer, the newest first."""
    return list(case.disputes.select_related("by", "answered_by", "rating").order_by("-at"))


def one(case: Case, dispute_id: uuid.UUID) -> Dispute:
    """A word against a rating of this case. Raises NotFound."""
    row = case.disputes.filter(pk=dispute_id).first()
    if row is None:
        raise NotFound
    return row


def answer(row: Dispute, *, by: Any, text: str, will_change: bool) -> Dispute:
    """Answer with a reason, which both sides read; the new rating itself is made as every rating is.

    Whoever made the rating does not judge the word against it while another can.
    """
    words, case = checked("text", text, longest=20_000), row.case
    if by.pk not in {person.pk for person in judges(row)}:
        raise NotAllowed(_("You made this rating, so another person answers."))
    with acting(
        case, "dispute.answered", by=by, allowed=TRIAGERS, tell=people.everybody(case), public=True,
        dispute=str(row.pk), will_change=will_change, said=words,
    ):  # fmt: skip
        fresh = Dispute.objects.select_for_update().get(pk=row.pk)
        if fresh.answered_at is not None:
            raise Conflict(_("This was answered meanwhile. Look at the case again."))
        fresh.answer, fresh.will_change, fresh.answered_by, fresh.answered_at = words, will_change, by, clock.now()
        fresh.save()
    row.refresh_from_db()
    return row


def judges(row: Dispute) -> list[Any]:
    """Who may answer: every triager and manager but the one who rated and those who report it, unless there is none."""
    able = [person for person in people.holding(row.case, TRIAGERS) if not is_reporter(person, row.case)]
    return [person for person in able if person.pk != row.rating.by_id] or able


def _clean_vector(case: Case, written: str) -> str:
    """The vector in its normal form. Raises Invalid (`vector`); words of another scheme belong to the reason."""
    try:
        if written.startswith(cvss4.PREFIX):
            return cvss4.read(written).vector
        if written.startswith("MES:"):
            ours = rubrics.in_force(case.program)
            return str(scale.parse(written, ours if written.startswith(f"{ours.version}/") else mes.STANDARD))
    except Invalid as error:
        raise Invalid(vector=" ".join(error.fields.values())) from error
    raise Invalid(vector=_("Write a vector of CVSS v4 or of MES, or say it in the reason."))
