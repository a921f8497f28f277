"""The tables. A released migration never changes; another one is added after it.

Times are integer microseconds UTC (`…_us`), indexes are named `user/index`, JSON is text. Nothing here needs an
SQLite newer than 3.27: systems with Python 3.11 have old ones.
"""

from __future__ import annotations

OWN = (
    (
        """CREATE TABLE users (
            name TEXT PRIMARY KEY,
            pwhash TEXT,
            generation INTEGER NOT NULL DEFAULT 0,  -- goes up with each password: login tokens of an older one are dead
            email TEXT,
            title TEXT,
            description TEXT,
            custom_data TEXT,  -- JSON
            created_us INTEGER NOT NULL,
            modified_us INTEGER
        )""",
        """CREATE TABLE tokens (
            id TEXT PRIMARY KEY,
            user TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
            secret_sha256 TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('login', 'token')),
            scope TEXT NOT NULL,
            index_name TEXT,
            created_us INTEGER NOT NULL,
            expires_us INTEGER,
            generation INTEGER NOT NULL,
            description TEXT NOT NULL DEFAULT ''
        )""",
        "CREATE INDEX tokens_of_user ON tokens (user)",
        """CREATE TABLE indexes (
            name TEXT PRIMARY KEY,
            user TEXT NOT NULL REFERENCES users,
            type TEXT NOT NULL CHECK (type IN ('stage', 'mirror')),
            config TEXT NOT NULL,  -- JSON
            created_us INTEGER NOT NULL
        )""",
        """CREATE TABLE releases (
            index_name TEXT NOT NULL REFERENCES indexes ON DELETE CASCADE,
            project TEXT NOT NULL,
            version TEXT NOT NULL,
            metadata TEXT NOT NULL,  -- JSON
            PRIMARY KEY (index_name, project, version)
        ) WITHOUT ROWID""",
        """CREATE TABLE files (
            id INTEGER PRIMARY KEY,
            index_name TEXT NOT NULL,
            project TEXT NOT NULL,
            version TEXT NOT NULL,
            filename TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            md5 TEXT,
            filetype TEXT NOT NULL,
            requires_python TEXT,
            yanked TEXT,  -- NULL: not yanked, '': without a reason
            uploaded_us INTEGER NOT NULL,
            uploaded_by TEXT NOT NULL,
            core_metadata BLOB,
            UNIQUE (index_name, filename),
            FOREIGN KEY (index_name, project, version) REFERENCES releases ON DELETE CASCADE
        )""",
        "CREATE INDEX files_of_release ON files (index_name, project, version)",
        "CREATE INDEX files_by_hash ON files (sha256)",
        """CREATE TABLE changes (
            serial INTEGER PRIMARY KEY AUTOINCREMENT,
            at_us INTEGER NOT NULL,
            index_name TEXT,
            project TEXT,
            kind TEXT NOT NULL,
            filename TEXT,
            detail TEXT NOT NULL  -- JSON
        )""",
        "CREATE INDEX changes_removed ON changes (index_name, filename) WHERE kind = 'remove'",
        """CREATE TABLE seen (
            source TEXT NOT NULL,
            project TEXT NOT NULL,
            first_us INTEGER NOT NULL,
            PRIMARY KEY (source, project)
        ) WITHOUT ROWID""",
        """CREATE TABLE first_hashes (
            source TEXT NOT NULL,
            project TEXT NOT NULL,
            filename TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            first_us INTEGER NOT NULL,
            PRIMARY KEY (source, project, filename)
        ) WITHOUT ROWID""",
    ),
    (
        # What a person wants kept: enough to serve it when the whole cache has been deleted.
        """CREATE TABLE pins (
            source TEXT NOT NULL,
            key TEXT NOT NULL,
            filename TEXT NOT NULL,
            project TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            pinned_us INTEGER NOT NULL,
            PRIMARY KEY (source, key, filename)
        ) WITHOUT ROWID""",
        """CREATE TABLE pinned_pages (
            source TEXT NOT NULL,
            project TEXT NOT NULL,
            head TEXT NOT NULL,  -- JSON, the columns of the cache's pages
            body BLOB NOT NULL,
            PRIMARY KEY (source, project)
        )""",
    ),
    (
        # JSON, devpi's log of a file: upload, overwrite, push. '' before the file was ever pushed or replaced.
        "ALTER TABLE files ADD COLUMN log TEXT NOT NULL DEFAULT ''",
        # What belongs to a release besides its files: its documentation, and test results of its files.
        """CREATE TABLE attachments (
            id INTEGER PRIMARY KEY,
            index_name TEXT NOT NULL,
            project TEXT NOT NULL,
            version TEXT NOT NULL,
            rel TEXT NOT NULL CHECK (rel IN ('doczip', 'toxresult')),
            of_file INTEGER REFERENCES files ON DELETE CASCADE,
            key TEXT NOT NULL,  -- the 16 hex digits below +f: a test result lies beside its file
            filename TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            stored_us INTEGER NOT NULL,
            log TEXT NOT NULL,  -- JSON
            UNIQUE (index_name, key, filename),
            FOREIGN KEY (index_name, project, version) REFERENCES releases ON DELETE CASCADE
        )""",
        "CREATE INDEX attachments_of_release ON attachments (index_name, project, version)",
        "CREATE INDEX attachments_by_hash ON attachments (sha256)",
        "CREATE INDEX attachments_of_file ON attachments (of_file)",
        # Hashes of attachments whose row went, with its file, release or index: their bytes can go.
        "CREATE TABLE released (sha256 TEXT PRIMARY KEY) WITHOUT ROWID",
        """CREATE TRIGGER attachments_released AFTER DELETE ON attachments
            BEGIN INSERT OR IGNORE INTO released VALUES (old.sha256); END""",
        "DROP INDEX changes_removed",
        "CREATE INDEX changes_gone ON changes (index_name, filename) WHERE kind IN ('remove', 'replace')",
    ),
    (
        # What happened to mirrors; not in `changes`, which is about own data and is devpi's serial.
        """CREATE TABLE events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_us INTEGER NOT NULL,
            kind TEXT NOT NULL,
            index_name TEXT,
            project TEXT,
            text TEXT NOT NULL
        )""",
        # Set by hand with `localpi offline`; '' is all mirrors.
        """CREATE TABLE offline (
            index_name TEXT PRIMARY KEY,
            mode TEXT NOT NULL CHECK (mode IN ('on', 'off', 'auto')),
            since_us INTEGER NOT NULL
        ) WITHOUT ROWID""",
        # Files that their page lists no more, or with another hash: as they were.
        """CREATE TABLE kept (
            source TEXT NOT NULL,
            project TEXT NOT NULL,
            filename TEXT NOT NULL,
            why TEXT NOT NULL CHECK (why IN ('gone', 'changed')),
            since_us INTEGER NOT NULL,
            entry TEXT NOT NULL,  -- JSON
            PRIMARY KEY (source, project, filename)
        ) WITHOUT ROWID""",
    ),
)

