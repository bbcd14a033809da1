"""Kinds of column: the SQL type, distinct values, other spellings of an equal value, and which kinds may refer to it."""

from dataclasses import dataclass, field

WORDS = ["alma", "bela", "cira", "dora", "edda", "fina", "gusta", "hanna", "ilse", "jana", "kaja", "lena", "mona",
         "nora", "olga", "petra", "quita", "rosa", "sina", "tilda", "ulla", "vera", "wanda", "xenia", "yara", "zora"]


def word(k):
    return WORDS[k % len(WORDS)] + (str(k // len(WORDS)) if k >= len(WORDS) else "")


def mixed_case(text, rng):
    return "".join(c.upper() if rng.random() < 0.3 else c.lower() for c in text)


def same(text, rng):
    return text


@dataclass
class Kind:
    name: str
    sql: str
    value: object                       # k -> text of the k-th distinct value
    respell: object = same              # another spelling of the same value
    needs: tuple = ()                   # prelude statements by name
    children: tuple = ()                # (kind name, conversion of the parent's text)
    extra: dict = field(default_factory=dict)


PRELUDE = {
    "schema": "CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC",
    "citext": "CREATE EXTENSION IF NOT EXISTS citext",
    "ci": "CREATE COLLATION kinds.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    "ai": "CREATE COLLATION kinds.ai (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
    "mood": "CREATE TYPE kinds.\"Mood.s\" AS ENUM (" + ", ".join("'%s'" % word(k) for k in range(60)) + ")",
    "posint": "CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000)",
    "label": "CREATE DOMAIN kinds.label AS text",
    "pair": "CREATE TYPE kinds.pair AS (a int, b text)",
}


def numeric_spelling(text, rng):
    return whole(text, rng) + rng.choice(["", ".0", ".00", ".0000"])


def whole(text, rng):
    return text.split(".")[0]


def accents(text, rng):
    table = {"a": "\u00e1", "e": "\u00e9", "o": "o\u0308"}
    return "".join(table.get(c.lower(), c) if rng.random() < 0.3 else c for c in mixed_case(text, rng))


def uuid_of(k):
    return "%08x-0000-4000-8000-%012x" % (k * 2654435761 % 2 ** 32, k)


def day(k):
    return "2020-%02d-%02d" % (k // 28 % 12 + 1, k % 28 + 1)


def keep(text, rng):
    return text


def respelled(fn):
    return lambda text, rng: fn(text, rng)


def path(k):
    """Every fourth value names another file; the spellings between them name the same one."""
    return ("f/%s", "f//%s", "./f/%s", "f/./%s/")[k % 4] % word(k // 4)


INTS = (("int2", keep), ("int4", keep), ("int8", keep), ("posint", keep))
TEXTS = (("text", keep), ("varchar", keep), ("label", keep), ("text_ci", keep), ("text_c", keep), ("citext", keep))

KINDS = {k.name: k for k in [
    Kind("int2", "smallint", lambda k: str(k - 3), children=INTS),
    Kind("int4", "int", lambda k: str(k - 3), children=INTS),
    Kind("int8", "bigint", lambda k: str(k - 3), children=INTS),
    Kind("numeric", "numeric", lambda k: str(k), numeric_spelling,
         children=(("numeric", respelled(numeric_spelling)), ("int4", whole), ("int8", whole))),
    Kind("float8", "double precision", lambda k: str(k), lambda t, rng: "-0" if t == "0" and rng.random() < .5 else t,
         children=(("float8", keep), ("float4", keep))),
    Kind("float4", "real", lambda k: str(k), children=(("float8", keep), ("float4", keep))),
    Kind("posint", "kinds.posint", lambda k: str(k), needs=("schema", "posint"), children=INTS),
    Kind("text", "text", word, children=TEXTS + (("bpchar", keep), ("name", keep))),
    Kind("varchar", "varchar(60)", word, children=TEXTS),
    Kind("path", "text", path, children=TEXTS),
    Kind("label", "kinds.label", word, needs=("schema", "label"), children=TEXTS),
    Kind("text_c", 'text COLLATE pg_catalog."C"', word, children=TEXTS),
    Kind("text_ci", "text COLLATE kinds.ci", word, mixed_case, needs=("schema", "ci"),
         children=(("text_ci", respelled(mixed_case)), ("text", respelled(mixed_case)), ("varchar", respelled(mixed_case)))),
    Kind("text_ai", "text COLLATE kinds.ai", word, accents, needs=("schema", "ai"),
         children=(("text_ai", respelled(accents)), ("text", respelled(accents)))),
    Kind("citext", "citext", word, mixed_case, needs=("citext",), children=(("citext", respelled(mixed_case)),)),
    Kind("bpchar", "char(12)", word, children=(("bpchar", keep), ("bpchar_long", keep))),
    Kind("bpchar_long", "char(20)", word, children=(("bpchar", keep), ("bpchar_long", keep))),
    Kind("name", "name", word, children=(("name", keep),)),
    Kind("uuid", "uuid", uuid_of, children=(("uuid", keep),)),
    Kind("date", "date", day, children=(("date", keep), ("timestamp", keep))),
    Kind("timestamp", "timestamp", day, children=(("timestamp", keep), ("date", keep))),
    Kind("mood", 'kinds."Mood.s"', lambda k: word(k % 60), needs=("schema", "mood"), children=(("mood", keep),)),
    Kind("pair", "kinds.pair", lambda k: "(%d,%s)" % (k % 3, word(k)), needs=("schema", "pair"), children=(("pair", keep),)),
    Kind("int_array", "int[]", lambda k: "{%d,%d}" % (k % 3, k), children=(("int_array", keep),)),
    Kind("bytea", "bytea", lambda k: "\\x%04x" % k, children=(("bytea", keep),)),
    Kind("int_range", "int4range", lambda k: "[%d,%d)" % (k, k + 5), children=(("int_range", keep),)),
]}

ORDINARY = ("int4", "int8", "int4", "int8", "uuid", "text")
UNUSUAL = ("int2", "numeric", "float8", "posint", "varchar", "path", "path", "label", "text_c", "text_ci", "text_ai", "citext", "bpchar",
           "name", "date", "timestamp", "mood", "pair", "int_array", "bytea", "int_range")
ROOT = ("int4", "int8", "int4", "int8", "uuid", "text", "citext", "varchar", "text_ci", "bpchar", "numeric", "posint")
