"""Random policies over the keys of a generated schema."""

from shapes import compare


def choose_policies(case, keys, ghosts, root, rng):
    style = rng.choices(["declared", "permissive", "wild"], [15, 55, 30])[0]
    reassigning = rng.random() < 0.3
    for key in keys:
        declared = {"CASCADE": "delete", "SET NULL": "nullify", "SET DEFAULT": "default"}.get(key.action)
        nullable = not any(c.notnull for c in key.set_columns or key.columns)
        collateral = "delete" if style == "permissive" or rng.random() < 0.5 else "refuse"
        if key.link:
            if rng.random() < 0.7:
                add(case, key, rng.choice(["delete", "nullify"] if nullable else ["delete"]), collateral)
            continue
        if style == "declared":
            if declared == "delete" and rng.random() < 0.9:
                add(case, key, "delete", "delete")
            continue
        if style == "permissive":
            if declared == "nullify" and not nullable and rng.random() < 0.9 or declared == "default" and rng.random() < 0.7:
                declared = "delete"
            action = declared or ("nullify" if nullable and rng.random() < 0.6 else "delete")
            if rng.random() < 0.15:
                action = rng.choice(["delete"] + ["nullify"] * nullable)
            if reassigning and rng.random() < 0.15:
                action = "reassign"
        else:
            if rng.random() < 0.3:
                continue
            action = rng.choice(["delete", "delete", "delete", "nullify", "default", "block"] + ["reassign", "retain"] * reassigning)
        target = None
        if action == "reassign":
            target = reassign_target(case, key, root, rng)
            if target is None:
                action = "delete"
        if key.set_columns and action == declared and action in ("nullify", "default"):
            continue                              # the declared column list holds only without a policy
        add(case, key, action, collateral, target)
    for ghost in ghosts:
        if rng.random() < 0.2:                    # for one heir alone
            action = rng.choice(["delete", "delete", "nullify", "default", "reassign", "retain", "block"])
            target = reassign_target(case, ghost, root, rng) if action == "reassign" else None
            add(case, ghost, "delete" if action == "reassign" and target is None else action, "delete", target)


def reassign_target(case, key, root, rng):
    """A key in text form; only a key of one column has one."""
    if len(key.target) != 1 or not key.parent.rows:
        return None
    column = key.target[0]
    rows = key.parents()
    if key.parent is root:
        rows = [r for r in rows if compare(r[column], column, column) != compare(case.key, column, column)] if column is root.primary[0] else rows
    values = [r[column] for r in rows if r[column] is not None and not r[column].startswith("=")]
    return rng.choice(values) if values else None


def add(case, key, action, collateral, reassign_to=None):
    case.policies.append({"relation": key.relation(), "edge": key.name, "action": action, "collateral": collateral,
                          "reassign_to": reassign_to})
