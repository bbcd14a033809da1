-- Who may delete whom: the company of a person, and who administers it.

CREATE TABLE vedfolnir.tenancy (
    subject         name PRIMARY KEY REFERENCES vedfolnir.subject,
    relation        regclass NOT NULL,
    relation_schema name NOT NULL,
    relation_name   name NOT NULL,
    tenant_column   name NOT NULL,
    administrator   text NOT NULL,
    parsed          text NOT NULL
);
COMMENT ON TABLE vedfolnir.tenancy IS 'column of the root table that names the company, and the expression that says who administers it';

SELECT pg_catalog.pg_extension_config_dump('vedfolnir.tenancy', '');
