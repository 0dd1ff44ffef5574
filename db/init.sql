-- Generated from the migrations by `make init-sql`; do not edit.
-- MySQL's container runs this once, on an empty volume. Older volumes are brought up to date by
-- `python -m db migrate`, which also makes the services' users.

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE users (
    id BIGINT NOT NULL AUTO_INCREMENT,
    name VARCHAR(40) NOT NULL,
    name_key VARCHAR(120) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    `role` VARCHAR(16) NOT NULL,
    disabled_at DATETIME(6),
    founder BOOL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_founder UNIQUE (founder),
    CONSTRAINT uq_users_name_key UNIQUE (name_key),
    CONSTRAINT ck_users_role CHECK (`role` IN ('viewer', 'uploader', 'admin'))
);

CREATE TABLE uploads (
    id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner_id BIGINT NOT NULL,
    submission VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin,
    title VARCHAR(200) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_uploads PRIMARY KEY (id),
    CONSTRAINT fk_uploads_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_uploads_owner_id ON uploads (owner_id);

CREATE TABLE videos (
    id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner_id BIGINT,
    submission VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin,
    title VARCHAR(200) NOT NULL,
    description TEXT NOT NULL,
    visibility VARCHAR(16) NOT NULL,
    size BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    video_codec VARCHAR(64) NOT NULL,
    audio_codec VARCHAR(64),
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    deleted_at DATETIME(6),
    CONSTRAINT pk_videos PRIMARY KEY (id),
    CONSTRAINT fk_videos_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT uq_videos_owner_id_submission UNIQUE (owner_id, submission),
    CONSTRAINT ck_videos_visibility CHECK (visibility IN ('private', 'members', 'public'))
);

CREATE INDEX ix_videos_deleted_at ON videos (deleted_at);

CREATE INDEX ix_videos_visibility_created_at ON videos (visibility, created_at);

INSERT INTO alembic_version (version_num) VALUES ('0001');

-- Running upgrade 0001 -> 0002

CREATE TABLE volumes (
    id INTEGER NOT NULL,
    CONSTRAINT pk_volumes PRIMARY KEY (id)
);

INSERT INTO volumes (id) VALUES (1);

ALTER TABLE users ADD COLUMN quota BIGINT;

ALTER TABLE uploads ADD COLUMN length BIGINT;

ALTER TABLE uploads ADD COLUMN reserved BIGINT;

ALTER TABLE uploads ADD COLUMN details TEXT;

ALTER TABLE uploads ADD COLUMN file_name VARCHAR(255);

ALTER TABLE uploads ADD COLUMN fingerprint VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin;

ALTER TABLE uploads ADD COLUMN expires_at DATETIME(6);

ALTER TABLE uploads ADD COLUMN is_part BOOL;

ALTER TABLE uploads ADD COLUMN parts TEXT;

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';
