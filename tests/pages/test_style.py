"""The look keeps its promises: contrast of every token pair, nothing inline, tags that escape, text large enough."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from django import forms
from django.template import engines
from django.test import RequestFactory

PACKAGE = Path(__file__).resolve().parents[2] / "src/manyeyes"
SHEET = (PACKAGE / "static/css/manyeyes.css").read_text(encoding="utf-8")
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))
TEXT, SHAPE = 4.5, 3.0


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


NIGHTS = [part.split("\n}")[0] for part in SHEET.split("color-scheme: dark;")[1:]]
LIGHT = tokens(SHEET.split("color-scheme: light;")[1].split("\n}")[0])
THEMES = {"light": LIGHT, "dark": {**LIGHT, **tokens(NIGHTS[0])}}

PAIRS = [
    (f, b, TEXT)
    for f in ("ink", "ink-2", "ink-3", "accent", "ok", "warn", "bad")
    for b in ("paper", "surface", "sunken")
]
PAIRS += [(f, "accent-soft", TEXT) for f in ("ink", "ink-2", "ink-3", "accent")]
PAIRS += [("accent-deep", "paper", TEXT), ("on-accent", "accent", TEXT), ("on-accent", "accent-deep", TEXT)]
PAIRS += [("on-bar", "bar", TEXT), ("on-bar-2", "bar", TEXT), ("bar-mark", "bar", SHAPE), ("a4", "bar", SHAPE)]
PAIRS += [
    ("note-ink", "note", TEXT),
    ("ink", "note", TEXT),
    ("note-edge", "note", SHAPE),
    ("note-edge", "paper", SHAPE),
]
PAIRS += [("edge", b, SHAPE) for b in ("paper", "surface", "sunken")]
PAIRS += [("ink", soft, TEXT) for soft in ("warn-soft", "ok-soft", "bad-soft")] + [
    ("ok", "ok-soft", TEXT),
    ("bad", "bad-soft", TEXT),
]
HUES = ("violet", "blue", "orange", "magenta", "teal", "yellow", "green", "brown", "grey", "red")
PAIRS += [(hue, f"{hue}-soft", TEXT) for hue in HUES]
PAIRS += [("a-ink", f"a{step}", TEXT) for step in range(5)] + [("a-ink-hi", f"a{step}", TEXT) for step in (5, 6)]
PAIRS += [(f, b, SHAPE) for f in ("before", "after", "a5") for b in ("paper", "surface")] + [("a-ink", "a2", TEXT)]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast(theme: str, front: str, back: str, least: float) -> None:
    found = contrast(THEMES[theme][front], THEMES[theme][back])
    assert found >= least, f"{front} on {back} is {found:.2f}"


def test_the_chosen_night_is_the_night_of_the_system() -> None:
    assert len(NIGHTS) == 2
    assert tokens(NIGHTS[0]) == tokens(NIGHTS[1])


@pytest.mark.parametrize("theme", THEMES)
def test_the_success_ramp_moves_one_way(theme: str) -> None:
    steps = [luminance(THEMES[theme][f"a{i}"]) for i in range(7)]
    assert steps == sorted(steps, reverse=theme == "light")


def test_every_colour_used_is_a_token() -> None:
    used = set(re.findall(r"var\(--([\w-]+)", SHEET)) - {"gap", "sans", "serif", "mono", "hatch", "r", "r-panel"}
    assert used <= set(LIGHT), used - set(LIGHT)


def test_no_text_is_smaller_than_the_scale_allows() -> None:
    assert min(float(size) for size in re.findall(r"font-size: \.?(\d*\.?\d+)px", SHEET)) >= 11.5
    assert min(float("0." + size) for size in re.findall(r"font(?:-size)?:[^;}]*?[ :]\.(\d+)rem", SHEET)) >= 0.75


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(PACKAGE / "templates")))
def test_templates_compile_and_carry_nothing_inline(path: Path) -> None:
    name = str(path.relative_to(PACKAGE / "templates"))
    engines["django"].get_template(name)
    source = path.read_text(encoding="utf-8")
    assert not re.search(r'\sstyle="|<style|\son\w+="|javascript:', source)
    assert "|safe" not in source
    assert "autoescape off" not in source
    for tag in re.findall(r"<script\b[^>]*>", source):
        assert " src=" in tag or 'type="application/json"' in tag


def test_vendored_code_is_what_it_says() -> None:
    folder = PACKAGE / "static/vendor/htmx"
    said = dict(line.split(": ", 1) for line in (folder / "VENDOR.txt").read_text(encoding="utf-8").splitlines())
    code = (folder / f"htmx-{said['version']}.min.js").read_bytes()
    assert hashlib.sha256(code).hexdigest() == said["sha256"]
    assert (folder / "LICENSE").is_file()
    assert (PACKAGE / "static/fonts/OFL-1.1.txt").is_file()


def render(source: str, **context: object) -> str:
    return (
        engines["django"].from_string("{% load manyeyes %}" + source).render(context, RequestFactory().get("/?q=a b"))
    )


def test_a_payload_is_inert_and_counted() -> None:
    shown = render('{% payload text lid="Steps" %}', text="<b>x</b>\u200b https://a.example <script>1</script>")
    assert "<script" not in shown
    assert "<b>x" not in shown
    assert "<a " not in shown
    assert "1 invisible character<" in shown
    assert "\\u{200B}" in shown
    assert "\u200b" not in shown
    assert "<details" in render('{% payload text lid="a" folded=True %}', text="x")


def test_a_field_is_wired_to_its_help_and_error() -> None:
    class Form(forms.Form):
        name = forms.CharField(help_text="One line.")
        kind = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)
        secret = forms.CharField(widget=forms.HiddenInput, required=False)

    shown = render(
        "{% problems form %}{% field form.name %}{% field form.kind %}{% field form.secret %}", form=Form({})
    )
    assert 'aria-describedby="id_name_help id_name_error"' in shown
    assert 'aria-invalid="true"' in shown
    assert 'href="#id_name"' in shown
    assert "There is a problem" in shown
    assert shown.count("Name: an answer is missing") == 2
    assert "<fieldset" in shown
    assert shown.count("<label") == 2


def test_svg_shows_drawings_only() -> None:
    with pytest.raises(ValueError, match="drawings"):
        render("{{ text|svg }}", text="<img src=x>")


def test_every_status_has_a_chip_with_its_word() -> None:
    from manyeyes.rules.lifecycle import Status
    from manyeyes.rules.words import STATUS_WORDS, status_chip

    for status in Status:
        assert STATUS_WORDS[status] in render("{% status_chip s %}", s=status)
        assert f".chip.{status_chip(status).tone}" in SHEET or status_chip(status).tone == "closed"


def test_what_is_laid_out_has_a_start_and_an_end() -> None:
    """A left or a right in the sheet would stay where it is when a page is read from right to left."""
    sided = re.compile(
        r"(?:margin|padding|border)-(?:left|right)|(?:text-align|float): (?:left|right)|[ {;](?:left|right):"
    )
    assert sided.findall(SHEET) == []
