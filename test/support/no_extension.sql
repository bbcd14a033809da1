-- What the test before has left behind goes: for tests that create the extension themselves.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS vedfolnir CASCADE;
DROP SCHEMA IF EXISTS app CASCADE;
RESET client_min_messages;
