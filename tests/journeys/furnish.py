"""Run as a process of its own in the installation of the environment: makes the cast, attaches files, says what is."""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def make(url: str) -> dict[str, Any]:
    """The cast, with its target at `url`."""
    from tests import people
    from tests.journeys.wicket import connect

    cast = people.make_cast()
    connect(cast, url)
    emails = {name: getattr(cast, name).email for name in ("rhea", "eve", "theo", "mina", "olga", "lena", "pia")}
    return {"slug": cast.program.slug, "target": str(cast.target.pk), "emails": emails, "v3": str(cast.v3.pk)}


def attach(ref: str, text: str) -> dict[str, Any]:
    """A large file and a small one on a case, and who reads them."""
    from manyeyes.accounts.models import Person
    from manyeyes.cases import access, attachments
    from manyeyes.cases.models import Case
    from manyeyes.rules.errors import NotFound

    case = Case.objects.get(ref=ref)
    readers = {}
    for size in (1, 30_000):
        row = attachments.attach(case, by=case.reporter, chunks=[text.encode() * size], name=f"{text}.txt")
    for person in Person.objects.exclude(email=None):
        try:
            seen = b"".join(attachments.content(access.attachment_for(person, row.pk)))
            readers[person.handle] = text.encode() in seen
        except NotFound:
            readers[person.handle] = False
    return {"readers": readers}


def count() -> dict[str, Any]:
    """Which references there are, and how many rows of each kind that must not be half written."""
    from manyeyes.cases.models import Case, Report
    from manyeyes.events.models import Event

    return {
        "refs": sorted(Case.objects.values_list("ref", flat=True)),
        "reports": Report.objects.count(),
        "events": Event.objects.filter(kind="report.received").count(),
    }


def whole(*digits: str) -> dict[str, Any]:
    """Every report with the digests of its files as they can be read now; what is half there; whose receipts open."""
    import hashlib

    from manyeyes.accounts import receipts
    from manyeyes.cases.intake import report_is_as_sent
    from manyeyes.cases.models import Attachment, Case, Report
    from manyeyes.events.models import Event
    from manyeyes.vault import files

    rows = []
    for report in Report.objects.select_related("case"):
        case = report.case
        held = [hashlib.sha256(files.read_all(row.stored)).hexdigest() for row in report.files.all()]
        rows.append(
            {
                "ref": case.ref, "submission": str(report.submission_id), "files": held,
                "as_sent": report_is_as_sent(case),
                "events": Event.objects.filter(subject=case.subject, kind="report.received").count(),
            }
        )  # fmt: skip
    half = [case.ref for case in Case.objects.filter(reports=None)]
    half += [str(row.pk) for row in Attachment.objects.filter(report=None)]
    opened = {one: str(getattr(receipts.person_for(one), "pk", "")) for one in digits}
    owners = {str(case.reporter_id): case.ref for case in Case.objects.all()}
    return {"cases": rows, "half": half, "opened": {one: owners.get(pk, "") for one, pk in opened.items()}}


def standing() -> dict[str, Any]:
    """Where the newest replay stands, and whether its case has taken the verdict up."""
    from manyeyes.replays.models import Replay

    replay = Replay.objects.order_by("-created_at")[0]
    return {"replay": f"{replay.state} {replay.verdict_word}{' concluded' if replay.concluded_at else ''}"}


if __name__ == "__main__":
    django.setup()
    act, *words = sys.argv[1:]
    acts: dict[str, Any] = {"make": make, "attach": attach, "count": count, "standing": standing, "whole": whole}
    sys.stdout.write(json.dumps(acts[act](*words)))
