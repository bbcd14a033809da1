"""The outside work that a deletion should queue, told from the rows that go and those that stay."""

import re
from urllib.parse import quote


def expected_targets(reference, cleanups):
    """({(kind, service): {target}} to be queued, whether that is sure before the run). What a row that stays still names
    afterwards is left out; a dry run does not see names that the run gives."""
    by_name = {r.qualified(): r for r in reference.catalogue.relations.values()}
    gone, stays, renamed = {}, {}, {}
    for rule in cleanups:
        for relation in reference.catalogue.with_heirs(by_name[rule["relation"]]):
            for row in reference.state[relation.top]:
                if row.leaf not in relation.tree:
                    continue
                going = row in reference.gone
                target = expand(rule, relation, row.values if going else reference.out.updated.get(row, row.values))
                if target is not None:
                    side = gone if going else renamed if row in reference.out.updated else stays
                    side.setdefault((rule["kind"], rule["service"]), set()).add(target)
    left = {group: targets - stays.get(group, set()) for group, targets in gone.items()}
    return ({group: targets - renamed.get(group, set()) for group, targets in left.items()},
            not any(targets & renamed.get(group, set()) for group, targets in left.items()))


def expand(rule, relation, values):
    """None where a column is NULL."""
    text = ""
    for part in rule["parts"]:
        if isinstance(part, str):
            text += part
            continue
        value = values[part[0]]
        if value is None:
            return None
        if relation.named(part[0]).base == "bpchar":
            value = value.rstrip(" ")
        text += escape(rule["kind"], value, len(rule["parts"]) == 1) if rule["escaped"] else value
    return normal_path(text) if rule["kind"] in ("file", "directory") else text


def escape(kind, value, whole):
    if kind == "redis_pattern":
        return re.sub(r"([*?\[\]\\])", r"\\\1", value)
    if kind in ("identity", "webhook"):
        return quote(value, safe="")
    if kind in ("file", "directory") and not whole and (value in ("", ".", "..") or "/" in value):
        return "\x01" + value                      # the mark by which the listener refuses it
    return value


def normal_path(text):
    return ("/" if text.startswith("/") else "") + "/".join(p for p in text.split("/") if p not in ("", "."))


def operations(kind):
    return {"identity": [(1, "disable"), (4, "delete")], "redis_key": [(2, "delete")], "redis_pattern": [(2, "delete")],
            "file": [(3, "delete")], "directory": [(3, "delete")], "webhook": [(5, "post")]}[kind]
