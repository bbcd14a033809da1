-- References that come while the batches are on their way, to rows that a later batch would take: a trigger on the first post of
-- the person adds one to the sixth. Whatever kind of table it lies in, that post waits for the last transaction, with its batch.
\set ECHO none
\i test/support/regress.sql
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE FUNCTION t.build() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM t.fresh();
    CREATE TABLE app.users (id int PRIMARY KEY);
    CREATE TABLE app.posts (id text PRIMARY KEY, author int NOT NULL REFERENCES app.users ON DELETE CASCADE);
    INSERT INTO app.users VALUES (1), (2);
    INSERT INTO app.posts SELECT repeat('p', 40) || g, 1 + g % 2 FROM generate_series(0, 19) g;
END $$;
CREATE FUNCTION t.run() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO app.replies (id, post, body) SELECT row_number() OVER (), id, 'r' FROM app.posts, generate_series(1, 3);
    CREATE FUNCTION app.late() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
        IF old.id = repeat('p', 40) || '0' THEN
            INSERT INTO app.replies (id, post) VALUES (1000, repeat('p', 40) || '10');
        END IF;
        RETURN NULL;
    END $f$;
    CREATE TRIGGER late AFTER DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.late();
    PERFORM vedfolnir_register_subject('app.users');
END $$;
CREATE FUNCTION t.outcome(OUT posts bigint, OUT replies bigint, OUT orphans bigint, OUT audited text, OUT batches text) LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM app.posts), (SELECT count(*) FROM app.replies),
           (SELECT count(*) FROM app.replies r WHERE NOT EXISTS (SELECT FROM app.posts p WHERE p.id = r.post)),
           (SELECT string_agg(relation || ' ' || n, ', ' ORDER BY relation) FROM (SELECT relation, sum(row_count) AS n FROM vedfolnir.audit_log GROUP BY 1) a),
           (SELECT string_agg(row_count::text, ' ' ORDER BY id) FROM vedfolnir.audit_log WHERE relation = 'app.posts') $$;
SET client_min_messages = warning;
\set ECHO queries

SELECT t.build();
CREATE TABLE app.replies (id int, post text NOT NULL REFERENCES app.posts ON DELETE CASCADE, body text);
SELECT t.run();
CALL vedfolnir_delete_user_in_batches('1', 2);
SELECT * FROM t.outcome();

-- What refers has an index.
SELECT t.build();
CREATE TABLE app.replies (id int, post text NOT NULL REFERENCES app.posts ON DELETE CASCADE, body text);
CREATE INDEX ON app.replies (post);
SELECT t.run();
CALL vedfolnir_delete_user_in_batches('1', 2);
SELECT * FROM t.outcome();

-- Pages of an unlogged table do not tell when they were changed last.
SELECT t.build();
CREATE UNLOGGED TABLE app.replies (id int, post text NOT NULL REFERENCES app.posts ON DELETE CASCADE, body text);
SELECT t.run();
CALL vedfolnir_delete_user_in_batches('1', 2);
SELECT * FROM t.outcome();

-- A partition with its columns in other places.
SELECT t.build();
CREATE TABLE app.replies (id int, post text NOT NULL REFERENCES app.posts ON DELETE CASCADE, body text) PARTITION BY RANGE (id);
CREATE TABLE app.replies_0 PARTITION OF app.replies FOR VALUES FROM (0) TO (1000);
CREATE TABLE app.replies_1 (junk int, body text, post text NOT NULL, id int);
ALTER TABLE app.replies_1 DROP COLUMN junk;
ALTER TABLE app.replies ATTACH PARTITION app.replies_1 FOR VALUES FROM (1000) TO (2000);
SELECT t.run();
CALL vedfolnir_delete_user_in_batches('1', 2);
SELECT * FROM t.outcome();

-- A row whose values lie elsewhere is not read, but asked for as in a run.
SELECT t.build();
CREATE TABLE app.replies (id int, post text NOT NULL REFERENCES app.posts ON DELETE CASCADE, body text DEFAULT repeat('b', 10000));
ALTER TABLE app.replies ALTER COLUMN body SET STORAGE EXTERNAL;
SELECT t.run();
CALL vedfolnir_delete_user_in_batches('1', 2);
SELECT * FROM t.outcome();

-- Every edge counted: the same rows.
SET vedfolnir.prove_all = on;
SELECT t.build();
CREATE TABLE app.replies (id int, post text NOT NULL REFERENCES app.posts ON DELETE CASCADE, body text);
CREATE INDEX ON app.replies (post);
SELECT t.run();
CALL vedfolnir_delete_user_in_batches('1', 2);
SELECT * FROM t.outcome();
