"""A case: SQL that makes a schema with data, plus who is to be deleted under which policies. Saved as a plain SQL file."""

import copy
import json
from dataclasses import dataclass, field

from names import literal

HEADER = "-- case: "
BOUNDARY = "-- policies and run"


@dataclass
class Item:
    """One statement. tables: what it cannot live without; rows: the VALUES lists of an INSERT, so that each can be dropped."""
    kind: str
    sql: str
    tables: frozenset = frozenset()
    rows: list = None
    edge: tuple = None            # (relation, name) of a key

    def text(self):
        if self.rows is None:
            return self.sql
        if not self.rows:
            return ""
        return self.sql + " VALUES\n    " + ",\n    ".join("(" + r + ")" for r in self.rows)


@dataclass
class Case:
    seed: int
    root: str                     # quoted regclass text
    key_column: str
    key: str
    mode: str = "delete"
    isolation: str = "READ COMMITTED"
    extra_keys: list = field(default_factory=list)  # several people in one call
    call: str = "text"            # which overload: text, bigint, uuid
    committed: bool = False       # the data is committed before the run; else all happens in one transaction
    items: list = field(default_factory=list)
    policies: list = field(default_factory=list)    # dicts: relation, edge, action, collateral, reassign_to
    links: list = field(default_factory=list)       # dicts: link, relation, parent, columns, parent_columns, action
    batch_rows: int = 0           # of a call in batches besides; only where the data is committed
    columns: list = field(default_factory=list)     # dicts: relation, column, edge, expression, value
    cleanups: list = field(default_factory=list)    # dicts: relation, kind, service, target, parts, escaped
    setup: str = None                               # a case read from a file has text only

    def setup_sql(self):
        if self.setup is not None:
            return self.setup
        return "".join(t + ";\n" for t in (i.text() for i in self.items) if t)

    def register_sql(self):
        return "SELECT vedfolnir_register_subject(%s::regclass, %s, mode => %s)" % (
            literal(self.root), literal(self.key_column), literal(self.mode))

    def policy_sql(self, policy):
        extra = "" if not policy.get("reassign_to") else ", reassign_to => " + literal(policy["reassign_to"])
        return "SELECT vedfolnir_set_policy(%s::regclass, %s, %s, reason => 'test', collateral => %s%s)" % (
            literal(policy["relation"]), literal(policy["edge"]), literal(policy["action"]), literal(policy["collateral"]), extra)

    def link_sql(self, link):
        by = "expression => " + literal(link["expression"]) if link.get("expression") else "columns => ARRAY[%s]::name[]" % ", ".join(map(literal, link["columns"]))
        if link.get("condition"):
            by += ", condition => " + literal(link["condition"])
        return "SELECT vedfolnir_add_link(%s, %s::regclass, %s::regclass, %s, parent_columns => ARRAY[%s]::name[], action => %s)" % (
            literal(link["link"]), literal(link["relation"]), literal(link["parent"]), by,
            ", ".join(map(literal, link["parent_columns"])), literal(link["action"]))

    def column_sql(self, rule):
        edge = "" if rule["edge"] is None else ", edge => " + literal(rule["edge"])
        return "SELECT vedfolnir_set_column(%s::regclass, %s, %s%s)" % (
            literal(rule["relation"]), literal(rule["column"]), literal(rule["expression"]), edge)

    def cleanup_sql(self, rule):
        return "SELECT vedfolnir_add_cleanup(%s::regclass, %s, %s, %s)" % (
            literal(rule["relation"]), literal(rule["kind"]), literal(rule["target"]), literal(rule["service"]))

    def configuration(self):
        return ([self.register_sql()] + [self.link_sql(link) for link in self.links] + [self.policy_sql(p) for p in self.policies] +
                [self.column_sql(r) for r in self.columns] + [self.cleanup_sql(r) for r in self.cleanups])

    def keys(self):
        return [self.key] + self.extra_keys

    def run_sql(self, dry_run, plan_hash=None):
        function, argument = "vedfolnir_delete_user", "user_key => " + literal(self.key)
        if self.extra_keys:
            function, argument = "vedfolnir_delete_users", "user_keys => ARRAY[%s]" % ", ".join(map(literal, self.keys()))
        elif self.call == "bigint":
            argument = "user_id => " + self.key
        elif self.call == "uuid":
            argument = "user_uuid => " + literal(self.key)
        extra = "" if plan_hash is None else ", plan_hash => " + literal(plan_hash)
        return "SELECT step, relation, via, action, row_count, collateral, note FROM %s(%s, dry_run => %s%s)" % (
            function, argument, "true" if dry_run else "false", extra)

    def save(self, path, remark):
        facts = {k: getattr(self, k) for k in ("seed", "root", "key_column", "key", "mode", "isolation", "policies", "links", "columns", "cleanups", "batch_rows", "committed", "extra_keys", "call")}
        with open(path, "w", encoding="utf-8") as f:
            for line in remark.splitlines():
                f.write("-- " + line + "\n")
            f.write(HEADER + json.dumps(facts) + "\n")
            f.write("BEGIN ISOLATION LEVEL " + self.isolation + ";\n")
            f.write(self.setup_sql())
            f.write(BOUNDARY + "\n")
            for sql in self.configuration() + [self.run_sql(True), self.run_sql(False)]:
                f.write(sql + ";\n")
            f.write("ROLLBACK;\n")

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        head = next(line for line in text.split("\n") if line.startswith(HEADER))
        facts = json.loads(head[len(HEADER):])
        body = text[text.index(head) + len(head):text.rindex(BOUNDARY)]
        body = body.replace("BEGIN ISOLATION LEVEL " + facts["isolation"] + ";\n", "", 1)
        return Case(setup=body, **facts)

    def copy(self):
        return copy.deepcopy(self)