CACHE = (
    (
        """CREATE TABLE pages (
            id INTEGER PRIMARY KEY,
            source TEXT NOT NULL,
            project TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('present', 'missing')),
            missing_us INTEGER,  -- since when the upstream says that it has none
            url TEXT NOT NULL,
            content_type TEXT NOT NULL,
            encoding TEXT NOT NULL,
            etag TEXT,
            last_modified TEXT,
            fetched_us INTEGER NOT NULL,
            max_age_s INTEGER,
            serial INTEGER,
            UNIQUE (source, project)
        )""",
        # By themselves: a page that is found unchanged is touched without writing its body again.
        """CREATE TABLE bodies (
            page INTEGER PRIMARY KEY REFERENCES pages ON DELETE CASCADE,
            body BLOB NOT NULL
        )""",
        """CREATE TABLE blobs (
            sha256 TEXT PRIMARY KEY,
            size INTEGER NOT NULL,
            stored_us INTEGER NOT NULL,
            used_us INTEGER NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE cached (
            source TEXT NOT NULL,
            key TEXT NOT NULL,
            filename TEXT NOT NULL,
            project TEXT NOT NULL,
            sha256 TEXT NOT NULL REFERENCES blobs ON DELETE CASCADE,
            PRIMARY KEY (source, key, filename)
        ) WITHOUT ROWID""",
        "CREATE INDEX cached_by_hash ON cached (sha256)",
        "CREATE INDEX cached_of_project ON cached (source, project)",
    ),
    (
        "CREATE INDEX blobs_by_use ON blobs (used_us)",
        """CREATE TABLE counters (
            name TEXT PRIMARY KEY,
            value INTEGER NOT NULL
        ) WITHOUT ROWID""",
    ),
    (
        # Wheels whose core metadata cannot be had.
        """CREATE TABLE unusable (
            id INTEGER PRIMARY KEY,
            source TEXT NOT NULL,
            key TEXT NOT NULL,
            filename TEXT NOT NULL,
            UNIQUE (source, key, filename)
        )""",
    ),
)
