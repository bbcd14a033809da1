/* Vedfolnir: deletes one person from a database, completely, and proves it. */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION vedfolnir" to load this file. \quit

CREATE SCHEMA vedfolnir;
COMMENT ON SCHEMA vedfolnir IS 'state of the extension vedfolnir: configuration, audit and queue';
