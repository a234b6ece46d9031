"""Every word that the pages say, in the language of whoever looks at them.

`texts.SEARCH` and `texts.n_images(3)` are looked up when they are asked for, in `english.py` or
`german.py`, which hold the same names. So a page asks for a text while it is being made, and never
while its module is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bilderatlas.web import visitor
from bilderatlas.web.texts import english, german

if TYPE_CHECKING:  # the names and types, for the checker: every language has those of English
    from bilderatlas.web.texts.english import *  # noqa: F403

LANGUAGES = {"en": english, "de": german}
NAMES_OF_LANGUAGES = {"en": "English", "de": "Deutsch"}


def __getattr__(name: str) -> Any:
    return getattr(LANGUAGES[visitor.current().language], name)
