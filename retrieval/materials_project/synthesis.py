"""How was this formula made? Recipes of the Materials Project, from the text of papers.

Source of the records: Kononova et al., Sci. Data 6, 203 (2019), doi:10.1038/s41597-019-0224-1.
"""

from __future__ import annotations

from ...core.errors import InputError
from ..recipes import Recipe
from .cache import Query
from .client import AtServer
from .condense import condense
from .documents import reduced_formula
from .pages import gather

PAGE_SIZE = 10
"""The route gives no more at once."""


class Recipes(AtServer):
    """Implements `recipes.RecipeSource`.

    Args:
        client: The server; by default the one `MP_API_ENDPOINT` names, else the public one.
    """

    def recipes(self, formula: str) -> list[Recipe]:
        """Procedures whose target is this formula; empty if none is on record.

        Raises:
            InputError: it is no formula.
            SettingsError: there is no key, or it was refused.
            StageError: the server gave no usable answer.
        """
        target = reduced_formula(formula)
        if target is None:
            raise InputError(f"{formula[:40]!r} is not a chemical formula.")
        gathered = gather(self._client, [Query("synthesis", {"target_formula": target}, (), PAGE_SIZE)])
        source = f"Materials Project {gathered.version}, synthesis"
        return condense(gathered.documents(), target, source)
