// What lies in a server's SQLite file, table by table.

/** The revision of the tables below. A file with a higher one is not opened. */
export const storeFormat = 4

/** Made once, in an empty file. Readable with any SQLite tool while the server runs. */
export const schema = `
-- Whose file this is: "set", "replica", "format", "complete" (1: the store was filled once), and "life"
-- (the name of the life that the set is in).
CREATE TABLE meta (
  key    TEXT PRIMARY KEY,
  value  ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- Every log: its name, the highest seq held (the version vector), the highest seq that is not among
-- the updates any more or never was (the floor), and how far "filed" below knows its updates.
CREATE TABLE origins (
  origin  INTEGER PRIMARY KEY,
  id      TEXT NOT NULL UNIQUE,
  seq     INTEGER NOT NULL DEFAULT 0,
  floor   INTEGER NOT NULL DEFAULT 0,
  filed   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Every document and entry; is_entry: it shows up in the folder.
CREATE TABLE subjects (
  subject   INTEGER PRIMARY KEY,
  id        TEXT NOT NULL UNIQUE,
  is_entry  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX entries ON subjects (id) WHERE is_entry;

-- The logs. record: a fourfold.v1.Update without origin, seq and subject, which are the row's.
-- checksum: CRC-32 of the record, the ids of subject and origin, and seq in 4 bytes, the lowest first.
CREATE TABLE updates (
  origin    INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  subject   INTEGER NOT NULL,
  checksum  INTEGER NOT NULL,
  record    BLOB NOT NULL,
  PRIMARY KEY (origin, seq)
) STRICT, WITHOUT ROWID;

-- Which updates a subject has, up to origins.filed of each log. Written behind, many rows at once:
-- an index kept with every commit would touch a page per document and make commits three times
-- as long.
CREATE TABLE filed (
  subject  INTEGER NOT NULL,
  origin   INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  PRIMARY KEY (subject, origin, seq)
) STRICT, WITHOUT ROWID;

-- Which updates a subject has, all of them. (CROSS JOIN: the few logs first, never all updates.)
CREATE VIEW places (subject, origin, seq) AS
  SELECT subject, origin, seq FROM filed
  UNION ALL
  SELECT updates.subject, updates.origin, updates.seq
  FROM origins CROSS JOIN updates
    ON updates.origin = origins.origin AND updates.seq > origins.filed
  WHERE origins.filed < origins.seq;

-- Subjects merged: one piece after compaction, more while received ones wait to be merged.
-- record: a fourfold.v1.Snapshot. checksum: CRC-32 of the record.
CREATE TABLE pieces (
  piece     INTEGER PRIMARY KEY AUTOINCREMENT,
  subject   INTEGER NOT NULL,
  checksum  INTEGER NOT NULL,
  record    BLOB NOT NULL
) STRICT;
CREATE INDEX pieces_by_subject ON pieces (subject);

-- How far each piece stands for the logs: every update of the subject up to here is in it, and
-- such an update is not read any more, even while its row is still there.
CREATE TABLE covers (
  subject  INTEGER NOT NULL,
  origin   INTEGER NOT NULL,
  piece    INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  PRIMARY KEY (subject, origin, piece)
) STRICT, WITHOUT ROWID;
CREATE INDEX covers_by_origin ON covers (origin, seq, subject);

-- Rows of updates that compaction has yet to delete: of the subject, in the log, up to seq.
CREATE TABLE removals (
  subject  INTEGER NOT NULL,
  origin   INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  PRIMARY KEY (subject, origin)
) STRICT, WITHOUT ROWID;

-- Operations that took effect, so that they have one effect; at: when that was stored here, in
-- milliseconds that count only while the store is open and go on from the highest here when it is
-- opened again; digest: of what was asked, empty: not told.
CREATE TABLE operations (
  id       TEXT PRIMARY KEY,
  subject  INTEGER NOT NULL,
  at       REAL NOT NULL,
  digest   TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX operations_by_age ON operations (at);
CREATE INDEX operations_by_subject ON operations (subject, at);

-- Records that did not match their checksum and were replaced from a peer. Nothing reads them; they
-- are for people. origin and seq are empty for a piece.
CREATE TABLE quarantine (
  number    INTEGER PRIMARY KEY,
  at        REAL NOT NULL,
  subject   TEXT NOT NULL,
  origin    TEXT,
  seq       INTEGER,
  checksum  INTEGER NOT NULL,
  record    BLOB NOT NULL
) STRICT;
`

/** What makes a file of each format one of the next, from the first on. */
export const upgrades = [
  `
    ALTER TABLE operations ADD COLUMN digest TEXT NOT NULL DEFAULT '';
    CREATE INDEX operations_by_subject ON operations (subject, at);
  `,
  // The tables are the same; from the third on a journal lies beside the file, which an older Fourfold
  // would leave unread.
  '',
  // Before, milliseconds since 1970 by a clock that may have been wrong: all count as stored just now.
  'UPDATE operations SET at = 0',
]
