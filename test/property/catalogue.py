"""What the reference needs to know about a schema, read from the catalogue; and the rows, as the server prints them."""

import io
from collections import defaultdict
from dataclasses import dataclass, field, replace

from equality import canonical
from names import ident

SKIPPED = "('pg_catalog', 'information_schema', 'vedfolnir', 'audit_log', 'pg_toast')"

RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relkind, coalesce(pg_catalog.pg_partition_root(c.oid)::oid, c.oid), pg_catalog.format('%I.%I', n.nspname, c.relname),
       pg_catalog.pg_get_userbyid(c.relowner)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN """ + SKIPPED + """ AND n.nspname NOT LIKE 'pg\\_%'"""

COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname, bt.typname, CASE WHEN co.collisdeterministic THEN NULL ELSE co.colliculocale END,
       (SELECT pg_catalog.format('%I.%I', x.nspname, co.collname) FROM pg_catalog.pg_namespace x WHERE x.oid = co.collnamespace),
       a.attnotnull OR t.typnotnull, a.attgenerated <> '', pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type bt ON bt.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname NOT IN """ + SKIPPED + """ AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY a.attrelid, a.attnum"""

KEYS = """
SELECT c.oid, c.conname, c.conrelid, c.confrelid, c.conkey, c.confkey, c.confdelsetcols, c.confdeltype, c.confmatchtype = 'f',
       c.convalidated, c.condeferrable, c.confupdtype
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class k ON k.oid = c.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace
WHERE c.contype = 'f' AND c.conparentid = 0 AND n.nspname NOT IN """ + SKIPPED

UNIQUES = """
SELECT i.indrelid, i.indkey::int2[], i.indnullsnotdistinct, i.indimmediate
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND n.nspname NOT IN """ + SKIPPED + """ AND n.nspname NOT LIKE 'pg\\_%'"""

PARTITION_KEYS = "SELECT partrelid, partattrs::int2[] FROM pg_catalog.pg_partitioned_table"

KEEPERS = "SELECT tgrelid, tgname FROM pg_catalog.pg_trigger WHERE tgname LIKE 'aa_keep%' AND tgparentid = 0"

HEIRS = """
SELECT i.inhparent, i.inhrelid FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE NOT c.relispartition"""

TREES = """
SELECT p.partrelid, t.relid::oid FROM pg_catalog.pg_partitioned_table p, LATERAL pg_catalog.pg_partition_tree(p.partrelid) t"""


@dataclass
class Attribute:
    name: str
    base: str
    locale: str                     # of a nondeterministic collation
    collation: str
    notnull: bool
    generated: bool
    default: str
    sql_type: str


@dataclass
class Relation:
    oid: int
    schema: str
    name: str
    kind: str
    top: int                        # the partition root, itself where there is none
    display: str                    # quoted only as needed
    owner: str
    attributes: dict = field(default_factory=dict)    # attnum -> Attribute
    tree: set = field(default_factory=set)            # itself and all its partitions
    partition_columns: list = field(default_factory=list)

    def qualified(self):
        return ident(self.schema) + "." + ident(self.name)

    def only(self):
        return self.qualified() if self.kind == "p" else "ONLY " + self.qualified()

    def named(self, name):
        return next(a for a in self.attributes.values() if a.name == name)


@dataclass
class Edge:
    name: str
    child: Relation
    parent: Relation
    columns: list                   # names in the child
    targets: list                   # names in the parent
    set_columns: list
    declared: str
    match_full: bool
    validated: bool
    deferrable: bool
    update_action: str
    listed: bool = False            # SET NULL or SET DEFAULT with a column list
    link: str = None                # the action of a declared link, None for a key
    declared_on: object = None      # the relation that has the key, where the child only inherits the columns
    array: bool = False             # the column holds an array of references
    when: list = None               # the condition of a link

    def applies(self, values):
        if self.when is None:
            return True
        value = values[self.when[1]]
        if self.when[0] == "missing":
            return value is None
        return value is not None and (self.when[0] == "given" or value != self.when[2])

    def enforced(self):
        return self.link is None and self.declared_on is None

    def order(self):
        return (self.child.schema.encode(), self.child.name.encode(), self.name.encode())


