"""Tags of the policy pages: kinds of flaw by name, and what changed between two texts in words and marks."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from manyeyes.programs import marker, policy
from manyeyes.programs.models import Program
from manyeyes.rules import policy_document
from manyeyes.rules.policy_difference import IN, OUT, Piece
from manyeyes.rules.policy_document import ScopeLine
from manyeyes.templatetags.manyeyes import inert

register = template.Library()


@register.filter
def kind_names(codes: Iterable[str]) -> str:
    """`{{ line.classes_in|kind_names }}`: the kinds of flaw in words."""
    return policy_document.kind_names(tuple(codes))


@register.filter
def marked(pieces: Iterable[Piece]) -> SafeString:
    """`{{ change.pieces|marked }}`: both texts in one, with what was taken out and put in said in words and marks."""
    forms = {
        OUT: (_("taken out:"), '<del><span class="sr">[{} </span>{}<span class="sr">] </span></del>'),
        IN: (_("put in:"), '<ins><span class="sr">[{} </span>{}<span class="sr">] </span></ins>'),
    }
    shown = list(pieces)
    return format_html_join(
        "", "{}{}", ((_piece(one, forms), _gap(one, then)) for one, then in zip_longest(shown, shown[1:]))
    )


def _gap(one: Piece, then: Piece | None) -> str:
    """What keeps a passage that was taken out apart from the one that came in its place."""
    if then is None or (one.kind, then.kind) != (OUT, IN) or one.text[-1:].isspace():
        return ""
    return "\n" if len(one.text) + len(then.text) > 80 else " "


def _piece(piece: Piece, forms: dict[str, tuple[str, str]]) -> SafeString:
    text = inert(piece.text)
    if piece.kind not in forms:
        return text
    word, form = forms[piece.kind]
    said = piece.text.rstrip()  # the space after a word is neither underlined nor struck through
    return format_html("{}{}", format_html(form, word, inert(said)), piece.text[len(said) :])


@register.filter
def former_marks(program: Program) -> list[marker.Former]:
    """`{{ program|former_marks }}`: the earlier words of its testers that are still honoured."""
    return marker.former(program)


@register.filter
def marks(lines: Iterable[ScopeLine]) -> list[ScopeLine]:
    """`{{ inside|marks }}`: the lines whose testers show who they are."""
    return [line for line in lines if line.mark]


@register.filter
def reading_minutes(minutes: float) -> str:
    """`{{ measured.minutes|reading_minutes }}`: whole minutes, at least one."""
    return str(max(1, round(minutes)))


@register.inclusion_tag("parts/policy_of_case.html")
def policy_of(case: Any) -> dict[str, Any]:
    """`{% policy_of case %}`: the version that a report was sent under, and what changed since."""
    version, program = case.policy_version, case.program
    current = program.policy if version else None
    newer = current if version and current and current.pk != version.pk else None
    return {
        "slug": program.slug,
        "version": version,
        "newer": newer,
        "changes": policy.differences(version, newer) if version and newer else [],
    }


@register.filter
def yesno_or_figure(value: Any) -> str:
    """`{{ mine|yesno_or_figure }}`: a promise in figures, yes or no where it is none."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
