"""The answers of a draft in two spellings: as the form keeps what was typed, and by the names of a report."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases.intake_report import PLANS, SEEN
from manyeyes.rules.errors import Invalid

SAME = ("target", "vuln_class", "title", "happened", "steps", "impact", "contact", "success_text", "success_how",
        "conversation", "reproducer", "own_ref", "counted_how", "hazard", "own_band", "own_why")  # fmt: skip
"""Answers that have one name and one form on both sides."""
TICKS = ("exploited_now", "harmed_now")
SETTINGS = ("temperature", "top_p", "max_tokens")
ASKED = "q_"
"""How the names begin under which the form keeps the answers to the questions of a kind."""
MORE = ("expected", "reproducer_name")
"""What a program may say and the form has no field for; it lies beside what was typed, with other settings."""


def kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answers by the names of a report, as a draft keeps them. Raises Invalid for a name that no report has."""
    wrong = {
        f"{part}.{name}": _("No report has an answer of this name.")
        for part, known in (("seen", SEEN), ("plans", PLANS))
        for name in given.get(part) or {}
        if name not in known
    }
    if wrong:
        raise Invalid(wrong)
    typed = {name: str(given.get(name) or "") for name in SAME}
    typed |= {name: "on" if given.get(name) else "" for name in TICKS}
    typed |= {name: "" if given.get(name) is None else str(given[name]) for name in ("claim_k", "claim_n")}
    typed["counted"] = _counted(given)
    typed["identity"] = "anonymous" if given.get("anonymous") else "contact" if given.get("contact") else ""
    settings = given.get("settings") or {}
    typed |= {name: str(settings.get(name) or "") for name in SETTINGS}
    typed |= {name: str((given.get("seen") or {}).get(name) or "") for name in SEEN}
    typed |= {name: str((given.get("plans") or {}).get(name) or "") for name in PLANS}
    typed |= {f"{ASKED}{name}": str(said) for name, said in (given.get("answers") or {}).items()}
    typed["co_reporters"] = ", ".join(given.get("co_reporters") or ())
    typed["submission"] = str(given.get("submission_id") or uuid.uuid4())
    more = {name: given.get(name) or "" for name in MORE}
    return {"typed": typed, "more": {**more, "settings": {k: v for k, v in settings.items() if k not in SETTINGS}}}


def said(answers: Mapping[str, Any]) -> dict[str, Any]:
    """What a draft keeps, by the names of a report; what was not answered is empty or None."""
    typed, more = answers.get("typed") or {}, answers.get("more") or {}

    def words(names: Any) -> dict[str, str]:
        return {name: str(typed[name]) for name in names if str(typed.get(name) or "").strip()}

    counted = typed.get("counted") != "not_counted"
    asked = {name.removeprefix(ASKED): str(value) for name, value in typed.items() if name.startswith(ASKED) and value}
    return {
        **{name: str(typed.get(name) or "") for name in SAME},
        "target": _id(typed.get("target")),
        **{name: bool(typed.get(name)) for name in TICKS},
        "claim_k": _number(typed.get("claim_k")) if counted else None,
        "claim_n": _number(typed.get("claim_n")) if counted else None,
        "not_counted": not counted,
        "anonymous": typed.get("identity") == "anonymous",
        "settings": {**words(SETTINGS), **(more.get("settings") or {})},
        "seen": words(SEEN),
        "plans": words(PLANS),
        "answers": asked,
        "co_reporters": [name.strip() for name in str(typed.get("co_reporters") or "").split(",") if name.strip()],
        **{name: str(more.get(name) or "") for name in MORE},
        "submission_id": _id(typed.get("submission")),
    }


def _counted(given: Mapping[str, Any]) -> str:
    if given.get("not_counted"):
        return "not_counted"
    return "counted" if given.get("claim_k") is not None or given.get("claim_n") is not None else ""


def _id(typed: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(typed or ""))
    except ValueError:
        return None


def _number(typed: Any) -> int | None:
    digits = str(typed or "").strip()
    return int(digits) if digits.isdecimal() and len(digits) < 10 else None
