"""The schema that is deleted from: tables, keys, and how their rows are made.

A unit is a bundle of about 57 rows over all tables. A small user owns one unit, the others own many. Row n of a table
stands at position n in the heap and belongs to position n * step mod rows of the list of units: every user's rows
lie scattered over the heap, and a child finds its parent by arithmetic instead of a join.
"""
from math import gcd


class Sizes:
    """Owners in the order of their ids: the whale, then the middle-sized ones, then the small users."""

    def __init__(self, whale, others, parents, small):
        self.special = [whale] + others + parents
        self.others = list(range(2, 2 + len(others)))
        self.parents = list(range(2 + len(others), 2 + len(others) + len(parents)))
        self.small = small
        self.first_small = len(self.special) + 1
        self.persons = len(self.special) + small
        self.units = sum(self.special) + small
        self.jump = next(m for m in range(7919, 99999) if gcd(m, self.units) == 1)

    def owner(self, unit):
        """SQL: the person who owns a unit."""
        cases, upto = "", 0
        for i, units in enumerate(self.special):
            upto += units
            cases += f" WHEN {unit} < {upto} THEN {i + 1}"
        return f"(CASE{cases} ELSE {unit} - {upto} + {self.first_small} END)::bigint"

    def other(self, unit):
        """SQL: another unit, a permutation, so that users write on each other's pages."""
        return f"(({unit} * {self.jump} + 13) % {self.units})"


class Table:
    def __init__(self, name, per_unit, primary_key, columns, keys=()):
        self.name, self.per_unit, self.primary_key = name, per_unit, primary_key
        self.columns = columns          # (name, type, SQL over n, u, k)
        self.keys = keys                # Key objects, see key()


class Key:
    def __init__(self, table, columns, parent, parent_columns, set_null=False):
        self.table, self.columns, self.parent, self.parent_columns = table, columns, parent, parent_columns
        self.set_null = set_null
        self.name = f"{table}_{columns[0]}_{parent}_fkey"


def key(columns, parent, parent_columns, set_null=False):
    return (columns.split(), parent, parent_columns.split(), set_null)


PER_UNIT = {"address": 1, "session": 2, "folder": 2, "image": 3, "image_variant": 3, "image_tag": 2, "post": 3,
            "comment": 6, "reaction": 6, "orders": 2, "order_line": 4, "shipment": 2, "parcel": 2, "parcel_event": 4,
            "event_scan": 4, "thread": 1, "message": 4, "notification": 5, "ticket": 1}


