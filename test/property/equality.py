"""When two column values are equal for a key: decided here from the printed values, without asking the server."""

import unicodedata
from decimal import Decimal

NUMBERS = {"int2", "int4", "int8", "numeric", "float4", "float8", "oid"}
TEXTS = {"text", "varchar", "name", "citext", "bpchar"}


def fold_collation(text, collation):
    """A nondeterministic ICU collation of level 2 ignores case, of level 1 case and accents."""
    if collation is None:
        return text
    text = unicodedata.normalize("NFD", text.casefold())
    if "level1" in collation:
        text = "".join(c for c in text if not unicodedata.combining(c))
    return text


def canonical(text, own_type, parent_type, parent_collation):
    """The comparable form of one side of a key. own_type is the side's base type; the parent's type and collation decide
    how the key compares. parent_collation is the ICU locale of a nondeterministic collation, else None."""
    if text is None:
        return None
    if parent_type in NUMBERS:
        return (Decimal(text) + 0).normalize()
    if own_type == "bpchar":
        text = text.rstrip(" ")
    if parent_type == "citext":
        return text.lower()
    if parent_type in TEXTS:
        return fold_collation(text, parent_collation)
    if parent_type in ("timestamp", "timestamptz", "date"):
        return text[:-9] if text.endswith(" 00:00:00") else text
    return text


def array_elements(text):
    """Of an array as it is printed; the elements are plain words."""
    inner = text[1:-1]
    return [None if v == "NULL" else v for v in inner.split(",")] if inner else []
