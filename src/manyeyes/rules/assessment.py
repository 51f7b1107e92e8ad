"""What each discipline says beside its word on a rating: a few questions, one answered in words, some by a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST = 2000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question of an assessment. Without `choices` it is answered in words."""

    name: str
    label: str
    question: str
    choices: tuple[tuple[str, str], ...] = ()

    def words(self, answer: str) -> str:
        """An answer as people read it."""
        return dict(self.choices).get(answer, answer)


ASSESSMENTS: dict[str, tuple[Asked, ...]] = {
    "security": (
        Asked(name="path", label="Path", question="How does it get from the attacker to the harm?"),
        Asked(
            name="privileges",
            label="Privileges",
            question="What must the attacker have first?",
            choices=(
                ("none", "nothing, or an account anybody can make"),
                ("account", "an ordinary account"),
                ("inside", "the place of an insider or operator"),
            ),
        ),
        Asked(
            name="exposure",
            label="Exposure",
            question="Who can reach it?",
            choices=(
                ("public", "anybody on the internet"),
                ("customers", "customers who are signed in"),
                ("few", "invited people, or one tenant"),
                ("inside", "our own people alone"),
            ),
        ),
        Asked(
            name="blast",
            label="Blast radius",
            question="Who is hit when it works once?",
            choices=(
                ("one", "one person"),
                ("tenant", "one tenant or team"),
                ("many", "many people"),
                ("all", "everybody, or systems beyond ours"),
            ),
        ),
    ),
    "ml": (
        Asked(name="mechanism", label="Mechanism", question="Why do you think it works? A guess is welcome."),
        Asked(
            name="property",
            label="It is a property of",
            question="What would have to change for it to stop?",
            choices=(
                ("unknown", "not known yet"),
                ("model", "the model: how it was trained"),
                ("prompt", "the system prompt"),
                ("system", "what is around it: tools, retrieval, memory, filters"),
                ("both", "model and system together"),
            ),
        ),
        Asked(
            name="transfer",
            label="Likely transfer",
            question="Where else do you expect it to work?",
            choices=(
                ("unknown", "nobody has tried"),
                ("here", "on this version alone"),
                ("family", "on other versions of the model"),
                ("vendors", "on models of other makers"),
            ),
        ),
    ),
}
"""Discipline → its questions, the one answered in words first."""


def proposed(discipline: str, letters: Mapping[str, str]) -> dict[str, str]:
    """The choices a form begins with, read off the letters of the rating; what nobody can read off is "not known".

    >>> proposed("security", {"PX": "L", "SX": "H"})
    {'privileges': 'account', 'exposure': 'customers', 'blast': 'all'}
    """
    position = letters.get("PX", "N")
    if discipline == "security":
        return {
            "privileges": {"L": "account", "H": "inside"}.get(position, "none"),
            "exposure": {"L": "customers", "H": "inside"}.get(position, "public"),
            "blast": _blast(letters),
        }
    return {"property": "unknown", "transfer": {"2": "family", "3": "vendors"}.get(letters.get("SP", ""), "unknown")}


def _blast(letters: Mapping[str, str]) -> str:
    if letters.get("SX") == "H" or letters.get("AX") == "C":
        return "all"
    if letters.get("PE") == "Y" or letters.get("IX") in ("M", "H") or letters.get("DX") == "C":
        return "many"
    return "tenant" if letters.get("SX") == "L" else "one"


def wrong(discipline: str, given: Mapping[str, str]) -> dict[str, str]:
    """What stands in the way of an assessment, by question; empty where it is complete."""
    found: dict[str, str] = {}
    for asked in ASSESSMENTS[discipline]:
        answer = str(given.get(asked.name, "")).strip()
        if asked.choices and answer not in dict(asked.choices):
            found[asked.name] = f"{asked.label}: choose one."
        elif not answer:
            found[asked.name] = f"{asked.label}: a sentence is needed. {asked.question}"
    return found
