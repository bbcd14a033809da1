-- Mirrors: an application's own audit tables get a copy of each row that a deletion removes.

CREATE TABLE vedfolnir.mirror (
    subject         name NOT NULL REFERENCES vedfolnir.subject,
    relation        regclass NOT NULL,
    relation_schema name NOT NULL,
    relation_name   name NOT NULL,
    mirror          regclass NOT NULL,
    mirror_schema   name NOT NULL,
    mirror_name     name NOT NULL,
    columns         jsonb NOT NULL,
    parsed          jsonb NOT NULL,
    PRIMARY KEY (subject, relation, mirror)
);
COMMENT ON TABLE vedfolnir.mirror IS 'audit tables of the application that get a copy of each deleted row; parsed holds an expression per column';
CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON vedfolnir.mirror
    FOR EACH STATEMENT EXECUTE FUNCTION vedfolnir.configuration_changed();
ALTER TABLE vedfolnir.mirror ENABLE ALWAYS TRIGGER configuration_changed;

SELECT pg_catalog.pg_extension_config_dump('vedfolnir.mirror', '');
