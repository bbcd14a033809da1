-- Columns of which somebody has said that they are no reference to a person: vedfolnir_check() does not propose them again.

CREATE TABLE vedfolnir.dismissal (
    subject         name NOT NULL REFERENCES vedfolnir.subject,
    relation        regclass NOT NULL,
    relation_schema name NOT NULL,
    relation_name   name NOT NULL,
    column_name     name NOT NULL,
    reason          text NOT NULL,
    PRIMARY KEY (subject, relation, column_name)
);
COMMENT ON TABLE vedfolnir.dismissal IS 'columns that are no reference to a person, with the reason; vedfolnir_check() does not propose them as links';

SELECT pg_catalog.pg_extension_config_dump('vedfolnir.dismissal', '');
