-- The application of test/tap/145_churn.pl: every shape of reference, and a ledger of what its own sessions insert and delete.
CREATE SCHEMA app;
CREATE TABLE app.person (id int PRIMARY KEY, inviter int REFERENCES app.person ON DELETE SET NULL, seen int NOT NULL DEFAULT 0);
CREATE SEQUENCE app.ids;
-- A self reference across people, and what hangs on it; behind that, rows of others that stay.
CREATE TABLE app.post (id int PRIMARY KEY, author int REFERENCES app.person ON DELETE CASCADE, parent int REFERENCES app.post ON DELETE CASCADE);
CREATE TABLE app.comment (id int PRIMARY KEY, post int NOT NULL REFERENCES app.post ON DELETE CASCADE, author int REFERENCES app.person ON DELETE SET NULL);
-- Nothing is declared that would help: RESTRICT and NO ACTION, deferred.
CREATE TABLE app.ticket (id int PRIMARY KEY, person int NOT NULL REFERENCES app.person ON DELETE RESTRICT);
CREATE TABLE app.step (id int PRIMARY KEY, ticket int NOT NULL REFERENCES app.ticket DEFERRABLE INITIALLY DEFERRED, seen int NOT NULL DEFAULT 0);
-- A cycle of two tables.
CREATE TABLE app.folder (id int PRIMARY KEY, owner int REFERENCES app.person ON DELETE CASCADE, doc int);
CREATE TABLE app.doc (id int PRIMARY KEY, folder int REFERENCES app.folder ON DELETE RESTRICT);
ALTER TABLE app.folder ADD CONSTRAINT folder_doc_fkey FOREIGN KEY (doc) REFERENCES app.doc;
-- A composite key.
CREATE TABLE app.account (person int NOT NULL REFERENCES app.person ON DELETE CASCADE, no int NOT NULL, PRIMARY KEY (person, no));
CREATE TABLE app.booking (id int PRIMARY KEY, person int, no int, seen int NOT NULL DEFAULT 0, FOREIGN KEY (person, no) REFERENCES app.account ON DELETE CASCADE);
-- A partitioned table on either side; rows move between partitions.
CREATE TABLE app.event (id int, kind int, person int REFERENCES app.person ON DELETE CASCADE, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE app.event_0 PARTITION OF app.event FOR VALUES IN (0);
CREATE TABLE app.event_1 PARTITION OF app.event FOR VALUES IN (1);
CREATE TABLE app.remark (id int PRIMARY KEY, event int, kind int, FOREIGN KEY (event, kind) REFERENCES app.event ON DELETE CASCADE ON UPDATE CASCADE);
-- What is given to person 0, and what is cleared.
CREATE TABLE app.asset (id int PRIMARY KEY, holder int NOT NULL REFERENCES app.person);
CREATE TABLE app.visit (id int PRIMARY KEY, guest int REFERENCES app.person ON DELETE SET NULL, host int REFERENCES app.person ON DELETE SET NULL);
-- No foreign key: a link. The server stops nobody from inserting behind it.
CREATE TABLE app.log (id int PRIMARY KEY, person int);
-- Tombstones.
CREATE TABLE app.member (id int PRIMARY KEY, name text NOT NULL, seen int NOT NULL DEFAULT 0);
CREATE TABLE app.badge (id int PRIMARY KEY, member int NOT NULL REFERENCES app.member ON DELETE CASCADE);
CREATE TABLE app.pass (id int PRIMARY KEY, member int REFERENCES app.member ON DELETE SET NULL);
-- Some edges with an index, some without.
CREATE INDEX ON app.post (author);
CREATE INDEX ON app.post (parent);
CREATE INDEX ON app.comment (post);
CREATE INDEX ON app.ticket (person);
CREATE INDEX ON app.folder (owner);
CREATE INDEX ON app.folder (doc);
CREATE INDEX ON app.doc (folder);
CREATE INDEX ON app.booking (person, no);
CREATE INDEX ON app.event (person);
CREATE INDEX ON app.asset (holder);
CREATE INDEX ON app.badge (member);

-- Rows that the sessions insert and delete themselves, and references that they could not have given to person 0.
CREATE TABLE app.ledger (relation text NOT NULL, rows int NOT NULL);
CREATE FUNCTION app.given() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.ledger VALUES ('given', 1); RETURN NULL; END $$;
CREATE TRIGGER given AFTER UPDATE ON app.asset FOR EACH ROW WHEN (NEW.holder = 0 AND OLD.holder <> 0) EXECUTE FUNCTION app.given();
CREATE FUNCTION app.cleared() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO app.ledger VALUES ('cleared', (NEW.guest IS NULL AND OLD.guest IS NOT NULL)::int + (NEW.host IS NULL AND OLD.host IS NOT NULL)::int); RETURN NULL; END $$;
CREATE TRIGGER cleared AFTER UPDATE ON app.visit FOR EACH ROW EXECUTE FUNCTION app.cleared();

SELECT vedfolnir_register_subject('app.person');
SELECT vedfolnir_register_subject('app.member', mode => 'tombstone', subject => 'member');
SELECT vedfolnir_set_column('app.member', 'name', '''gone''', subject => 'member');
SELECT vedfolnir_set_policy('app.post', 'post_author_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.post', 'post_parent_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.ticket', 'ticket_person_fkey', 'delete');
SELECT vedfolnir_set_policy('app.step', 'step_ticket_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.folder', 'folder_owner_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.folder', 'folder_doc_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.doc', 'doc_folder_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.asset', 'asset_holder_fkey', 'reassign', reassign_to => '0');
SELECT vedfolnir_add_link('log_person', 'app.log', 'app.person', columns => '{person}', action => 'delete');
INSERT INTO app.person VALUES (0);
INSERT INTO app.ledger VALUES ('app.person', 1);
