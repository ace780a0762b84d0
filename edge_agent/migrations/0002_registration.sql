-- How this terminal proves itself, and where and by whom what it proves itself with is renewed.
ALTER TABLE identity ADD COLUMN ladder INTEGER NOT NULL DEFAULT 0;
ALTER TABLE identity ADD COLUMN authority TEXT NOT NULL DEFAULT '';
ALTER TABLE identity ADD COLUMN certificate TEXT NOT NULL DEFAULT '';
ALTER TABLE identity ADD COLUMN url TEXT NOT NULL DEFAULT '';
ALTER TABLE identity ADD COLUMN pinned TEXT NOT NULL DEFAULT '';

-- Which decision the kept standing is, what this PC was when it was last looked at, and what was told of already.
ALTER TABLE registration ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
CREATE TABLE inventory (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    gate_digest TEXT NOT NULL,
    body TEXT NOT NULL,
    missing_since TEXT NOT NULL
);
CREATE TABLE problems (
    told INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    UNIQUE (kind, about)
);
