-- Pictures of offerings that the controller was told of in this epoch: each is told once.
CREATE TABLE pictures_told (
    sha256 TEXT PRIMARY KEY
);
