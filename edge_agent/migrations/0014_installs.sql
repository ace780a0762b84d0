-- Each version of a package that was ever to be installed here, and where it stands.
CREATE TABLE installs (
    package TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    target TEXT NOT NULL,
    length INTEGER NOT NULL,
    document TEXT NOT NULL,
    signature TEXT NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    release_counter INTEGER NOT NULL DEFAULT 0,
    signed TEXT NOT NULL DEFAULT '',
    digest TEXT NOT NULL DEFAULT '',
    failure TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (package, sha256)
);
CREATE UNIQUE INDEX install_in_use ON installs (package) WHERE state IN ('probation', 'active');
