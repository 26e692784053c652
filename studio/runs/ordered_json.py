"""JSON that comes back exactly as it was written."""

from __future__ import annotations

import json
from typing import Any

from django.db import models


class OrderedJSON(models.TextField[Any, Any]):
    """JSON as text, for what a program said: it goes into prompts again.

    Postgres' own type sorts keys and refuses the character zero, so that a prompt which is made of
    a stored answer would differ from the one that was made at first. Queries cannot look inside.
    """

    # What the type checker's plugin reads: any JSON goes in and comes out.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        """The value; see `Field.from_db_value`."""
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        """The value as it is: it is never read from a form."""
        return value

    def get_prep_value(self, value: Any) -> str | None:
        """ASCII that every database takes; see `Field.get_prep_value`."""
        return None if value is None else json.dumps(value)
