"""What each contestant sends to the server, for the same persons and the same rows."""


def _on(left, left_columns, right, right_columns):
    return " AND ".join(f"{left}.{a} = {right}.{b}" for a, b in zip(left_columns, right_columns))


def _id_list(ids):
    return "ARRAY[" + ",".join(str(i) for i in ids) + "]::bigint[]"


def walked(model):
    """(table, edges that delete its rows) in an order in which parents come first."""
    for t in model.tables:
        edges = [k for k in t.keys if not k.set_null and k.parent != "tag"]
        if t.name == "person" or edges:
            yield t, edges


def _closure(table, edges, ids):
    """SELECT of the primary keys of all rows of a table that go."""
    pk = ", ".join("c." + c for c in table.primary_key)
    if table.name == "person":
        return f"SELECT unnest({_id_list(ids)}) AS id"
    arms = [f"SELECT {pk} FROM public.{table.name} c JOIN k_{k.parent} p ON {_on('c', k.columns, 'p', k.parent_columns)}"
            for k in edges if k.parent != table.name]
    seed = " UNION ".join(arms) if len(arms) > 1 else arms[0].replace("SELECT ", "SELECT DISTINCT ", 1)
    for k in edges:
        if k.parent == table.name:
            return (f"WITH RECURSIVE r AS (({seed}) UNION SELECT {pk} FROM public.{table.name} c JOIN r p ON "
                    f"{_on('c', k.columns, 'p', k.parent_columns)}) SELECT * FROM r")
    return seed


def key_tables(model, ids):
    for t, edges in walked(model):
        yield f"CREATE TEMP TABLE k_{t.name} ON COMMIT DROP AS {_closure(t, edges, ids)}"
        yield f"ANALYZE k_{t.name}"


def _detach(model):
    for k in model.keys:
        if k.set_null:
            t = model.by_name[k.table]
            yield (f"UPDATE public.{k.table} c SET {k.columns[0]} = NULL FROM k_{k.parent} p WHERE "
                   f"{_on('c', k.columns, 'p', k.parent_columns)} AND NOT EXISTS "
                   f"(SELECT FROM k_{k.table} x WHERE {_on('c', t.primary_key, 'x', t.primary_key)})")


def _leaf_to_root(model):
    for t, _ in reversed(list(walked(model))):
        yield f"DELETE FROM public.{t.name} c USING k_{t.name} x WHERE {_on('c', t.primary_key, 'x', t.primary_key)}"


def sql_key_tables(model, ids):
    """Temporary tables of keys top-down, with statistics, then DELETE from the leaves to the root."""
    return ["BEGIN", *key_tables(model, ids), *_detach(model), *_leaf_to_root(model), "COMMIT"]


def sql_one_statement(model, ids):
    """All of it in one statement of common table expressions; NO ACTION is checked at its end."""
    parts = [f"k_{t.name} AS MATERIALIZED ({_closure(t, e, ids)})" for t, e in walked(model)]
    parts += [f"u_{i} AS ({s} RETURNING 1)" for i, s in enumerate(_detach(model))]
    parts += [f"d_{i} AS ({s} RETURNING 1)" for i, s in enumerate(_leaf_to_root(model))]
    return ["WITH " + ", ".join(parts) + " SELECT count(*) FROM k_person"]


def sql_triggers_off(model, ids):
    """For comparison only: a superuser silences every trigger, the application's own as well."""
    return ["BEGIN", "SET LOCAL session_replication_role = replica", *key_tables(model, ids), *_detach(model),
            *_leaf_to_root(model), "COMMIT"]


def cascade(model, ids):
    where = f"id = {ids[0]}" if len(ids) == 1 else f"id = ANY ({_id_list(ids)})"
    return [f"DELETE FROM public.person WHERE {where}"]


def floor(model, bit):
    """Flagged rows by sequential scan, no foreign key in the database: what deleting the rows costs by itself."""
    return ["BEGIN", *(f"DELETE FROM public.{t.name} WHERE doomed & {1 << bit} <> 0" for t, _ in walked(model)),
            f"UPDATE public.ticket SET assignee_id = NULL WHERE detached & {1 << bit} <> 0", "COMMIT"]


def flag_tables(model, owners):
    """Rebuilds the tables in heap order with a bit per owner for the rows that go."""
    for bit, owner in enumerate(owners):
        yield "BEGIN"
        yield from key_tables(model, [owner])
        for t, _ in walked(model):
            yield f"CREATE TABLE public.f{bit}_{t.name} AS SELECT * FROM k_{t.name}"
        yield "COMMIT"
    bits = range(len(owners))
    for t, _ in walked(model):
        cols = ", ".join("t." + c for c, _, _ in t.columns)
        joins = " ".join(f"LEFT JOIN public.f{b}_{t.name} b{b} ON {_on('t', t.primary_key, f'b{b}', t.primary_key)}" for b in bits)
        flags = " + ".join(f"(b{b}.{t.primary_key[0]} IS NOT NULL)::int * {1 << b}" for b in bits)
        extra = ""
        if t.name == "ticket":
            extra = ", " + " + ".join(
                f"(b{b}.id IS NULL AND t.assignee_id IS NOT DISTINCT FROM {o})::int * {1 << b}" for b, o in enumerate(owners)) + " AS detached"
        yield f"CREATE TABLE public.n_{t.name} AS SELECT {cols}, {flags} AS doomed{extra} FROM public.{t.name} t {joins} ORDER BY t.ctid"
    for t, _ in walked(model):
        yield f"DROP TABLE public.{t.name}"
        yield f"ALTER TABLE public.n_{t.name} RENAME TO {t.name}"
        yield f"ALTER TABLE public.{t.name} ADD PRIMARY KEY ({', '.join(t.primary_key)})"
        for b in bits:
            yield f"DROP TABLE public.f{b}_{t.name}"


def configure(model, undeclared):
    """Our configuration: the policies that the keys do not declare, collateral, and a clean-up rule for the images."""
    yield "CREATE EXTENSION vedfolnir"
    yield "SELECT vedfolnir_register_subject('public.person', 'id', 'name')"
    for k in model.keys:
        if k.parent == "tag":
            continue
        action = "nullify" if k.set_null else "delete"
        if undeclared or not k.set_null:
            yield (f"SELECT vedfolnir_set_policy('public.{k.table}', '{k.name}', '{action}', reason => 'benchmark'"
                   + ("" if k.set_null else ", collateral => 'delete'") + ")")
    yield "SELECT vedfolnir_add_cleanup('public.image', 'file', '{local_path}', 'images')"
    # What vedfolnir_check() asks for: does another row still name the file?
    yield ("DO $$ DECLARE r record; BEGIN FOR r IN SELECT remedy FROM vedfolnir_check() WHERE code = 'missing_lookup_index' LOOP"
           " EXECUTE replace(r.remedy, ' CONCURRENTLY', ''); END LOOP; END $$")


def ours(ids, dry_run=False):
    dry = "true" if dry_run else "false"
    if len(ids) == 1:
        return [f"SELECT * FROM vedfolnir_delete_user({ids[0]}::bigint, dry_run => {dry})"]
    keys = "ARRAY[" + ",".join(f"'{i}'" for i in ids) + "]"
    return [f"SELECT * FROM vedfolnir_delete_users({keys}, dry_run => {dry})"]


def ours_in_batches(owner, rows):
    return [f"CALL vedfolnir_delete_user_in_batches('{owner}', batch_rows => {rows})"]
