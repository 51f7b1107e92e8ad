"""Variants made by converters of PyRIT: those that work offline and always give the same text, and only when asked.

PyRIT is an extra (`pip install "manyeyes[pyrit]"`); nothing of it is imported before the first family that names it.
It keeps a log and a cache of its own below `~/.local/share` as soon as it is imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
from collections.abc import Callable, Sequence
from typing import Any

from manyeyes.reproducer.fields import Wording
from manyeyes.reproducer.strict import MAX_TEXT

FAMILY = "pyrit"
MARK = f"{FAMILY}:"
ALLOWED = (
    "AcrosticConverter",
    "AsciiSmugglerConverter",
    "AtbashConverter",
    "Base2048Converter",
    "Base64Converter",
    "BidiConverter",
    "BinAsciiConverter",
    "BinaryConverter",
    "BrailleConverter",
    "CharacterSpaceConverter",
    "CodeAttackConverter",
    "DiacriticConverter",
    "EcojiConverter",
    "FlipConverter",
    "LeetspeakConverter",
    "MorseConverter",
    "NatoConverter",
    "ROT13Converter",
    "SneakyBitsSmugglerConverter",
    "StringJoinConverter",
    "SuperscriptConverter",
    "TaskFramingConverter",
    "UnicodeReplacementConverter",
    "UnicodeSubstitutionConverter",
    "UrlConverter",
    "VariationSelectorSmugglerConverter",
    "ZeroWidthConverter",
)
"""Converters that ask no model, draw nothing by chance and need no options. All others are refused by name."""

Load = Callable[[], Any]


class PyRITError(ValueError):
    """A converter that cannot be used here; the message says what to do."""


def is_pyrit(family: str) -> bool:
    """Whether a family is made by PyRIT: `pyrit`, or `pyrit:` with the name of a converter.

    >>> is_pyrit("pyrit:Base64Converter"), is_pyrit("encoding")
    (True, False)
    """
    return family == FAMILY or family.startswith(MARK)


def converters_of(families: Sequence[str]) -> tuple[str, ...]:
    """The converters that these families name, in order; `pyrit` alone names every one. Raises PyRITError.

    >>> converters_of(["pyrit:FlipConverter", "pyrit:Base64Converter"])
    ('FlipConverter', 'Base64Converter')
    """
    found: list[str] = []
    for family in families:
        if "+" in family:
            raise PyRITError(f"family {family!r}: converters of PyRIT are not composed; name each by itself")
        name = family.removeprefix(MARK)
        if family != FAMILY and name not in ALLOWED:
            raise PyRITError(
                f"family {family!r}: only converters that work offline and always give the same text can be used: "
                f"{', '.join(ALLOWED)}"
            )
        found += ALLOWED if family == FAMILY else [name]
    return tuple(dict.fromkeys(found))


def converted(
    text: str, families: Sequence[str], *, per_family: int = 4, seed: int = 0, load: Load | None = None
) -> tuple[Wording, ...]:
    """Wordings of `text`, one for each converter that these families name; of plain `pyrit` so many, drawn by the seed.

    One that leaves the text as it is gives none. Raises PyRITError where PyRIT is not installed, or a converter is not
    what the list takes it for.
    """
    names = list(converters_of(families))
    if FAMILY in families:
        named = [one.removeprefix(MARK) for one in families if one != FAMILY]
        rest = [name for name in names if name not in named]
        random.Random(f"{seed}/{FAMILY}").shuffle(rest)
        names = [*dict.fromkeys(named), *rest]
    most = len(names) if FAMILY not in families else per_family + len(set(families) - {FAMILY})
    if not names or most <= 0:
        return ()
    module = (load or _load)()
    found: list[Wording] = []
    seen = {text.strip(), ""}
    for name in names:
        if len(found) >= most:
            break
        said = _convert(module, name, text)
        if said.strip() not in seen and len(said) <= MAX_TEXT:
            seen.add(said.strip())
            method = name.removesuffix("Converter")
            found.append(Wording(id=f"{FAMILY}-{method}", text=said, family=FAMILY, method=name))
    return tuple(found)


def _load() -> Any:
    if importlib.util.find_spec("pyrit") is None:
        raise PyRITError('families: pyrit needs PyRIT, which is an extra: pip install "manyeyes[pyrit]"')
    try:
        return importlib.import_module("pyrit.converter")
    except ImportError as error:
        raise PyRITError(f"families: this PyRIT has no converters that we know ({error}); use pyrit>=1.1,<2") from None


def _convert(module: Any, name: str, text: str) -> str:
    """The text by a converter, twice, so that one which draws by chance is found out."""
    made = getattr(module, name, None)
    if made is None:
        raise PyRITError(f"family {MARK}{name}: this PyRIT has no such converter; use pyrit>=1.1,<2")
    first, second = (_once(made(), name, text) for _ in range(2))
    if first != second:
        raise PyRITError(f"family {MARK}{name}: this PyRIT does not always give the same text; leave it out")
    return first


def _once(converter: Any, name: str, text: str) -> str:
    """One conversion, driven by hand: a converter that waits for anything is not offline, and is stopped there."""
    work = converter.convert_async(prompt=text, input_type="text")
    try:
        work.send(None)
    except StopIteration as stop:
        if stop.value.output_type != "text":
            raise PyRITError(f"family {MARK}{name}: gives no text but {stop.value.output_type}") from None
        return str(stop.value.output_text)
    except Exception as error:
        raise PyRITError(f"family {MARK}{name}: cannot convert this text: {error}"[:300]) from None
    work.close()
    raise PyRITError(f"family {MARK}{name}: waits for something, so it is not offline; leave it out")
