"""Every word that the pages say, in the language of whoever looks at them.

`i18n.SEARCH` and `i18n.n_images(3)` are looked up when they are asked for, in
`locales/english.py` or `locales/german.py`, which hold the same names. So a page asks for a text
while it is being made, and never while its module is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bilderatlas.web import request_context
from bilderatlas.web.locales import english, german

if TYPE_CHECKING:  # the names and types, for the checker: every language has those of English
    from bilderatlas.web.locales.english import *  # noqa: F403

LANGUAGES = {"en": english, "de": german}
NAMES_OF_LANGUAGES = {"en": "English", "de": "Deutsch"}


def __getattr__(name: str) -> Any:
    return getattr(LANGUAGES[request_context.current().language], name)
