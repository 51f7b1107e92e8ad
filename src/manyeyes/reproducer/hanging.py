"""Whether the fields of a reproducer hang together: what one names, another must hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from manyeyes.reproducer.conversation import Message, Where, at, check_conversation, check_names
from manyeyes.reproducer.fields import Fields
from manyeyes.reproducer.placing import PLACEHOLDER, documents_in, message_texts, texts
from manyeyes.reproducer.settings import MAX_SETTINGS, Grid, combinations

MAX_PLACED = 4_000_000
"""Characters that all places together may come to, once the longest wording and the documents stand in them."""


def hangs_together(found: Fields) -> None:
    """Raises the first thing that does not fit, as an error that names the field and the mend."""
    _conversations(found)
    _wordings(found)
    _documents(found)
    _placed(found)
    _tools(found)
    _ways(found)
    _settings(found)
    _seen(found)


def _all(found: Fields) -> Iterator[tuple[tuple[str, ...], Sequence[Message]]]:
    yield ("conversation",), found.conversation
    if found.control is not None:
        yield ("control",), found.control
    if found.benign is not None:
        yield ("benign", "conversation"), found.benign.conversation


def _conversations(found: Fields) -> None:
    human = found.turns == "human"
    if not found.conversation and not human:
        raise at("conversation", "is required, unless turns is 'human' and a procedure says what to do")
    if found.conversation and not any(message.role == "user" for message in found.conversation):
        raise at("conversation", "must have a message with role user")
    if human and not (found.procedure or "").strip():
        raise at("procedure", "is required, since turns is 'human': say what a person does, step by step")
    names = [tool.name for tool in found.tools]
    for where, messages in _all(found):
        check_conversation(where, messages, turns=found.turns)
        check_names(where, messages, tools=names, attachments=found.attachments)
    if found.turns == "fixed" and not any(message.role == "assistant" for message in found.conversation):
        said = "needs a message with role assistant where each live answer goes; for one answer use 'frozen'"
        raise at("turns", said)


def exploit_texts(found: Fields) -> Iterator[str]:
    """Every text of the exploit in which the wording may stand, documents left out."""
    yield from message_texts(found.conversation)
    yield from (result.content for result in found.tool_results)
    if found.environment is not None:
        yield from texts(found.environment.plant)
    if found.procedure is not None:
        yield found.procedure


def _wordings(found: Fields) -> None:
    placed = [*exploit_texts(found), *(document.content for document in found.documents)]
    used = any(PLACEHOLDER in text for text in placed)
    if found.wordings and not used:
        more = ", a document, a tool result or what is planted" if _wider(found) else ""
        raise at("conversation", f"must say {PLACEHOLDER} in one message{more}, since there are wordings")
    if used and not found.wordings:
        who = "conversation" if any(PLACEHOLDER in text for text in message_texts(found.conversation)) else "file"
        raise at("wordings", f"must list at least one, since the {who} says {PLACEHOLDER}")
    _unique("wordings", [wording.id for wording in found.wordings])
    for place, wording in enumerate(found.wordings):
        if wording.turns and user_says(found) is None:
            raise at(("wordings", place, "turns"), f"need {PLACEHOLDER} in one message of the user, and nowhere else")


def user_says(found: Fields) -> int | None:
    """The message of the user that is, or alone holds, the wording; None where it stands anywhere else too."""
    if found.turns == "human":
        return None
    users = [place for place, one in enumerate(found.conversation) if one.role == "user" and one.content]
    if not found.wordings:
        return users[-1] if users else None
    holding = [
        text for text in (*exploit_texts(found), *(one.content for one in found.documents)) if PLACEHOLDER in text
    ]
    saying = [place for place in users if PLACEHOLDER in found.conversation[place].content]
    return saying[0] if len(holding) == len(saying) == 1 else None


def _wider(found: Fields) -> bool:
    return bool(found.documents or found.tool_results or found.environment)


def _documents(found: Fields) -> None:
    _unique("documents", [document.id for document in found.documents])
    known = {document.id: document for document in found.documents}
    used: set[str] = set()
    for where, text in _placing_texts(found):
        for name in documents_in(text):
            if name not in known:
                raise at(where, f"places the document {name!r}, which documents does not hold")
            if where[0] in ("control", "benign") and PLACEHOLDER in known[name].content:
                said = f"places the document {name!r}, which holds {PLACEHOLDER}; give it a harmless document"
                raise at(where, said)
            used.add(name)
    for place, document in enumerate(found.documents):
        if documents_in(document.content):
            raise at(("documents", place, "content"), "must not place another document; write its text out")
        if document.id not in used:
            said = f"is never placed: say {{{{document:{document.id}}}}} in a message, a tool result or a plant"
            raise at(("documents", place, "id"), said)


def _placed(found: Fields) -> None:
    """A short file that says a long text very often would be as large as it likes."""
    longest = max((len(wording.text) for wording in found.wordings), default=0)

    def grown(text: str) -> int:
        return len(text) + text.count(PLACEHOLDER) * longest

    sizes = {document.id: grown(document.content) for document in found.documents}
    total = 0
    for where, text in _placing_texts(found):
        total += grown(text) + sum(sizes.get(name, 0) for name in documents_in(text))
        if total > MAX_PLACED:
            said = f"comes to more than {MAX_PLACED:,} characters once wordings and documents are in their places"
            raise at(where, f"{said}; place them less often")


def _placing_texts(found: Fields) -> Iterator[tuple[Where, str]]:
    for where, messages in _all(found):
        for place, message in enumerate(messages):
            here: Where = (*where, place)
            yield from ((here, text) for text in message_texts([message]))
    for number, result in enumerate(found.tool_results):
        yield ("tool_results", number, "content"), result.content
    for number, result in enumerate((found.benign and found.benign.tool_results) or ()):
        yield ("benign", "tool_results", number, "content"), result.content
    if found.environment is not None:
        plant: Where = ("environment", "plant")
        yield from ((plant, text) for text in texts(found.environment.plant))
    if found.procedure is not None:
        yield ("procedure",), found.procedure


def _tools(found: Fields) -> None:
    _unique("tools", [tool.name for tool in found.tools])
    known = {tool.name for tool in found.tools}
    harmless = (found.benign and found.benign.tool_results) or ()
    for where, results in ((("tool_results",), found.tool_results), (("benign", "tool_results"), harmless)):
        for number, result in enumerate(results):
            if result.tool not in known:
                said = f"{result.tool!r} is not among the tools: {', '.join(sorted(known)) or 'there are none'}"
                raise at((*where, number, "tool"), said)


def _ways(found: Fields) -> None:
    """That the ways to carry out a trial do not contradict one another."""
    if found.environment is None:
        return
    if found.turns != "frozen":
        raise at("turns", f"must be 'frozen' with an environment, which plays the trial itself, not {found.turns!r}")
    if found.tools:
        raise at("tools", "must not stand beside an environment, which brings tools of its own")


def _settings(found: Fields) -> None:
    if isinstance(found.settings, Grid) and (product := combinations(found.settings)) > MAX_SETTINGS:
        raise at("settings", f"make {product} combinations; at most {MAX_SETTINGS} are allowed")
    listed = found.settings.settings() if isinstance(found.settings, Grid) else found.settings
    _unique("settings", [setting.id for setting in listed])
    for setting in (*listed, *([found.rated] if found.rated else [])):
        if setting.system and setting.system not in found.systems:
            raise at("systems", f"must hold the system prompt {setting.system!r} that the settings name")
    if found.seeds == "fixed" and found.seed is None:
        raise at("seed", "is required, since seeds is 'fixed'")


def _unique(field: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise at(field, f"have the same id twice: {', '.join(twice)}")


def _seen(found: Fields) -> None:
    """A side channel that nobody watches would leave every answer in doubt."""
    if found.environment is not None or found.turns == "human":
        return
    rules = [found.success, *([found.benign.useful] if found.benign is not None else [])]
    for channel in (node.side_channel for rule in rules for node in rule.below()):
        if channel is not None:
            name = channel if isinstance(channel, str) else channel.channel
            raise at("environment", f"is required, since a rule looks at the side channel {name!r}; it must watch that")