class Model:
    def __init__(self, sizes):
        self.sizes = sizes
        self.rows = {t: s * sizes.units for t, s in PER_UNIT.items()}
        self.step, self.back = {}, {}
        for t, total in self.rows.items():
            step = next(s for s in range(int(total * 0.618) | 1, 2 * total + 9) if gcd(s, total) == 1)
            self.step[t], self.back[t] = step % total or 1, pow(step, -1, total) if total > 1 else 0
        self.tables = self._tables()
        self.keys = [k for t in self.tables for k in t.keys]
        self.by_name = {t.name: t for t in self.tables}

    def place(self, table, unit, k):
        """SQL: the heap position of row k of a unit."""
        return f"((({unit}) * {PER_UNIT[table]} + {k}) * {self.back[table]} % {self.rows[table]})"

    def _tables(self):
        z = self.sizes
        me, you, near = z.owner("u"), z.other("u"), self.place

        def big(table, unit, k):
            return f"({near(table, unit, k)} + 1)"

        def uid(table, unit, k):
            return f"md5('{table}' || {near(table, unit, k)})::uuid"

        def own_uid(table):
            return f"md5('{table}' || n)::uuid"

        def text(size):
            return f"left(repeat(md5(n::text), {size // 32 + 1}), {size})"

        order = near("orders", "u", "{}")
        raw = [
            ("person", "id", [("id", "bigint", "n + 1"), ("name", "text", "'user' || n + 1"), ("bio", "text", text(40))], []),
            ("profile", "person_id", [("person_id", "bigint", "n + 1"), ("settings", "text", text(60))],
             [key("person_id", "person", "id")]),
            ("address", "id", [("id", "bigint", "n + 1"), ("person_id", "bigint", me), ("street", "text", text(32))],
             [key("person_id", "person", "id")]),
            ("session", "id", [("id", "uuid", own_uid("session")), ("person_id", "bigint", me), ("agent", "text", text(48))],
             [key("person_id", "person", "id")]),
            # A folder below another one names no person: it is reached through the self reference only.
            ("folder", "id", [("id", "bigint", "n + 1"), ("person_id", "bigint", f"CASE k WHEN 0 THEN {me} END"),
                              ("parent_id", "bigint", f"CASE k WHEN 1 THEN {big('folder', 'u', 0)} END"),
                              ("title", "text", text(16))],
             [key("person_id", "person", "id"), key("parent_id", "folder", "id")]),
            ("image", "id", [("id", "uuid", own_uid("image")), ("person_id", "bigint", me),
                             ("folder_id", "bigint", big("folder", "u", "k % 2")),
                             ("local_path", "text", "'img/' || md5('file' || n)")],
             [key("person_id", "person", "id"), key("folder_id", "folder", "id")]),
            ("image_variant", "image_id width", [("image_id", "uuid", uid("image", "u", "k")), ("width", "int", "320"),
                                                 ("note", "text", text(24))],
             [key("image_id", "image", "id")]),
            ("tag", "id", [("id", "int", "n + 1"), ("label", "text", "'tag' || n + 1")], []),
            ("image_tag", "image_id tag_id", [("image_id", "uuid", uid("image", "u", "k")), ("tag_id", "int", "n % 100 + 1")],
             [key("image_id", "image", "id"), key("tag_id", "tag", "id")]),
            ("post", "id", [("id", "bigint", "n + 1"), ("author_id", "bigint", me), ("cover_id", "uuid", uid("image", "u", "k")),
                            ("body", "text", text(80))],
             [key("author_id", "person", "id"), key("cover_id", "image", "id")]),
            ("comment", "id", [("id", "bigint", "n + 1"),
                               ("post_id", "bigint", f"CASE k WHEN 5 THEN {big('post', you, 0)} ELSE {big('post', 'u', 'k % 3')} END"),
                               ("author_id", "bigint", me),
                               ("parent_id", "bigint", f"CASE WHEN k IN (3, 4) THEN {big('comment', 'u', 'k - 3')} END"),
                               ("body", "text", text(60))],
             [key("post_id", "post", "id"), key("author_id", "person", "id"), key("parent_id", "comment", "id")]),
            ("reaction", "comment_id person_id",
             [("comment_id", "bigint", f"CASE k WHEN 5 THEN {big('comment', you, 5)} ELSE {big('comment', 'u', 'k')} END"),
              ("person_id", "bigint", me), ("kind", "int", "n % 6")],
             [key("comment_id", "comment", "id"), key("person_id", "person", "id")]),
            ("orders", "shop_id order_no", [("shop_id", "int", "n % 7 + 1"), ("order_no", "bigint", "n + 1"),
                                            ("person_id", "bigint", me), ("memo", "text", text(40))],
             [key("person_id", "person", "id")]),
            ("order_line", "shop_id order_no line_no",
             [("shop_id", "int", order.format("k / 2") + " % 7 + 1"), ("order_no", "bigint", order.format("k / 2") + " + 1"),
              ("line_no", "int", "k % 2 + 1"), ("article", "text", text(24))],
             [key("shop_id order_no", "orders", "shop_id order_no")]),
            ("shipment", "id", [("id", "uuid", own_uid("shipment")), ("shop_id", "int", order.format("k") + " % 7 + 1"),
                                ("order_no", "bigint", order.format("k") + " + 1"),
                                ("address_id", "bigint", big("address", "u", 0))],
             [key("shop_id order_no", "orders", "shop_id order_no"), key("address_id", "address", "id")]),
            ("parcel", "id", [("id", "bigint", "n + 1"), ("shipment_id", "uuid", uid("shipment", "u", "k")),
                              ("label", "text", text(20))],
             [key("shipment_id", "shipment", "id")]),
            ("parcel_event", "parcel_id seq", [("parcel_id", "bigint", big("parcel", "u", "k / 2")), ("seq", "int", "k % 2 + 1"),
                                               ("place", "text", text(24))],
             [key("parcel_id", "parcel", "id")]),
            ("event_scan", "id", [("id", "bigint", "n + 1"), ("parcel_id", "bigint", big("parcel", "u", "k / 2")),
                                  ("seq", "int", "k % 2 + 1"), ("raw", "text", text(32))],
             [key("parcel_id seq", "parcel_event", "parcel_id seq")]),
            ("thread", "id", [("id", "uuid", own_uid("thread")), ("owner_id", "bigint", me), ("subject", "text", text(30))],
             [key("owner_id", "person", "id")]),
            ("message", "id", [("id", "bigint", "n + 1"),
                               ("thread_id", "uuid", f"CASE k WHEN 3 THEN {uid('thread', you, 0)} ELSE {uid('thread', 'u', 0)} END"),
                               ("sender_id", "bigint", me), ("body", "text", text(64))],
             [key("thread_id", "thread", "id"), key("sender_id", "person", "id")]),
            ("notification", "id",
             [("id", "bigint", "n + 1"), ("person_id", "bigint", me),
              ("comment_id", "bigint", f"CASE WHEN k < 2 THEN {big('comment', 'u', 'k')} WHEN k = 3 THEN {big('comment', you, 1)} END"),
              ("message_id", "bigint", f"CASE k WHEN 2 THEN {big('message', 'u', 0)} END"), ("kind", "text", "'mention'")],
             [key("person_id", "person", "id"), key("comment_id", "comment", "id"), key("message_id", "message", "id")]),
            # An actor column beside an owner column: the ticket stays when its assignee goes.
            ("ticket", "id", [("id", "bigint", "n + 1"), ("person_id", "bigint", me),
                              ("assignee_id", "bigint", f"CASE WHEN u % 20 = 0 THEN {z.owner(you)} END"), ("title", "text", text(40))],
             [key("person_id", "person", "id"), key("assignee_id", "person", "id", True)]),
        ]
        self.rows.update(person=z.persons, profile=z.persons, tag=100)
        return [Table(name, PER_UNIT.get(name), pk.split(), cols, [Key(name, *k) for k in keys]) for name, pk, cols, keys in raw]

    def create_tables(self):
        return ["CREATE TABLE public.{} ({}, PRIMARY KEY ({}))".format(
            t.name, ", ".join(f"{c} {typ}" for c, typ, _ in t.columns), ", ".join(t.primary_key)) for t in self.tables]

    def fill(self):
        for t in self.tables:
            total = self.rows[t.name]
            if t.per_unit:
                source = (f"(SELECT n, pos / {t.per_unit} AS u, pos % {t.per_unit} AS k FROM (SELECT n, n * {self.step[t.name]} % {total}"
                          f" AS pos FROM generate_series(0::bigint, {total - 1}) n) p) r")
            else:
                source = f"generate_series(0::bigint, {total - 1}) n"
            yield f"INSERT INTO public.{t.name} SELECT {', '.join(e for _, _, e in t.columns)} FROM {source}"

    def indexes(self, supporting=True):
        """CREATE INDEX for the referring columns that the primary key does not lead with, or DROP INDEX for them."""
        for k in self.keys:
            pk = self.by_name[k.table].primary_key
            if pk[:len(k.columns)] != k.columns:
                name = f"{k.table}_{'_'.join(k.columns)}_idx"
                yield (f"CREATE INDEX {name} ON public.{k.table} ({', '.join(k.columns)})" if supporting
                       else f"DROP INDEX public.{name}")

    def foreign_keys(self, action):
        for k in self.keys:
            rule = "SET NULL" if k.set_null and action == "CASCADE" else "NO ACTION" if k.parent == "tag" else action
            yield (f"ALTER TABLE public.{k.table} ADD CONSTRAINT {k.name} FOREIGN KEY ({', '.join(k.columns)}) "
                   f"REFERENCES public.{k.parent} ({', '.join(k.parent_columns)}) ON DELETE {rule}")

    def without_parent_indexes(self):
        """A primary key that leads with a referring column serves as its index: where nothing refers to it, it goes too."""
        yield from self.indexes(False)
        for t in self.tables:
            leads = any(t.primary_key[:len(k.columns)] == k.columns for k in t.keys)
            if leads and not any(k.parent == t.name for k in self.keys):
                yield f"ALTER TABLE public.{t.name} DROP CONSTRAINT {t.name}_pkey"
