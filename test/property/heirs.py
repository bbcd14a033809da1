"""Tables that inherit others: their columns come with them, the keys of the parent do not (R12)."""

from kinds import KINDS
from shapes import Key, Table

ROWS = [0, 3, 6, 10]


def make_heirs(generator):
    """Adds heirs, some of them with keys of their own and with tables that refer to them. Returns the keys that an heir
    would have if keys were inherited: its rows refer like its parent's rows, and nobody checks them."""
    g = generator
    ghosts = []
    if not g.chance(0.2):
        return ghosts
    parents = [t for t in g.tables if not t.partition]
    for parent in g.rng.sample(parents, min(len(parents), g.rng.randint(1, 2))):
        for _ in range(g.rng.choice([1, 1, 2])):
            heir = make_heir(g, parent, ghosts)
            if g.chance(0.25):
                make_heir(g, heir, ghosts)
    return ghosts


def make_heir(g, parent, ghosts):
    index = len(g.tables)
    heir = Table(parent.schema, g.names.pick("h%d" % index, g.taken[parent.schema]), index)
    heir.inherits = parent
    heir.column_names = set(parent.column_names)
    heir.columns = list(parent.columns)
    heir.key_names = set(parent.key_names)
    heir.generated = parent.generated
    heir.standalone = not any(t.generated for t in line(heir)) and g.chance(0.5)
    if g.chance(0.2):
        heir.dropped = 1
    if g.chance(0.4):
        g.add_column(heir, g.kind(), "x%d" % index)
    if g.chance(0.5):
        heir.primary = parent.primary
    g.tables.append(heir)
    inherited = [k for k in g.keys if k.child in line(heir)[1:] and not k.link]
    for key in inherited:
        ghost = Key(heir, key.columns, key.parent, key.target, key.converts, key.parent_leaf)
        ghost.name, ghost.action, ghost.set_columns = key.name, key.action, key.set_columns
        ghosts.append(ghost)
    if inherited and g.chance(0.3):
        key = g.rng.choice(inherited)
        if not (key.parent.unlogged or key.parent is heir):
            own = g.add_key(heir, key.parent, same_columns_as=key)
            own.name = key.name if not own.link and g.chance(0.5) and not any(k.name == key.name for k in g.keys if k.child is heir) else own.name
            g.settle_key(own)
    if g.chance(0.2):
        others = [t for t in g.tables if not t.unlogged and t is not heir]
        add(g, heir, g.rng.choice(others)) if others else None
    if g.chance(0.4):
        if not heir.primary:
            heir.primary = [g.add_column(heir, KINDS["int4"], "hid%d" % index, notnull=True)]
        children = [t for t in g.tables if not any(h.inherits is t for h in g.tables) and t.index]
        add(g, g.rng.choice(children), heir)
    return heir


def add(g, child, parent):
    key = g.add_key(child, parent)
    if key:
        g.settle_key(key)


def line(table):
    """The table and those that it inherits from."""
    found = [table]
    while found[-1].inherits:
        found.append(found[-1].inherits)
    return found
