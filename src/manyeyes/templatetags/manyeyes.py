"""The tags of every page: icons, chips, times, rates, charts, fields and the inert block for hostile text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms, template
from django.core.paginator import Page
from django.forms import BoundField
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from manyeyes.accounts import oidc
from manyeyes.charts import bars, icons
from manyeyes.charts.inert import counted, escaped, segments
from manyeyes.charts.table import SameTable
from manyeyes.rules import clock, cvss4, words
from manyeyes.rules.promises import counted_words
from manyeyes.rules.readings import TOLD, Reading
from manyeyes.rules.saying import Saying, written

register = template.Library()


def _trusted(svg: str) -> SafeString:
    """Mark what `charts` drew: it escapes every word it is given."""
    return mark_safe(svg)  # noqa: S308


@register.simple_tag
def icon(name: str, label: str = "", size: int = 16) -> SafeString:
    """`{% icon "lock" %}`, or with a label where no word stands beside it."""
    return _trusted(icons.icon(name, label=label, size=size))


@register.simple_tag
def mark(size: int = 22) -> SafeString:
    """The mark: nine rings, the middle one filled."""
    return _trusted(icons.mark(size=size))


@register.simple_tag
def kbd(keys: str) -> SafeString:
    """A key hint: `{% kbd "Ctrl ↵" %}`; hidden from screen readers, which read the button's own words."""
    return format_html('<kbd aria-hidden="true">{}</kbd>', keys)


def _chip(chip: words.Chip) -> SafeString:
    return format_html('<span class="chip {}">{}{}</span>', chip.tone, icon(chip.glyph, size=14), chip.word)


@register.simple_tag
def status_chip(status: str, reason: str = "") -> SafeString:
    """`{% status_chip case.status case.close_reason %}`: glyph and word."""
    return _chip(words.status_chip(status, reason or ""))


@register.simple_tag
def fact_chip(name: str) -> SafeString:
    """A chip made from a dated fact: acknowledged, mitigated, embargoed, published, recognised, exploited."""
    return _chip(words.FACT_CHIPS[name])


@register.simple_tag
def when(moment: datetime | None, short: bool = False) -> SafeString | str:
    """`{% when case.created_at %}`: weekday, date, hour and zone; short leaves out the year."""
    if moment is None:
        return ""
    said, own = words.time_words(moment), _own_time(moment)
    if short:
        day, _, hour = said.partition(", ")
        day = day.rsplit(" ", 1)[0]
        return format_html('<time datetime="{}">{} <br>{}{}</time>', moment.isoformat(), day, hour, own)
    return format_html('<time datetime="{}">{}{}</time>', moment.isoformat(), said, own)


def _own_time(moment: datetime) -> SafeString | str:
    """A second line with the reader's own time, where they chose a zone."""
    zone = timezone.get_current_timezone()
    try:
        local = moment.astimezone(zone)
    except OverflowError:  # the first or last day of the calendar, which other zones may be past
        return ""
    if local.utcoffset() == timedelta() and timezone.get_current_timezone_name() == "UTC":
        return ""
    return format_html(
        '<span class="own-time">{}</span>', f"{local:%a} {local.day} {local:%b}, {local:%H:%M} {local.tzname()}"
    )


@register.simple_tag
def provider_is_on() -> bool:
    """`{% provider_is_on as on %}`: whether the team may sign in through its organisation's provider."""
    return oidc.is_on()


@register.filter
def duration(length: timedelta | None) -> str:
    """`{{ clock.left|duration }}`: 22 h, from 48 h on 2 d 1 h."""
    return "" if length is None else words.duration_words(length)


@register.filter
def left(promise: Any) -> str:
    """`{{ clock|left }}`: 22 h left, or 2 h late; of a clock that has ended, how late that was."""
    return words.time_left(promise.due, promise.done_at or promise.stopped_at or clock.now())


@register.filter
def counting(promises: Any) -> str:
    """`{{ clocks|counting }}`: how the hours of these clocks count, for the head of their panel."""
    if any(one.calendar is not None for one in promises):
        return gettext("times in UTC; some count working days")
    return gettext("calendar hours, weekends included, UTC")


@register.filter
def counted_in(promise: Any) -> str:
    """`{{ clock|counted_in }}`: which days a clock counts, where it does not count every hour."""
    return "" if promise.calendar is None else counted_words(promise.calendar)


