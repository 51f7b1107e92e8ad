"""Every other wording of a verification: our own families, those of PyRIT, and what a model made beforehand."""

from __future__ import annotations

from manyeyes.plugins.pyrit_converters import converted, is_pyrit
from manyeyes.reproducer.model import Reproducer, Wording
from manyeyes.reproducer.variants import variants
from manyeyes.runs.options import Options


def other_wordings(reproducer: Reproducer, options: Options) -> tuple[Wording, ...]:
    """The wordings beside those that were reported, each text once. ValueError for a family that cannot be used."""
    if not reproducer.can_vary:
        return ()
    reported = reproducer.wording_list()
    text, per_family, seed = reported[0].text, options.per_family, options.seed
    foreign = [family for family in options.families if is_pyrit(family)]
    own = [family for family in options.families if family not in foreign]
    made = (
        *variants(text, families=own, per_family=per_family, seed=seed),
        *(converted(text, foreign, per_family=per_family, seed=seed) if foreign else ()),
        *(() if options.paraphrased is None else options.paraphrased.wordings),
    )
    found: list[Wording] = []
    seen = {(one.text.strip(), *one.turns) for one in reported}
    ids = {one.id for one in reported}
    for one in made:
        whole = (one.text.strip(), *one.turns)
        if (not one.turns or reproducer.takes_turns) and whole not in seen and one.id not in ids:
            seen.add(whole)
            ids.add(one.id)
            found.append(one)
    return tuple(found)
