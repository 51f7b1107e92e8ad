"""Evidence that a researcher measured: a signed bundle, kept as it comes and scored again by the worker.

It is shown beside the claim, never more: reproductions and verifications are replays that the program planned itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases import people
from manyeyes.cases.access import is_reporter
from manyeyes.cases.attachments import MOST
from manyeyes.cases.keeping import Brought, Kept, forget, keep
from manyeyes.cases.models import Attachment, Case, SentBundle
from manyeyes.cases.moves import acting
from manyeyes.engine import exact_interval
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from manyeyes.runs.rescoring import NotScored, Scored, score_again
from manyeyes.vault import files, uploads

Rate = dict[str, float]


def receive(case: Case, *, by: Any, chunks: Iterable[bytes], name: str) -> tuple[SentBundle, bool]:
    """Keep a bundle with the case, for the worker to score; and whether the very same one was here before.

    Raises Invalid for a file that cannot be kept and for one that can be no bundle. Whatever else is wrong with it is
    found when it is scored, and said beside it.
    """
    if not is_reporter(by, case):
        raise NotAllowed(_("Evidence of one's own is sent by whoever reported the case."))
    if case.attachments.count() >= MOST:
        raise Invalid(file=_("A case holds at most %(most)d files.") % {"most": MOST})
    kept = keep(case.key, Brought(name=name, chunks=chunks))
    before = _same(case, kept.stored.sha256)
    if before is not None:
        forget([kept])
        return before, True
    try:
        if kept.stored.media_type != "application/zip":
            raise Invalid(file=_("This is no evidence bundle. Make one with manyeyes bundle."))
        return _stored(case, by, kept), False
    except BaseException:
        forget([kept])
        raise


def looked_at(row: SentBundle, stop: Callable[[], bool] = lambda: False) -> tuple[dict[str, Any], bool]:
    """What scoring it again came to, with the claim of the report beside it; and whether it could be scored.

    Raises Stopped where `stop` says so before it is done.
    """
    case = row.case
    try:
        scored = score_again(files.read(row.attachment.stored), largest=uploads.max_bytes(), stop=stop)
    except NotScored as why:
        return {"why": str(why), "claim": _claim(case)}, False
    # From a file that is not what it says no count is taken: its outcomes may be as forged as its result.
    measured = _measured(scored.numbers) if scored.intact and scored.identical else None
    claim, same = _claim(case), _same_reproducer(case, scored)
    return {
        **asdict(scored),
        "claim": claim,
        "measured": measured,
        "place": "" if same is False else _place(claim, measured),  # nothing is compared with another thing
        "same_file": same,
    }, True


def _stored(case: Case, by: Any, kept: Kept) -> SentBundle:
    moment = clock.now()
    file = Attachment(case=case, key=case.key, stored=kept.stored, inside=kept.inside, by=by, at=moment)
    row = SentBundle(case=case, key=case.key, attachment=file, found={"claim": _claim(case)}, by=by, at=moment)
    with acting(
        case, "bundle.received", by=by, allowed={Role.REPORTER}, tell=people.team(case), public=True,
        bundle=str(row.pk), side="reporter", size=kept.stored.size,
    ):  # fmt: skip
        file.save()
        row.save()
    return row


def _same(case: Case, sha256: str) -> SentBundle | None:
    rows = SentBundle.objects.filter(case=case).select_related("attachment__stored")
    return next((row for row in rows if row.attachment.stored.sha256 == sha256), None)


def _claim(case: Case) -> Rate | None:
    """What the report claims, with the exact interval of its count; None where nothing was counted."""
    report = case.reports.order_by("sent_at").first()
    if report is None or report.claim_k is None or not report.claim_n:
        return None
    return {**_rate(report.claim_k, report.claim_n), "biased": report.claim_biased}


def _measured(numbers: Mapping[str, float]) -> Rate | None:
    """The count of the fixed trials at the rated setting, else that of the trials that decided."""
    for of in ("rated_", ""):
        k, n = numbers.get(f"{of}k"), numbers.get(f"{of}n")
        if isinstance(k, int) and isinstance(n, int) and 0 <= k <= n and 0 < n <= 10_000_000:
            return {**_rate(k, n), "rated": bool(of)}
    return None


def _rate(k: int, n: int) -> Rate:
    low, high = exact_interval(k, n)
    return {"k": k, "n": n, "asr": k / n, "low": low, "high": high}


def _place(claim: Rate | None, measured: Rate | None) -> str:
    """Where the claimed rate lies beside the measured interval: below, inside, above; empty where one is missing."""
    if claim is None or measured is None or claim.get("biased"):
        return ""
    if claim["asr"] < measured["low"]:
        return "below"
    return "above" if claim["asr"] > measured["high"] else "inside"


def _same_reproducer(case: Case, scored: Scored) -> bool | None:
    """Whether the run was of the reproducer that the case has; None where there is none to compare."""
    file = case.reproducers.order_by("-at").first()
    if file is None or not scored.texts.get("reproducer_hash"):
        return None
    try:
        return load_text(file.text).hash == scored.texts["reproducer_hash"]
    except ReproducerError:
        return None
