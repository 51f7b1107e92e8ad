"""The editions of public catalogues at hand: those of the package, and those an operator read in from a file."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes.programs.yardsticks import TaxonomyEdition
from manyeyes.rules import catalogue
from manyeyes.rules.catalogue import Catalogue
from manyeyes.rules.errors import Conflict


def every() -> tuple[Catalogue, ...]:
    """All editions, by name, the newest of each first."""
    own = [catalogue.read_text(text) for text in TaxonomyEdition.objects.values_list("text", flat=True)]
    return catalogue.in_order([*catalogue.shipped(), *own])


def newest() -> Sequence[Catalogue]:
    """The newest edition of each catalogue: what is searched and offered."""
    return catalogue.newest(every())


@transaction.atomic
def load(text: str) -> Catalogue:
    """Read an edition in, once. Raises Invalid with what is wrong, Conflict where that edition reads otherwise here.

    An edition never changes, because cases name it: what is loaded again must say the same.
    """
    found = catalogue.read_text(text)
    held = {(row.catalogue, row.edition): row for row in every()}
    known = held.get((found.catalogue, found.edition))
    if known is not None and known != found:
        raise Conflict(
            _("%(words)s is here already and reads otherwise. Give the changed list an edition of its own.")
            % {"words": known.words}
        )
    if known is None:
        TaxonomyEdition.objects.create(catalogue=found.catalogue, edition=found.edition, text=text)
    return found
