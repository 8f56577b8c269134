// What lies in a mirror's SQLite file, and how an older one becomes like that.

import type { DatabaseSync } from 'node:sqlite'

/** The store was made by a later version. */
export class MirrorVersionError extends Error {}

const notes = `
  CREATE TABLE earlier (
    id TEXT NOT NULL, version TEXT NOT NULL, text TEXT NOT NULL, replaced_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX earlier_by_id ON earlier (id);
  CREATE TABLE intents (operation TEXT PRIMARY KEY, value TEXT NOT NULL, text INTEGER) STRICT;
  CREATE TABLE works (id TEXT PRIMARY KEY, value TEXT NOT NULL, text INTEGER) STRICT, WITHOUT ROWID;
  CREATE TABLE displaced (file TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

// A text is written once: what is under way hands it on to what is common.
const texts = `
  CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
  CREATE TABLE common (
    id TEXT PRIMARY KEY, path TEXT NOT NULL, kind TEXT NOT NULL, version TEXT NOT NULL,
    identity TEXT NOT NULL, size INTEGER, modified INTEGER, changed INTEGER, text INTEGER
  ) STRICT, WITHOUT ROWID;
`

// How far the folder's text had come, in JSON; none: not known.
const reaches = 'ALTER TABLE common ADD COLUMN reach TEXT;'

// Until 2 the texts were in the rows themselves.
const fromSecond = `
  ALTER TABLE common RENAME TO before;
  ${texts}
  INSERT INTO texts SELECT row_number() OVER (ORDER BY id), text FROM before;
  INSERT INTO common
    SELECT id, path, kind, version, identity, size, modified, changed, row_number() OVER (ORDER BY id)
    FROM before;
  DROP TABLE before;
  ALTER TABLE intents ADD COLUMN text INTEGER;
  INSERT INTO texts SELECT -rowid, json_extract(value, '$.text') FROM intents;
  UPDATE intents SET text = -rowid;
  ALTER TABLE works ADD COLUMN text INTEGER;
  UPDATE works SET text = -1000000000 - (SELECT count(*) FROM works AS other WHERE other.id < works.id);
  INSERT INTO texts SELECT text, json_extract(value, '$.text') FROM works;
`

/** 2: files that are no text. 3: a text is a row of its own. 4: how far texts had come. */
const schemaVersion = 4

/** Throws MirrorVersionError. */
export function prepareStore(database: DatabaseSync): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
    user_version: number
  }
  if (version > schemaVersion) throw new MirrorVersionError()
  database.exec('BEGIN EXCLUSIVE')
  if (version === 0) database.exec(notes + texts)
  else if (version < 3) database.exec(fromSecond)
  if (version < schemaVersion) database.exec(`${reaches} PRAGMA user_version = ${schemaVersion}`)
  database.exec('COMMIT')
}
