#!/usr/bin/env python3
"""Writes the specs of test/isolation that differ only in the action of the edge: specs/insert_*.spec and specs/move_*.spec.

The files are committed. After a change here run this script, then the suite, and read the difference.
"""
import pathlib
import textwrap

SPECS = pathlib.Path(__file__).resolve().parent / "specs"
LEVELS = (("rc", "READ COMMITTED"), ("rr", "REPEATABLE READ"), ("ser", "SERIALIZABLE"))

# name: what the key declares, the policy that is set for it
ACTIONS = {
    "cascade": ("CASCADE", None),
    "set_null": ("SET NULL", None),
    "set_default": ("SET DEFAULT", None),
    "no_action": ("NO ACTION", "delete"),
    "restrict": ("RESTRICT", "delete"),
}
EDGES = (("app.post", "post_author_fkey"), ("app.photo", "photo_album_fkey"), ("app.page", "page_doc_fkey"))

SCHEMA = """\
CREATE EXTENSION vedfolnir;
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.post (id int PRIMARY KEY, author int{default} REFERENCES app.users ON DELETE {declared});
CREATE TABLE app.album (id int PRIMARY KEY, owner int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.photo (id int PRIMARY KEY, album int{default} REFERENCES app.album ON DELETE {declared});
CREATE TABLE app.folder (id int PRIMARY KEY, owner int REFERENCES app.users ON DELETE CASCADE, doc int);
CREATE TABLE app.doc (id int PRIMARY KEY, folder int REFERENCES app.folder ON DELETE CASCADE);
ALTER TABLE app.folder ADD FOREIGN KEY (doc) REFERENCES app.doc ON DELETE CASCADE;
CREATE TABLE app.page (id int PRIMARY KEY, doc int{default} REFERENCES app.doc ON DELETE {declared});
"""

# What must hold at the end of every permutation, whatever happened in it.
CHECK = """\
CREATE TABLE app.born (relation text, referred bool);
CREATE FUNCTION app.note_birth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO app.born VALUES (TG_RELID::regclass::text, true);
  RETURN NULL;
END $$;

-- 'ok', or what is wrong: an orphan, a row that went or lost its reference without an audit row, half a deletion.
CREATE FUNCTION app.verdict() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  k record;
  n bigint;
  audited bigint;
  found text[] := ARRAY[]::text[];
BEGIN
  FOR k IN SELECT c.conname, c.conrelid::regclass AS child, c.confrelid::regclass AS parent, a.attname AS col
             FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
            WHERE c.contype = 'f' AND c.connamespace = 'app'::regnamespace LOOP
    EXECUTE format('SELECT count(*) FROM %s c WHERE c.%I IS NOT NULL AND NOT EXISTS (SELECT FROM %s p WHERE p.id = c.%I)',
                   k.child, k.col, k.parent, k.col) INTO n;
    IF n > 0 THEN found := found || format('%s orphans behind %s', n, k.conname); END IF;
  END LOOP;
  FOR k IN SELECT c.oid::regclass AS relation FROM pg_class c
            WHERE c.relnamespace = 'app'::regnamespace AND c.relkind = 'r' AND c.relname <> 'born' LOOP
    EXECUTE format('SELECT (SELECT count(*) FROM app.born WHERE relation = %L) - (SELECT count(*) FROM %s)',
                   k.relation, k.relation) INTO n;
    SELECT coalesce(sum(row_count), 0) INTO audited FROM vedfolnir.audit_log
     WHERE relation = k.relation::text AND action = 'delete';
    IF n <> audited THEN found := found || format('%s: %s rows went, %s audited', k.relation, n, audited); END IF;
  END LOOP;
  -- 0 is the default where the key says SET DEFAULT.
  SELECT (SELECT count(*) FROM app.post WHERE coalesce(author, 0) = 0) + (SELECT count(*) FROM app.photo WHERE coalesce(album, 0) = 0)
       + (SELECT count(*) FROM app.page WHERE coalesce(doc, 0) = 0) INTO n;
  SELECT coalesce(sum(row_count), 0) INTO audited FROM vedfolnir.audit_log WHERE action IN ('nullify', 'default');
  IF n <> audited THEN found := found || format('%s references cleared, %s audited', n, audited); END IF;
  SELECT count(*) INTO n FROM vedfolnir.deletion;
  IF n <> (SELECT 2 - count(*) FROM app.users WHERE id IN (1, 2)) THEN
    found := found || format('%s deletions recorded', n);
  END IF;
  RETURN CASE WHEN cardinality(found) = 0 THEN 'ok' ELSE array_to_string(found, '; ') END;
END $$;
"""

DATA = """\
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['users', 'post', 'album', 'photo', 'folder', 'doc', 'page'] LOOP
    EXECUTE format('CREATE TRIGGER note_birth AFTER INSERT ON app.%I FOR EACH ROW EXECUTE FUNCTION app.note_birth()', t);
  END LOOP;
END $$;
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.post VALUES (1, 1), (2, 2);
INSERT INTO app.album VALUES (1, 1), (2, 2);
INSERT INTO app.photo VALUES (1, 1), (2, 2);
-- Person 1: folder 1, doc 1 in it, folder 3 behind doc 1, doc 3 in that: two rounds of the cycle.
INSERT INTO app.folder VALUES (1, 1, NULL), (2, 2, NULL);
INSERT INTO app.doc VALUES (1, 1), (2, 2);
INSERT INTO app.folder VALUES (3, NULL, 1);
INSERT INTO app.doc VALUES (3, 3);
INSERT INTO app.page VALUES (1, 3), (2, 2);
DO $$ BEGIN PERFORM vedfolnir_register_subject('app.users', 'id'); END $$;
"""

