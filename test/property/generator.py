"""Random schemas with data: every shape that broke a naive walker, mixed at random. One seed gives one case, always the same."""

import random

from case import Case, Item
from declarations import choose_cleanups, choose_rules
from heirs import make_heirs
from kinds import KINDS, ORDINARY, PRELUDE, ROOT, UNUSUAL
from links import declare, make_links
from names import Names, ident, literal
from shapes import Column, Key, Table, fill_rows
from policies import choose_policies

OWNERS = ["property_owner_1", "property_owner_2", 'Property "Owner"']
ACTIONS = ["CASCADE", "SET NULL", "NO ACTION", "RESTRICT", "SET DEFAULT"]


class Generator:
    def __init__(self, seed, max_tables=40):
        self.seed = seed
        self.rng = random.Random(seed)
        self.names = Names(self.rng, self.rng.choice([0, 0.2, 0.6]))
        self.max_tables = max_tables
        self.tables = []
        self.keys = []
        self.taken = {}
        self.unusual = self.rng.choice([0.1, 0.4, 0.8])
        self.linking = self.rng.random() < 0.15
        self.repeat_names = self.rng.random() < 0.2
        # Asked apart from the rest, so that other seeds give what they gave before this was there.
        self.many_keys = random.Random("many keys %d" % seed).random() < 0.2
        self.ruling, self.cleaning = self.rng.random() < 0.3, self.rng.random() < 0.35

    def chance(self, p):
        return self.rng.random() < p

    # ---- tables ----
    def table_count(self):
        n = 2 + int(self.rng.expovariate(1 / 4.5))
        return min(n if not self.chance(0.03) else self.rng.randint(20, 40), self.max_tables)

    def kind(self):
        return KINDS[self.rng.choice(UNUSUAL if self.chance(self.unusual) else ORDINARY)]

    def add_column(self, table, kind, plain, **options):
        column = Column(self.names.pick(plain, table.column_names), kind, **options)
        table.columns.append(column)
        return column

    def make_table(self, index, schemas):
        rng = self.rng
        schema = rng.choice(schemas)
        table = Table(schema, self.names.pick("t%d" % index, self.taken.setdefault(schema, set())), index)
        if self.chance(0.15):
            table.dropped = rng.randint(1, 2)
        if index == 0:
            self.make_root(table)
        else:
            self.make_identity(table)
        for n in range(rng.choice([0, 0, 1, 1, 2])):
            column = self.add_column(table, self.kind(), "x%d" % n)
            if self.chance(0.2) and column.kind.name not in ("pair",) and table.partition is None:
                column.notnull = not self.chance(0.3)
                table.uniques.append([column])
            elif self.chance(0.15) and column.kind.name not in ("pair",) and table.partition is None and table.primary:
                table.uniques.append(table.primary + [column])
        if self.many_keys and table.primary and table.partition is None:
            self.make_further_keys(table)
        if self.chance(0.15) and table.columns:
            table.generated = (self.names.pick("g", table.column_names), rng.choice(table.columns))
        self.tables.append(table)
        if index and table.partition is None:
            self.make_partitioned(table)
        return table

    def make_root(self, table):
        column = self.add_column(table, KINDS[self.rng.choice(ROOT)], "id", notnull=True)
        table.primary = [column]
        if self.chance(0.1):
            table.partition = ("hash", [column])
            table.leaves = self.hash_leaves(table)

    def make_further_keys(self, table):
        """What edges may refer to besides: the primary key within a tenant, and a key that some rows may lack."""
        if self.chance(0.7):
            tenant = self.add_column(table, KINDS["int4"], "tenant", notnull=self.chance(0.6))
            table.uniques.append([tenant] + table.primary if self.chance(0.5) else table.primary + [tenant])
        if self.chance(0.4):
            table.uniques.append([self.add_column(table, KINDS[self.rng.choice(ORDINARY)], "code", notnull=self.chance(0.3))])

    def make_identity(self, table):
        """The primary key: none, a surrogate, a composite, or made of keys to earlier tables."""
        rng = self.rng
        style = rng.choices(["none", "surrogate", "composite", "shared", "junction", "tenant"], [12, 36, 12, 10, 12, 18])[0]
        if style == "surrogate":
            table.primary = [self.add_column(table, self.kind(), "id", notnull=True)]
        elif style == "composite":
            table.primary = [self.add_column(table, self.kind(), n, notnull=True) for n in ("a", "b")]
        elif style in ("shared", "junction", "tenant"):
            columns = []
            for _ in range(2 if style == "junction" else 1):
                key = self.add_key(table, rng.choice(self.tables), identifying=True)
                columns += [c for c in key.columns if c not in columns] if key else []
            if style == "tenant":
                columns.append(self.add_column(table, KINDS["int4"], "seq", notnull=True))
            if columns:
                for column in columns:
                    column.notnull = True
                table.primary = columns

    # ---- partitions ----
    def hash_leaves(self, table):
        modulus = self.rng.randint(2, 3)
        return [(self.leaf_name(table, r), "FOR VALUES WITH (modulus %d, remainder %d)" % (modulus, r), None) for r in range(modulus)]

    def leaf_name(self, table, n):
        return self.names.pick("%s_p%d" % (table.name[:20], n), self.taken[table.schema])

    def make_partitioned(self, table):
        rng = self.rng
        if not self.chance(0.15):
            return
        candidates = [c for c in table.columns if c.kind.name not in ("pair",)]
        if table.uniques or not candidates:
            return
        method = rng.choice(["hash", "range", "list"])
        if method == "hash":
            columns = table.primary[:1] if table.primary else [rng.choice(candidates)]
            table.partition = ("hash", columns)
            table.leaves = self.hash_leaves(table)
            return
        column = next((c for c in table.primary or candidates if c.kind.name in ("int4", "int8")), None)
        if column is None:
            column = self.add_column(table, KINDS["int4"], "part", notnull=True)
            if table.primary:
                table.primary = table.primary + [column]
        table.partition = (method, [column])
        if method == "range":
            bounds = [("FROM (MINVALUE) TO (4)", lambda v: v is not None and v < 4), ("FROM (4) TO (9)", lambda v: v is not None and 4 <= v < 9)]
        else:
            bounds = [("IN (%s)" % ", ".join(map(str, range(-3, 4))), lambda v: v is not None and v < 4),
                      ("IN (4, 5, 6, 7, 8%s)" % ("" if column.notnull else ", NULL"), lambda v: v is None or 4 <= v < 9)]
        table.leaves = [(self.leaf_name(table, n), "FOR VALUES " + b, f) for n, (b, f) in enumerate(bounds)]
        first, second = bounds[0][1], bounds[1][1]
        table.leaves.append((self.leaf_name(table, 2), "DEFAULT", lambda v: not first(v) and not second(v)))
        if table.primary and len(table.primary) > 1 and table.primary[0] is not column and not table.primary[0].identifying and self.chance(0.7):
            table.leaf_unique = [table.primary[0]]

    # ---- keys ----
    def target_keys(self, parent):
        keys = [parent.primary] if parent.primary else []
        return keys + parent.uniques

    def child_kind(self, kind):
        name, convert = kind.children[0] if self.chance(0.7) else self.rng.choice(kind.children)
        for n, c in kind.children:
            if n == kind.name and name == kind.children[0][0] and self.chance(0.8):
                name, convert = n, c
        return KINDS[name], convert

    def add_key(self, child, parent, identifying=False, same_columns_as=None):
        rng = self.rng
        parent_leaf = None
        targets = self.target_keys(parent)
        if parent.leaf_unique and parent is not child and self.chance(0.4):
            parent_leaf = rng.choice(parent.leaves)
            target = parent.leaf_unique
        elif targets:
            target = max(targets, key=len) if self.chance(0.4) else rng.choice(targets)
        else:
            return None
        if same_columns_as:
            columns, converts = same_columns_as.columns, same_columns_as.converts
            target, parent, parent_leaf = same_columns_as.target, same_columns_as.parent, same_columns_as.parent_leaf
        else:
            columns, converts = [], []
            for wanted in target:
                reuse = [c for c in child.columns if c not in columns and c.kind.name == wanted.kind.name and c.refers and not (parent is child and c is wanted)]
                shared = [c for c in reuse if c.refers is wanted.refers]
                if (shared and self.chance(0.8)) or (reuse and self.chance(0.15)):
                    columns.append(rng.choice(shared or reuse))
                    converts.append(lambda t, r: t)
                    continue
                kind, convert = self.child_kind(wanted.kind)
                column = self.add_column(child, kind, "r%d" % len(child.columns))
                column.refers = wanted.refers or wanted
                columns.append(column)
                converts.append(convert)
        for column in columns:
            column.identifying = column.identifying or identifying
        key = Key(child, columns, parent, target, converts, parent_leaf=parent_leaf)
        key.name = self.names.pick("fk" if self.repeat_names else "fk_%d" % len(self.keys), child.key_names)
        if len(columns) > 1 and self.chance(0.3) and not same_columns_as:
            key.match_full = True
        key.action = rng.choices(ACTIONS, [40, 25, 12, 10, 8])[0]
        if self.chance(0.15):
            key.deferrable = rng.choice(["DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"])
        if child.leaves and not identifying and self.chance(0.3) and child.leaves[0][2] is not None:
            key.child_leaf = rng.choice(child.leaves)
        if not child.leaves and self.chance(0.1):
            key.not_valid = True
        alike = all(c.kind.name == t.kind.name for c, t in zip(columns, target))
        if self.linking and alike and not identifying and not key.match_full and self.chance(0.3):
            key.link = rng.choice(["delete", "delete", "nullify", "retain", "block"])
            key.not_valid, key.deferrable, key.action = True, "", "NO ACTION"
        self.keys.append(key)
        return key

    def finish_keys(self):
        rng = self.rng
        for child in self.tables:
            wanted = rng.choice([0, 1, 1, 1, 2, 2, 3]) if child.index else rng.choice([0, 0, 0, 1])
            if child.index and not any(k.child is child for k in self.keys):
                wanted = max(wanted, 1)
            for _ in range(wanted):
                earlier = self.tables[:child.index] or [child]
                parent = rng.choice(earlier) if self.chance(0.75) else rng.choice(self.tables)
                if self.chance(0.25):
                    parent = self.tables[0]
                elif self.chance(0.12):
                    parent = child
                if parent.unlogged and not child.unlogged:
                    continue
                key = self.add_key(child, parent)
                if key and self.chance(0.08):
                    self.add_key(child, parent, same_columns_as=key)
                elif key and self.chance(0.1):
                    self.add_key(child, parent)
        for key in self.keys:
            self.settle_key(key)

    def settle_key(self, key):
        """What a key may declare depends on the columns that it has in the end."""
        key.not_valid = key.not_valid and (not key.child.leaves or key.link is not None)
        # The root table needs a row even where nothing is left to refer to; an heir shares its columns.
        loose = [c for c in key.columns if not c.identifying and c not in self.tables[0].columns]
        for column in loose:
            if key.action != "SET NULL" and self.chance(0.25) or self.chance(0.03):
                column.notnull = True
        partitioned = key.child.partition and any(c in key.columns for c in key.child.partition[1])
        if partitioned and key.action in ("SET NULL", "SET DEFAULT") and self.chance(0.9):
            key.action = "CASCADE"
        if key.action == "SET NULL":
            free = [c for c in key.columns if not c.notnull]
            if len(free) < len(key.columns):
                if free and not key.match_full and self.chance(0.8):
                    key.set_columns = free
                elif self.chance(0.8):
                    key.action = "CASCADE"
            elif len(free) > 1 and not key.match_full and self.chance(0.5):
                key.set_columns = free[:1]
        for column in key.columns:
            if (key.action == "SET DEFAULT" or self.chance(0.05)) and not column.identifying and self.chance(0.6):
                column.wants_default = True

    def build(self):
        rng = self.rng
        schemas = []
        taken = set()
        for n in range(rng.choice([1, 1, 2, 3])):
            schemas.append(self.names.pick("app%d" % n, taken))
        for name in ("public", "kinds"):
            schemas = [s if s != name else s + "1" for s in schemas]
        for index in range(self.table_count()):
            table = self.make_table(index, schemas)
            if index and not table.partition and self.chance(0.05) and not any(k.parent is table for k in self.keys):
                table.unlogged = True
        for key in reversed(self.keys):              # a child comes after its parent, so once backwards is enough
            if key.parent.unlogged and not key.child.unlogged:
                key.parent.unlogged = False
        self.finish_keys()
        links = make_links(self)
        ghosts = make_heirs(self)
        fill_rows(self.tables, self.keys, ghosts, rng)
        for link in links:
            link.fill(rng)
        return self.emit(schemas, ghosts, links)

    # ---- SQL ----
    def emit(self, schemas, ghosts, links):
        rng = self.rng
        root = self.tables[0]
        victim = root.rows[0] if self.chance(0.7) else rng.choice(root.rows)
        case = Case(self.seed, root.qualified(), root.primary[0].name, victim[root.primary[0]])
        case.mode = "tombstone" if self.chance(0.15) else "delete"
        kind = root.primary[0].kind.name
        if self.chance(0.15):
            others = [r[root.primary[0]] for r in root.rows if r is not victim]
            case.extra_keys = rng.sample(others, min(len(others), rng.randint(1, 3)))
        elif self.chance(0.5):
            case.call = {"int4": "bigint", "int8": "bigint", "posint": "bigint", "uuid": "uuid"}.get(kind, "text")
        case.committed = self.chance(0.12)
        case.batch_rows = rng.choice([1, 2, 5, 1000]) if case.committed and not case.extra_keys else 0
        case.isolation = rng.choices(["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"], [6, 2, 2])[0]
        needs = []
        for table in self.tables:
            for column in table.columns:
                needs += [n for n in column.kind.needs if n not in needs]
        case.items = [Item("prelude", PRELUDE[n]) for n in PRELUDE if n in needs]
        for schema in dict.fromkeys(t.schema for t in self.tables):
            case.items.append(Item("schema", "CREATE SCHEMA %s; GRANT USAGE ON SCHEMA %s TO PUBLIC" % (ident(schema), ident(schema))))
        for table in self.tables:
            case.items += table.create_items(rng)
        for table in self.tables:
            case.items += table.row_items()
        for key in self.keys:
            if key.link:
                case.links.append(key.link_facts())
                continue
            case.items.append(key.item())
            if self.chance(0.3):
                case.items.append(Item("index", "CREATE INDEX ON %s (%s)" % (key.relation(), ident(key.columns[0].name)), key.tables()))
        self.emit_triggers(case)
        for table in self.tables:
            if self.chance(0.4):
                owner = ident(rng.choice(OWNERS))
                for name in [table.qualified()] + [table.leaf_qualified(leaf) for leaf in table.leaves if self.chance(0.8)]:
                    case.items.append(Item("owner", "ALTER TABLE %s OWNER TO %s" % (name, owner), table.lineage()))
        choose_policies(case, self.keys, ghosts, root, rng)
        declare(case, links, rng)
        if self.ruling:
            choose_rules(case, self.keys, ghosts, links, root, rng)
        if self.cleaning:
            choose_cleanups(case, self.tables, rng)
        return case

    def emit_triggers(self, case):
        rng = self.rng
        if not self.chance(0.3):
            return
        case.items.append(Item("trigger", TRIGGER_FUNCTIONS))
        for table in self.tables:
            if not self.chance(0.4):
                continue
            name, on = table.qualified(), table.lineage()
            style = rng.choice(["row", "row", "statement", "before", "update"])
            if self.chance(0.06):
                event, what = rng.choice([("DELETE", "deleted"), ("UPDATE", "updated")])
                sql = "CREATE TRIGGER aa_keep_%s BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION audit_log.keep()" % (what, event, name)
                case.items.append(Item("trigger", sql, on))
                continue
            if style == "row":
                sql = "CREATE TRIGGER zz_log AFTER DELETE OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION audit_log.log_row()" % name
            elif style == "statement":
                sql = "CREATE TRIGGER log_all AFTER DELETE ON %s REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_log.log_gone()" % name
            elif style == "before":
                sql = "CREATE TRIGGER aa_pass BEFORE DELETE OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION audit_log.pass()" % name
            else:
                sql = "CREATE TRIGGER log_update AFTER UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION audit_log.log_row()" % name
            case.items.append(Item("trigger", sql, on))


TRIGGER_FUNCTIONS = """CREATE SCHEMA audit_log; GRANT USAGE ON SCHEMA audit_log TO PUBLIC;
CREATE TABLE audit_log.entry (who name, op text, relation regclass, old_row text, new_row text); GRANT INSERT ON audit_log.entry TO PUBLIC;
CREATE FUNCTION audit_log.log_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit_log.entry VALUES (current_user, TG_OP, TG_RELID::regclass, OLD::text, CASE TG_OP WHEN 'UPDATE' THEN NEW::text END);
    RETURN NULL; END $$;
CREATE FUNCTION audit_log.log_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit_log.entry SELECT current_user, 'GONE', TG_RELID::regclass, gone::text FROM gone; RETURN NULL; END $$;
CREATE FUNCTION audit_log.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN RETURN NULL; END IF; RETURN OLD; END $$;
CREATE FUNCTION audit_log.pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"""


def generate(seed, max_tables=40):
    return Generator(seed, max_tables).build()
