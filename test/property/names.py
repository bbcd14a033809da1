"""Identifiers that break naive quoting, and the quoting itself."""

HOSTILE = ["t", "i", "c", "d", "v", "p", "m", "x", "k", "k1", "k2", "e", "n", "old", "new", "keys", "cmin_", "ctid2", "Ctid", "tableoid2",
           'we"ird', 'dot.ted', "new\nline", "tab\there", "quo'te", "back\\slash", "dollar$1", "per%s", "Mixed Case",
           "select", "user", "table", "null", "end", "\u00fcml\u00e4ut", "\u4e2d\u6587", "emoji\U0001f600", "semi;colon", "--dash",
           "/*note*/", "{brace}", "sp ace ", "a.b.c", '"', "public", "vf_d", "excluded", "1st", "E'x'", "row_count", "via"]


def ident(name):
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    if text is None:
        return "NULL"
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else "'" + quoted + "'"


def cut(name, limit=63):
    """No identifier is longer than 63 bytes."""
    while len(name.encode()) > limit:
        name = name[:-1]
    return name


class Names:
    """Hands out identifiers; within one namespace (a set) each only once."""

    def __init__(self, rng, hostility):
        self.rng = rng
        self.hostility = hostility

    def pick(self, plain, taken):
        rng = self.rng
        name = plain
        if rng.random() < self.hostility:
            name = rng.choice(HOSTILE)
            if rng.random() < 0.1:
                name = cut(name + "\u00e9" * 40)
        base, n = name, 1
        while name in taken:
            n += 1
            name = cut(base, 60) + str(n)
        taken.add(name)
        return name
