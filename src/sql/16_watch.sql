-- Ways to a person that DDL made while vedfolnir_watch() was on. An observation, so it is not dumped.

CREATE TABLE vedfolnir.watch (
    switched_on_by name NOT NULL,
    switched_on_at timestamptz PRIMARY KEY DEFAULT pg_catalog.clock_timestamp() -- a key, since all tables may be published
);
COMMENT ON TABLE vedfolnir.watch IS 'one row while vedfolnir_watch() is meant to be on; the event trigger itself is no part of a dump';

SELECT pg_catalog.pg_extension_config_dump('vedfolnir.watch', '');

CREATE TABLE vedfolnir.watched_path (
    subject         name NOT NULL,
    relation        regclass NOT NULL,
    relation_schema name NOT NULL,
    relation_name   name NOT NULL,
    edge            name NOT NULL,
    command         text,
    made_by         name NOT NULL,
    seen_at         timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (subject, relation, edge)
);
COMMENT ON TABLE vedfolnir.watched_path IS 'edges that lead to a subject; command is empty for those that were there when the watch began';