@register.filter
def percent(rate: float | None) -> str:
    """`{{ row.asr|percent }}`: 34 %, with a thin space."""
    return "–" if rate is None else words.percent(rate)


@register.simple_tag
def rate(
    k: int, n: int, low: float, high: float, claimed: float | None = None, width: int = 120, scale: bool = False
) -> SafeString:
    """`{% rate k n low high claimed=0.7 %}`: the bar of a rate with its interval."""
    return _trusted(bars.rate_bar(k, n, low, high, claimed, width=width, scale=scale))


@register.simple_tag
def severity(score: float | None, band: str, kind: str = "Sec") -> SafeString:
    """`{% severity 7.9 "High" "Sec" %}`: rising bars, kind, score and band; an open score shows its word only."""
    shown = "" if score is None else f"{score:.1f} "
    return format_html('<span class="sev">{}{} {}{}</span>', _trusted(bars.severity_bars(band)), kind, shown, band)


@register.filter
def cvss_score(vector: str) -> str:
    """`{{ rating.cvss|cvss_score }}`: 8.7 High (CVSS-B)."""
    found = cvss4.read(vector)
    return f"{found.score} {found.severity} ({found.nomenclature})"


@register.simple_tag
def clock_bar(fraction: float, late: bool = False, done: bool = False, paused: bool = False) -> SafeString:
    """`{% clock_bar clock.fraction late=clock.late %}`: how much of a promise is used up."""
    state = (
        "paused"
        if paused
        else "met"
        if done and not late
        else "late"
        if late
        else "soon"
        if fraction >= 0.75
        else "run"
    )
    return format_html('<span class="track">{}</span>', _trusted(bars.clock_bar(fraction, state=state)))


@register.simple_tag
def strip(outcomes: list[bool | None], width: int = 360) -> SafeString:
    """`{% strip outcomes %}`: one tick a trial in order."""
    return _trusted(bars.strip(outcomes, width=width))


@register.filter
def svg(drawn: str | tuple[str, SameTable]) -> SafeString:
    """`{{ heat|svg }}`: a drawing of `manyeyes.charts`, alone or with its table."""
    found = drawn[0] if isinstance(drawn, tuple) else drawn
    if not found.startswith(("<svg ", '<div class="scroll"')):
        raise ValueError("svg shows drawings of manyeyes.charts only")
    return _trusted(found)


@register.inclusion_tag("parts/same_table.html")
def same_table(table: SameTable | tuple[str, SameTable], more: str = "") -> dict[str, Any]:
    """`{% same_table heat %}`: "The same as a table", from the table or the pair a chart function gives."""
    return {"table": table[1] if isinstance(table, tuple) else table, "more": more}


def _asked(one: str, several: str, count: int) -> str:
    return ngettext(one, several, count) if several else gettext(one) if one else ""


def _turned(text: str) -> str:
    """A sentence that was made below the pages, in the language of this one; other text as it is."""
    return written(text.pattern, _asked) if isinstance(text, Saying) else text


@register.filter
def read_as(row: Reading | Mapping[str, Any], part: str) -> str:
    """`{{ row|read_as:"value" }}`: a part of a reading, or of one that was kept, in the language of the page."""
    if not isinstance(row, Reading):
        row = Reading(**{name: row.get(name, "") for name in TOLD}, patterns=row.get("patterns", {}))
    return row.told(part, _asked)


@register.filter
def inert(text: str) -> SafeString:
    """Hostile text inside a sentence or a heading: escaped, hidden characters as boxed labels."""
    return format_html_join(
        "",
        "{}",
        (
            (
                segment.raw.replace("\r\n", "\n")
                if segment.kind == "plain"
                else format_html('<span class="box">{}</span>', _turned(segment.label)),
            )
            for segment in segments(text)
        ),
    )


