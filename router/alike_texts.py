"""Which texts may be answered by what was prepared and planned for others that differ in aliases, literals and layout only.

`loaded_graph` asks for every text that it does not know. See decision 0247.
"""

from __future__ import annotations

import sys

from router.bounded_cache import BoundedCache
from router.operation.text_form import TextForm, form_of

#: More is prepared anyway in another process, where nobody waits for it.
MAX_CHARACTERS = 16_000
MAX_REMEMBERED = 4_000
MAX_REMEMBERED_BYTES = 8 * 1024 * 1024

_Key = tuple[str, str | None]  # text, operation name


def _remembered() -> BoundedCache[_Key, bool]:
    return BoundedCache(MAX_REMEMBERED, max_bytes=MAX_REMEMBERED_BYTES, weigh=lambda key, _: sys.getsizeof(key[0]))


class AlikeTexts:
    """A form is shared from its second text on, so that a text that is alone is prepared once; and serves a text once, so
    that one that comes again gets a plan of its own, with all that is compiled for those.
    """

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._forms = _remembered()
        self._served = _remembered()
        self._with_literals = _remembered()

    def form_of(self, text: str, operation_name: str | None) -> TextForm | None:
        """None where the text shares with no other."""
        if len(text) > MAX_CHARACTERS:
            return None
        form = form_of(text, self._max_tokens)
        if form is None or not form.literals or (form.text, operation_name) not in self._with_literals:
            return form
        return form_of(text, self._max_tokens, with_literals=True)

    def keep_literals(self, form: TextForm, operation_name: str | None) -> None:
        """Texts of this form share only with those that have the same literals."""
        self._with_literals.put((form.text, operation_name), True)

    def note(self, form: TextForm, operation_name: str | None) -> None:
        """A text of this form was prepared."""
        self._forms.put((form.text, operation_name), True)

    def serves(self, form: TextForm, text: str, operation_name: str | None, *, is_prepared: bool) -> bool:
        """Whether the form, which may be prepared already, is to serve this text. It will not, the next time."""
        is_known = is_prepared or self._forms.get((form.text, operation_name)) is not None
        if not is_known or (text, operation_name) in self._served:
            return False
        if form.names:
            self._served.put((text, operation_name), True)
        return True
