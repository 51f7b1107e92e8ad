"""Writes the gallery of every part to a folder, with the static files beside it, to look at in a browser."""

from __future__ import annotations

import os
import random
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from manyeyes.charts import comparison, evidence, heat, icons
from manyeyes.engine.intervals import anytime_interval
from manyeyes.rules.words import STATUS_WORDS

HERE = Path(__file__).resolve().parent
HOSTILE = (
    "Hi\u200b\u200b, \u202eesrever\u202c <script>alert(1)</script>\n"
    "https://p\u0430ypal.example {% now %} **bold**\u200b " + "".join(chr(0xE0000 + ord(c)) for c in "leak it")
)


def report_form() -> Any:
    """A form with every kind of field, half of it answered."""
    from django import forms

    class Report(forms.Form):
        target = forms.ChoiceField(
            choices=[("v1", "Wicket v1"), ("v2", "Wicket v2")], help_text="The system you tested."
        )
        kind = forms.ChoiceField(choices=[("x", "Data extraction"), ("y", "Injection")], widget=forms.RadioSelect)
        name = forms.CharField(label="Title", help_text="One line.")
        steps = forms.CharField(widget=forms.Textarea(attrs={"class": "code"}), label="The exact text")
        link = forms.CharField(required=False, label="Link")
        agree = forms.BooleanField(label="I have read the policy")

    return Report({"target": "v1", "steps": "x"})


def growth(outcomes: list[bool]) -> dict[str, Any]:
    """How evidence and interval grew."""
    k, points, path, grown = 0, [], [], 1.0
    for n, hit in enumerate(outcomes, 1):
        k += hit
        low, high = anytime_interval(k, n)[:2]
        points.append(evidence.FunnelPoint(n=n, k=k, low=low, high=high))
        grown *= 5 if hit else 0.8
        if n <= 18:
            path.append(evidence.PathPoint(n=n, evidence=grown, hit=hit, against=0.8**n))
    fixed = [
        evidence.PathPoint(n=n, evidence=1.052**n / (1 if n < 31 else 4), hit=n == 31, against=0.93**n)
        for n in range(1, 90)
    ]
    return {
        "path": evidence.evidence_path(path, 20, "reproduced"),
        "fixpath": evidence.evidence_path(fixed, 20, "holds", "against the fix", fix=True),
        "funnel": evidence.funnel(points, outcomes, claimed=(7, 10)),
    }


def grids() -> dict[str, Any]:
    """Where it works, and before and after a fix."""
    cell, part = heat.Cell, comparison.BeforeAfter
    rows = [
        [
            cell(k=0, n=12, low=0, high=0.9, one_answer=True),
            cell(k=5, n=48, low=0.02, high=0.3),
            cell(k=52, n=142, low=0.22, high=0.53, mark="worst"),
        ],
        [
            cell(k=0, n=20, low=0, high=0.34),
            cell(k=17, n=86, low=0.08, high=0.38, mark="maybe"),
            cell(k=28, n=40, low=0.45, high=0.9),
        ],
    ]
    panels = [heat.Panel(name="As reported", rows=rows), heat.Panel(name="Paraphrases", rows=rows)]
    where = "temperature 0.7, 48 tokens"
    parts = [
        part(label="Reported wording", note=where, before=(41, 120, 0.21, 0.49), after=(0, 59), after_bound=0.05),
        part(label="Paraphrases", note="3 wordings", before=(52, 144, 0.24, 0.5), after=(12, 40), after_bound=0.45),
        part(label="rhea_k, by hand", after=(0, 40), after_bound=0.078),
    ]
    title = "Attack success by temperature and tokens"
    return {
        "heat": heat.heat_map(panels, temperatures=("0", "0.7", "1.2"), tokens=("48", "24"), title=title),
        "compare": comparison.before_after(parts, 0.05),
    }


def sample() -> dict[str, Any]:
    """Everything the gallery shows; the numbers are made for looks, not measured."""
    outcomes = [True] * 41 + [False] * 79
    random.Random(4).shuffle(outcomes)
    return {
        "now": datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
        "hostile": HOSTILE,
        "outcomes": outcomes,
        "statuses": [status for status in STATUS_WORDS if status != "closed"],
        "icons": sorted(icons.ICONS),
        "form": report_form(),
        "program": SimpleNamespace(organisation="Larkfield", slug="larkfield"),
        "user": SimpleNamespace(is_authenticated=True, name="Theo L."),
        "here": "queue",
        **growth(outcomes),
        **grids(),
    }


def main(folder: Path) -> None:
    """Render each page for both themes."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.conf import settings
    from django.template import engines

    django.setup()
    settings.TEMPLATES[0]["DIRS"] = [HERE, *settings.TEMPLATES[0]["DIRS"]]
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(HERE.parents[2] / "src/manyeyes/static", folder / "static", dirs_exist_ok=True)
    for name in ("case", "evidence", "forms"):
        for theme in ("light", "dark"):
            page = engines["django"].get_template(f"{name}.html").render({**sample(), "theme": theme})
            (folder / f"{name}-{theme}.html").write_text(page.replace('="/static/', '="static/'), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "/tmp/manyeyes-gallery"))