@register.filter
def quoted(text: str) -> list[dict[str, Any]]:
    """`{% for piece in message.text|quoted %}`: words, and what stands between lines of ``` as code; both stay inert.

    >>> [(piece["code"], piece["text"]) for piece in quoted("Look:\\n```\\nrm -rf /\\n```\\nDone.")]
    [(False, 'Look:'), (True, 'rm -rf /'), (False, 'Done.')]
    """
    found: list[dict[str, Any]] = [{"code": False, "lines": []}]
    for line in (text or "").splitlines():
        if line.lstrip().startswith("```"):
            found.append({"code": not found[-1]["code"], "lines": []})
        else:
            found[-1]["lines"].append(line)
    if len(found) > 1 and found[-1]["code"]:  # never closed: no code, but words that hold three backquotes
        return [{"code": False, "text": text}]
    pieces = [{"code": piece["code"], "text": "\n".join(piece["lines"])} for piece in found]
    return [piece for piece in pieces if piece["text"].strip()]


@register.filter
def title(text: str) -> str:
    """A title that somebody typed: one plain line of at most 120 characters, hidden ones as escapes."""
    said = " ".join(escaped(str(text)).split())  # a default in its place is not translated yet
    return said if len(said) <= 120 else said[:119] + "…"


@register.inclusion_tag("parts/payload.html")
def payload(text: str, lid: str = "Payload", folded: bool = False) -> dict[str, Any]:
    """`{% payload report.steps lid="Steps" %}`: hostile text as an inert block under a hatched lid."""
    text = text or ""
    many = text.count("\n") + 1
    return {
        "lid": ngettext("%(lid)s, %(many)s line", "%(lid)s, %(many)s lines", many) % {"lid": lid, "many": many},
        "count": _turned(counted(text)),
        "body": inert(text),
        "escaped": escaped(text),
        "folded": folded,
    }


def _widget(bound: BoundField, described: str) -> SafeString:
    attributes: dict[str, Any] = {}
    if described:
        attributes["aria-describedby"] = described
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return bound.as_widget(attrs=attributes)


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, optional: bool = True) -> dict[str, Any]:
    """`{% field form.title %}`: label, help, error and control, wired for screen readers.

    `optional=False` leaves out the word "(optional)", where a page says once for all fields what is needed.
    """
    parts = [f"{bound.auto_id}_help"] if bound.help_text else []
    parts += [f"{bound.auto_id}_error"] if bound.errors else []
    described = " ".join(parts)
    widget = bound.field.widget
    kind = "line"
    if isinstance(widget, (forms.RadioSelect, forms.CheckboxSelectMultiple)):
        kind = "group"
    elif isinstance(widget, forms.CheckboxInput):
        kind = "tick"
    widget_html = _widget(bound, described)
    marked = optional and not bound.field.required
    return {"bound": bound, "kind": kind, "described": described, "widget": widget_html, "optional": marked}


@register.filter
def told(error: str, label: str) -> str:
    """An error that names its field: Django's "This field is required." says nothing in a summary."""
    if str(error) != gettext("This field is required."):
        return str(error)
    return gettext("%(label)s: an answer is missing") % {"label": label}


@register.inclusion_tag("parts/errors.html")
def problems(form: forms.Form) -> dict[str, Any]:
    """`{% problems form %}`: the summary headed "There is a problem", linking to each field; nothing without errors."""
    return {"form": form}


@register.inclusion_tag("parts/pager.html", takes_context=True)
def pager(context: Context, page: Page[Any]) -> dict[str, Any]:
    """`{% pager page %}`: newer and older, keeping the rest of the query."""
    query = context["request"].GET.copy() if "request" in context else None
    if query is not None:
        query.pop("page", None)
    return {"page": page, "rest": f"&{query.urlencode()}" if query else ""}


@register.inclusion_tag("parts/empty.html")
def empty(text: str, more: str = "", href: str = "", action: str = "Go on") -> dict[str, Any]:
    """`{% empty "No case needs you." more="Next clock: …" %}`: one sentence and the next step."""
    return {"text": text, "more": more, "href": href, "action": action}


@register.filter
def verdict(record: Mapping[str, Any] | None) -> SafeString:
    """`{{ replay.verdict|verdict }}`: the sentence built from the record, its first words bold."""
    if not record:
        return format_html("{}", "No verdict yet")
    said = words.verdict_sentence(record)
    head, colon, rest = said.partition(":")
    return format_html("<b>{}{}</b>{}", head, colon, rest) if colon else format_html("{}", said)


@register.filter
def groups(digits: str) -> list[str]:
    """The digits of a receipt in groups of four, to be read aloud."""
    plain = "".join(digits.split())
    return [plain[i : i + 4] for i in range(0, len(plain), 4)]