class Catalogue:
    def __init__(self, cursor):
        cursor.execute(RELATIONS)
        self.relations = {r[0]: Relation(*r) for r in cursor.fetchall()}
        cursor.execute(COLUMNS)
        for rel, num, *rest in cursor.fetchall():
            self.relations[rel].attributes[num] = Attribute(*rest)
        for relation in self.relations.values():
            relation.tree = {relation.oid}
        cursor.execute(TREES)
        for top, leaf in cursor.fetchall():
            if top in self.relations:
                self.relations[top].tree.add(leaf)
        cursor.execute(PARTITION_KEYS)
        for rel, attributes in cursor.fetchall():
            if rel in self.relations:
                relation = self.relations[rel]
                relation.partition_columns = [relation.attributes[a].name for a in attributes if a]
        cursor.execute(KEYS)
        self.edges = []
        for _, name, rel, ref, conkey, confkey, setcols, deltype, full, valid, deferrable, updtype in cursor.fetchall():
            child, parent = self.relations[rel], self.relations[ref]
            self.edges.append(Edge(name, child, parent, [child.attributes[a].name for a in conkey], [parent.attributes[a].name for a in confkey],
                                   [child.attributes[a].name for a in (setcols or conkey)], deltype, full, valid, deferrable, updtype, bool(setcols)))
        cursor.execute(HEIRS)
        self.heirs = defaultdict(list)      # direct ones
        for parent, heir in cursor.fetchall():
            if parent in self.relations and heir in self.relations:
                self.heirs[parent].append(self.relations[heir])
        self.edges += [e for key in self.edges for e in self.inherited_edges(key)]
        self.edges.sort(key=Edge.order)
        cursor.execute(UNIQUES)
        self.uniques = [(self.relations[rel], [self.relations[rel].attributes[a].name for a in attributes], not_distinct, immediate)
                        for rel, attributes, not_distinct, immediate in cursor.fetchall()]

        cursor.execute(KEEPERS)
        keepers = cursor.fetchall()
        self.delete_keepers = {oid for oid, name in keepers if name == "aa_keep_deleted"}
        self.update_keepers = {oid for oid, name in keepers if name == "aa_keep_updated"}

    def with_heirs(self, relation):
        found = [relation]
        for heir in found:
            found += [h for h in self.heirs.get(heir.oid, []) if not any(h is f for f in found)]
        return found

    def inherited_edges(self, key):
        """Heirs that have the key's columns and no key of their own on them, which their own heirs would inherit instead."""
        found = []

        def descend(relation):
            for heir in self.heirs[relation.oid]:
                own = any(e.child is heir and e.parent is key.parent and e.columns == key.columns for e in self.edges)
                if not own and heir not in found:
                    found.append(heir)
                    descend(heir)
        descend(key.child)
        return [replace(key, child=heir, validated=False, deferrable=False, declared_on=key.child) for heir in found]

    def add_links(self, links):
        by_name = {r.qualified(): r for r in self.relations.values()}
        for link in links:
            columns = link["columns"] or [link["value"]]
            self.edges.append(Edge(link["link"], by_name[link["relation"]], by_name[link["parent"]], columns, link["parent_columns"],
                                   link["columns"], "a", False, False, False, "a", False, link["action"], None, link.get("array", False), link.get("when")))
        self.edges.sort(key=Edge.order)

    def tops(self):
        return [r for r in self.relations.values() if r.top == r.oid]

    def default_value(self, cursor, relation, column):
        """The value of a column's default as the server prints it."""
        attribute = relation.named(column)
        if attribute.default is None:
            return None
        buffer = io.StringIO()
        cursor.copy_expert("COPY (SELECT CAST(%s AS %s)) TO STDOUT" % (attribute.default, attribute.sql_type), buffer)
        return copy_lines(buffer)[0][0]


ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def copy_cell(text):
    if text == "\\N":
        return None
    if "\\" not in text:
        return text
    out, i = [], 0
    while i < len(text):
        if text[i] == "\\":
            i += 1
            out.append(ESCAPES.get(text[i], text[i]))
        else:
            out.append(text[i])
        i += 1
    return "".join(out)


def copy_lines(buffer):
    return [[copy_cell(c) for c in line.split("\t")] for line in buffer.getvalue().split("\n")[:-1]]


@dataclass(eq=False)
class Row:
    leaf: int                       # the oid of the partition it lies in
    values: dict


def fetch_rows(cursor, catalogue):
    """All rows per partition root: {oid: [Row]}. COPY prints with the types' output functions, so no byte is lost."""
    state = {}
    for relation in catalogue.tops():
        names = [a.name for a in relation.attributes.values()]
        buffer = io.StringIO()
        cursor.copy_expert("COPY (SELECT %s FROM %s) TO STDOUT" % (
            ", ".join(["tableoid"] + [ident(n) for n in names]), relation.only()), buffer)
        state[relation.oid] = [Row(int(c[0]), dict(zip(names, c[1:]))) for c in copy_lines(buffer)]
    return state


def comparable(state, catalogue, with_leaf=True, loose=()):
    """The multiset of rows per relation, generated columns left out (the server checks those itself).
    loose: pairs of relation and column where equality is enough and the spelling may differ."""
    result = {}
    for relation in catalogue.tops():
        skipped = {a.name for a in relation.attributes.values() if a.generated}
        folded = {a.name: a for a in relation.attributes.values() if (relation.oid, a.name) in loose}
        rows = []
        for row in state[relation.oid]:
            cells = [(n, canonical(v, folded[n].base, folded[n].base, folded[n].locale) if n in folded else v)
                     for n, v in row.values.items() if n not in skipped]
            rows.append(repr((row.leaf if with_leaf else 0, cells)))
        result[relation.qualified()] = sorted(rows)
    return result