DEFAULTS = """\
INSERT INTO app.users VALUES (0);
INSERT INTO app.album VALUES (0, NULL);
INSERT INTO app.doc VALUES (0, NULL);
"""

SESSIONS = """\
# d deletes person 1; the aborted transaction of a failed try is ended by its own step.
session d
setup		{ SET client_min_messages = warning; }
step d_rc	{ BEGIN ISOLATION LEVEL READ COMMITTED; SELECT count(*) AS users FROM app.users; }
step d_rr	{ BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) AS users FROM app.users; }
step d_ser	{ BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) AS users FROM app.users; }
step d_del	{ SELECT relation, via, action, row_count AS n FROM vedfolnir_delete_user(1, dry_run => false); }
step d_end	{ COMMIT; }
step d_check	{ SELECT app.verdict(), (SELECT count(*) FROM app.users WHERE id = 1) AS person; }
"""


def indented(text):
    return textwrap.indent(text, "  ")


def spec(name, about, action, sessions, permutations):
    declared, policy = ACTIONS[action]
    default = declared == "SET DEFAULT"
    setup = SCHEMA.format(declared=declared, default=" DEFAULT 0" if default else "") + CHECK + DATA + (DEFAULTS if default else "")
    if policy:
        setup += "".join(f"DO $$ BEGIN PERFORM vedfolnir_set_policy('{r}', '{e}', '{policy}'); END $$;\n" for r, e in EDGES)
    text = f"# Written by generate.py. {about}\n\nsetup\n{{\n{indented(setup)}}}\n\nteardown\n{{\n"
    text += "  DROP EXTENSION vedfolnir;\n  DROP SCHEMA app CASCADE;\n}\n\n"
    text += SESSIONS + "\n" + sessions + "\n" + "\n".join(permutations) + "\n"
    (SPECS / f"{name}.spec").write_text(text)


def insert_spec(action):
    rows = {"child": "app.post VALUES (9, 1)", "grandchild": "app.photo VALUES (9, 1)", "cycle": "app.page VALUES (9, 3)"}
    sessions = "session i\nstep i_begin	{ BEGIN; }\n"
    sessions += "".join(f"step i_{depth}	{{ INSERT INTO {row}; }}\n" for depth, row in rows.items())
    sessions += "step i_end	{ COMMIT; }\n"
    lines = []
    for level, title in LEVELS:
        for depth in rows:
            lines.append(f"# {title}, insert of a {'row behind a cycle' if depth == 'cycle' else depth}: before, during, after")
            # Committed after the snapshot of the deletion's transaction, before the call.
            lines.append(f"permutation d_{level} i_{depth} d_del d_end d_check")
            # The call waits for the inserting transaction.
            lines.append(f"permutation d_{level} i_begin i_{depth} d_del i_end d_end d_check")
            # The insert waits for the deletion.
            lines.append(f"permutation d_{level} d_del i_{depth} d_end d_check")
    spec(f"insert_{action}",
         f"Inserts meet a deletion (R26, R30); keys declared ON DELETE {ACTIONS[action][0]}"
         + (f", policy {ACTIONS[action][1]}." if ACTIONS[action][1] else "."), action, sessions, lines)


def move_spec(action):
    moves = {
        "post_to": "app.post SET author = 1 WHERE id = 2", "post_from": "app.post SET author = 2 WHERE author = 1",
        "photo_to": "app.photo SET album = 1 WHERE id = 2", "photo_from": "app.photo SET album = 2 WHERE album = 1",
        "page_to": "app.page SET doc = 3 WHERE id = 2", "page_from": "app.page SET doc = 2 WHERE doc = 3",
    }
    sessions = "session m\nstep m_begin	{ BEGIN; }\n"
    sessions += "".join(f"step m_{name}	{{ UPDATE {text}; }}\n" for name, text in moves.items())
    sessions += "step m_end	{ COMMIT; }\n"
    lines = []
    for level, title in LEVELS:
        for name in moves:
            lines.append(f"# {title}: {name.replace('_', ' ')} the person, before, during and after")
            lines.append(f"permutation d_{level} m_{name} d_del d_end d_check")
            lines.append(f"permutation d_{level} m_begin m_{name} d_del m_end d_end d_check")
            lines.append(f"permutation d_{level} d_del m_{name} d_end d_check")
    spec(f"move_{action}", f"Updates move rows to and from the person (R26); keys declared ON DELETE {ACTIONS[action][0]}"
         + (f", policy {ACTIONS[action][1]}." if ACTIONS[action][1] else "."), action, sessions, lines)


if __name__ == "__main__":
    for a in ACTIONS:
        insert_spec(a)
        move_spec(a)
