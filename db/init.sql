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

-- Running upgrade 0002 -> 0003

ALTER TABLE videos ADD COLUMN file_name VARCHAR(255);

ALTER TABLE videos ADD COLUMN sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin;

ALTER TABLE videos ADD COLUMN downloadable BOOL NOT NULL DEFAULT 0;

ALTER TABLE videos ADD COLUMN container VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'mp4';

ALTER TABLE videos ADD COLUMN playable BOOL NOT NULL DEFAULT 1;

ALTER TABLE videos ADD COLUMN refusal VARCHAR(300);

CREATE TABLE jobs (
    id BIGINT NOT NULL AUTO_INCREMENT,
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(16) NOT NULL,
    height INTEGER NOT NULL DEFAULT 0,
    state VARCHAR(16) NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    worker VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    leased_until DATETIME(6),
    not_before DATETIME(6),
    progress DOUBLE NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL,
    started_at DATETIME(6),
    finished_at DATETIME(6),
    estimate DOUBLE,
    seconds DOUBLE,
    error VARCHAR(300),
    detail TEXT,
    CONSTRAINT pk_jobs PRIMARY KEY (id),
    CONSTRAINT fk_jobs_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE,
    CONSTRAINT uq_jobs_video_id_kind_height UNIQUE (video_id, kind, height),
    CONSTRAINT ck_jobs_jobkind CHECK (kind IN ('check', 'pictures', 'copy', 'audio', 'rung')),
    CONSTRAINT ck_jobs_jobstate CHECK (state IN ('waiting', 'running', 'done', 'failed'))
);

CREATE INDEX ix_jobs_state_kind_height ON jobs (state, kind, height);

CREATE TABLE renditions (
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(16) NOT NULL,
    codecs VARCHAR(64) NOT NULL,
    bandwidth BIGINT NOT NULL,
    average_bandwidth BIGINT NOT NULL,
    size BIGINT NOT NULL,
    width INTEGER,
    height INTEGER,
    frame_rate DOUBLE,
    language VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    title VARCHAR(64),
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_renditions PRIMARY KEY (video_id, name),
    CONSTRAINT fk_renditions_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE,
    CONSTRAINT ck_renditions_renditionkind CHECK (kind IN ('video', 'audio'))
);

CREATE TABLE captions (
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    language VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    label VARCHAR(64) NOT NULL,
    body MEDIUMTEXT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_captions PRIMARY KEY (video_id, language),
    CONSTRAINT fk_captions_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE
);

CREATE TABLE positions (
    user_id BIGINT NOT NULL,
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    position_ms BIGINT NOT NULL,
    watched_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_positions PRIMARY KEY (user_id, video_id),
    CONSTRAINT fk_positions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_positions_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE
);

CREATE INDEX ix_positions_video_id ON positions (video_id);

INSERT INTO jobs (video_id, kind, state, created_at) SELECT id, 'check', 'waiting', created_at FROM videos WHERE deleted_at IS NULL;

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

-- Running upgrade 0003 -> 0004

CREATE INDEX ix_jobs_started_at ON jobs (started_at);

UPDATE alembic_version SET version_num='0004' WHERE alembic_version.version_num = '0003';

-- Running upgrade 0004 -> 0005

ALTER TABLE users RENAME COLUMN founder TO is_first_account;

ALTER TABLE uploads RENAME COLUMN details TO tus_metadata;

ALTER TABLE videos RENAME COLUMN refusal TO rejection_reason;

ALTER TABLE jobs RENAME COLUMN detail TO log_tail;

ALTER TABLE users RENAME INDEX uq_users_founder TO uq_users_is_first_account;

ALTER TABLE jobs DROP CHECK ck_jobs_jobkind;

ALTER TABLE jobs ADD CONSTRAINT ck_jobs_jobkind CHECK (kind IN ('check', 'pictures', 'copy', 'audio', 'rung', 'remux', 'thumbnails', 'rendition'));

UPDATE jobs SET kind = 'thumbnails' WHERE kind = 'pictures';

UPDATE jobs SET kind = 'remux' WHERE kind = 'copy';

UPDATE jobs SET kind = 'rendition' WHERE kind = 'rung';

ALTER TABLE jobs DROP CHECK ck_jobs_jobkind;

ALTER TABLE jobs ADD CONSTRAINT ck_jobs_jobkind CHECK (kind IN ('check', 'remux', 'audio', 'thumbnails', 'rendition'));

UPDATE alembic_version SET version_num='0005' WHERE alembic_version.version_num = '0004';

-- Running upgrade 0005 -> 0006

ALTER TABLE videos MODIFY duration_ms BIGINT NULL;

ALTER TABLE videos MODIFY width INTEGER NULL;

ALTER TABLE videos MODIFY height INTEGER NULL;

ALTER TABLE videos MODIFY video_codec VARCHAR(64) NULL;

UPDATE alembic_version SET version_num='0006' WHERE alembic_version.version_num = '0005';

-- Running upgrade 0006 -> 0007

CREATE TABLE audit (
    id BIGINT NOT NULL AUTO_INCREMENT,
    at DATETIME(6) NOT NULL,
    actor_id BIGINT,
    actor_name VARCHAR(40) NOT NULL,
    action VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin,
    object_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    details TEXT NOT NULL,
    address VARCHAR(64) NOT NULL,
    request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (id)
);

CREATE INDEX ix_audit_actor_id_id ON audit (actor_id, id);

CREATE INDEX ix_audit_video_id_id ON audit (video_id, id);

CREATE TABLE `groups` (
    id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(100) NOT NULL,
    for_everyone BOOL NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_groups PRIMARY KEY (id)
);

CREATE TABLE tags (
    id BIGINT NOT NULL AUTO_INCREMENT,
    name VARCHAR(40) NOT NULL,
    name_key VARCHAR(120) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
    CONSTRAINT pk_tags PRIMARY KEY (id),
    CONSTRAINT uq_tags_name_key UNIQUE (name_key)
);

CREATE TABLE group_members (
    group_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id BIGINT NOT NULL,
    `role` VARCHAR(16) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_group_members PRIMARY KEY (group_id, user_id),
    CONSTRAINT fk_group_members_group_id_groups FOREIGN KEY(group_id) REFERENCES `groups` (id) ON DELETE CASCADE,
    CONSTRAINT fk_group_members_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_group_members_grouprole CHECK (`role` IN ('member', 'manager'))
);

CREATE INDEX ix_group_members_user_id ON group_members (user_id);

CREATE TABLE shared_seen (
    user_id BIGINT NOT NULL,
    seen_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_shared_seen PRIMARY KEY (user_id),
    CONSTRAINT fk_shared_seen_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE collections (
    id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner_id BIGINT NOT NULL,
    title VARCHAR(200) NOT NULL,
    description TEXT NOT NULL,
    cover_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_collections PRIMARY KEY (id),
    CONSTRAINT fk_collections_cover_id_videos FOREIGN KEY(cover_id) REFERENCES videos (id) ON DELETE SET NULL,
    CONSTRAINT fk_collections_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_collections_owner_id ON collections (owner_id);

CREATE TABLE video_tags (
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tag_id BIGINT NOT NULL,
    CONSTRAINT pk_video_tags PRIMARY KEY (video_id, tag_id),
    CONSTRAINT fk_video_tags_tag_id_tags FOREIGN KEY(tag_id) REFERENCES tags (id) ON DELETE CASCADE,
    CONSTRAINT fk_video_tags_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE
);

CREATE INDEX ix_video_tags_tag_id ON video_tags (tag_id);

CREATE TABLE collection_items (
    collection_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    place INTEGER NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_collection_items PRIMARY KEY (collection_id, video_id),
    CONSTRAINT fk_collection_items_collection_id_collections FOREIGN KEY(collection_id) REFERENCES collections (id) ON DELETE CASCADE,
    CONSTRAINT fk_collection_items_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE
);

CREATE INDEX ix_collection_items_video_id ON collection_items (video_id);

CREATE TABLE grants (
    id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin,
    collection_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin,
    user_id BIGINT,
    group_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin,
    level VARCHAR(16) NOT NULL,
    expires_at DATETIME(6),
    granted_by_id BIGINT,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_grants PRIMARY KEY (id),
    CONSTRAINT ck_grants_one_subject CHECK ((user_id IS NULL) <> (group_id IS NULL)),
    CONSTRAINT ck_grants_one_object CHECK ((video_id IS NULL) <> (collection_id IS NULL)),
    CONSTRAINT fk_grants_collection_id_collections FOREIGN KEY(collection_id) REFERENCES collections (id) ON DELETE CASCADE,
    CONSTRAINT fk_grants_granted_by_id_users FOREIGN KEY(granted_by_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT fk_grants_group_id_groups FOREIGN KEY(group_id) REFERENCES `groups` (id) ON DELETE CASCADE,
    CONSTRAINT fk_grants_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_grants_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE,
    CONSTRAINT uq_grants_collection_id_group_id UNIQUE (collection_id, group_id),
    CONSTRAINT uq_grants_collection_id_user_id UNIQUE (collection_id, user_id),
    CONSTRAINT uq_grants_video_id_group_id UNIQUE (video_id, group_id),
    CONSTRAINT uq_grants_video_id_user_id UNIQUE (video_id, user_id),
    CONSTRAINT ck_grants_level CHECK (level IN ('watch', 'download', 'edit', 'share'))
);

CREATE INDEX ix_grants_group_id ON grants (group_id);

CREATE INDEX ix_grants_user_id ON grants (user_id);

CREATE TABLE links (
    id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    token_hash VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin,
    collection_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin,
    label VARCHAR(100) NOT NULL,
    level VARCHAR(16) NOT NULL,
    created_by_id BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6),
    password_hash VARCHAR(255),
    max_views INTEGER,
    view_count INTEGER NOT NULL DEFAULT 0,
    last_used_at DATETIME(6),
    show_title BOOL NOT NULL DEFAULT 0,
    CONSTRAINT pk_links PRIMARY KEY (id),
    CONSTRAINT ck_links_link_level CHECK (level IN ('watch', 'download')),
    CONSTRAINT ck_links_one_object CHECK ((video_id IS NULL) <> (collection_id IS NULL)),
    CONSTRAINT fk_links_collection_id_collections FOREIGN KEY(collection_id) REFERENCES collections (id) ON DELETE CASCADE,
    CONSTRAINT fk_links_created_by_id_users FOREIGN KEY(created_by_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_links_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE,
    CONSTRAINT uq_links_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_links_level CHECK (level IN ('watch', 'download', 'edit', 'share'))
);

CREATE INDEX ix_links_collection_id ON links (collection_id);

CREATE INDEX ix_links_created_by_id ON links (created_by_id);

CREATE INDEX ix_links_video_id ON links (video_id);

CREATE TABLE link_visits (
    token_hash VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    link_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_link_visits PRIMARY KEY (token_hash),
    CONSTRAINT fk_link_visits_link_id_links FOREIGN KEY(link_id) REFERENCES links (id) ON DELETE CASCADE
);

CREATE INDEX ix_link_visits_link_id ON link_visits (link_id);

ALTER TABLE videos ADD COLUMN binned_at DATETIME(6);

CREATE INDEX ix_videos_binned_at ON videos (binned_at);

UPDATE alembic_version SET version_num='0007' WHERE alembic_version.version_num = '0006';

-- Running upgrade 0007 -> 0008

CREATE TABLE search_words (
    word VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    CONSTRAINT pk_search_words PRIMARY KEY (word, video_id),
    CONSTRAINT fk_search_words_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE
);

CREATE INDEX ix_search_words_video_id ON search_words (video_id);

CREATE INDEX ix_videos_binned_at_created_at ON videos (binned_at, created_at, id);

DROP INDEX ix_videos_binned_at ON videos;

UPDATE alembic_version SET version_num='0008' WHERE alembic_version.version_num = '0007';

-- Running upgrade 0008 -> 0009

ALTER TABLE users ADD COLUMN language VARCHAR(8);

UPDATE alembic_version SET version_num='0009' WHERE alembic_version.version_num = '0008';

-- Running upgrade 0009 -> 0010

ALTER TABLE uploads ADD COLUMN intent TEXT;

CREATE INDEX ix_videos_owner_id_sha256 ON videos (owner_id, sha256);

UPDATE alembic_version SET version_num='0010' WHERE alembic_version.version_num = '0009';

-- Running upgrade 0010 -> 0011

ALTER TABLE positions ADD COLUMN finished_at DATETIME(6);

ALTER TABLE videos ADD COLUMN poster_version INTEGER NOT NULL DEFAULT 0;

CREATE TABLE poster_choices (
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at_ms BIGINT,
    image MEDIUMBLOB,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_poster_choices PRIMARY KEY (video_id),
    CONSTRAINT fk_poster_choices_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id) ON DELETE CASCADE
);

ALTER TABLE jobs DROP CHECK ck_jobs_jobkind;

ALTER TABLE jobs ADD CONSTRAINT ck_jobs_jobkind CHECK (kind IN ('poster', 'check', 'remux', 'audio', 'thumbnails', 'rendition'));

UPDATE alembic_version SET version_num='0011' WHERE alembic_version.version_num = '0010';

-- Running upgrade 0011 -> 0012

ALTER TABLE users ADD COLUMN last_seen_at DATETIME(6);

ALTER TABLE volumes ADD COLUMN size BIGINT;

ALTER TABLE volumes ADD COLUMN free BIGINT;

ALTER TABLE volumes ADD COLUMN measured_at DATETIME(6);

CREATE TABLE settings (
    `key` VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    value TEXT NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    updated_by_id BIGINT,
    CONSTRAINT pk_settings PRIMARY KEY (`key`),
    CONSTRAINT fk_settings_updated_by_id_users FOREIGN KEY(updated_by_id) REFERENCES users (id) ON DELETE SET NULL
);

CREATE TABLE logos (
    sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    content MEDIUMBLOB NOT NULL,
    CONSTRAINT pk_logos PRIMARY KEY (sha256)
);

CREATE TABLE invitations (
    id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    token_hash VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    label VARCHAR(100) NOT NULL,
    `role` VARCHAR(16) NOT NULL,
    max_uses INTEGER,
    uses INTEGER NOT NULL DEFAULT 0,
    created_by_id BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6),
    revoked_at DATETIME(6),
    CONSTRAINT pk_invitations PRIMARY KEY (id),
    CONSTRAINT fk_invitations_created_by_id_users FOREIGN KEY(created_by_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_invitations_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_invitations_role CHECK (`role` IN ('viewer', 'uploader', 'admin'))
);

CREATE INDEX ix_invitations_created_by_id ON invitations (created_by_id);

CREATE TABLE invitation_groups (
    invitation_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    group_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    CONSTRAINT pk_invitation_groups PRIMARY KEY (invitation_id, group_id),
    CONSTRAINT fk_invitation_groups_invitation_id_invitations FOREIGN KEY(invitation_id) REFERENCES invitations (id) ON DELETE CASCADE,
    CONSTRAINT fk_invitation_groups_group_id_groups FOREIGN KEY(group_id) REFERENCES `groups` (id) ON DELETE CASCADE
);

CREATE INDEX ix_invitation_groups_group_id ON invitation_groups (group_id);

CREATE TABLE password_links (
    user_id BIGINT NOT NULL,
    token_hash VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_by_id BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_password_links PRIMARY KEY (user_id),
    CONSTRAINT fk_password_links_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_password_links_created_by_id_users FOREIGN KEY(created_by_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_password_links_token_hash UNIQUE (token_hash)
);

CREATE INDEX ix_password_links_created_by_id ON password_links (created_by_id);

UPDATE alembic_version SET version_num='0012' WHERE alembic_version.version_num = '0011';

-- Running upgrade 0012 -> 0013

CREATE TABLE objects (
    id BIGINT NOT NULL AUTO_INCREMENT,
    video_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    store VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `key` VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    size BIGINT,
    sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    state VARCHAR(16) NOT NULL,
    is_current BOOL,
    changed_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_objects PRIMARY KEY (id),
    CONSTRAINT fk_objects_video_id_videos FOREIGN KEY(video_id) REFERENCES videos (id),
    CONSTRAINT uq_objects_video_id_name_is_current UNIQUE (video_id, name, is_current),
    CONSTRAINT uq_objects_store_key UNIQUE (store, `key`),
    CONSTRAINT ck_objects_objectstate CHECK (state IN ('writing', 'current', 'retired'))
);

CREATE INDEX ix_objects_state_changed_at ON objects (state, changed_at);

UPDATE alembic_version SET version_num='0013' WHERE alembic_version.version_num = '0012';

-- Running upgrade 0013 -> 0014

CREATE TABLE leases (
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    holder VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    leased_until DATETIME(6),
    fence INTEGER NOT NULL,
    CONSTRAINT pk_leases PRIMARY KEY (name)
);

UPDATE alembic_version SET version_num='0014' WHERE alembic_version.version_num = '0013';

-- Running upgrade 0014 -> 0015

ALTER TABLE uploads ADD COLUMN offset BIGINT;

ALTER TABLE uploads ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;

ALTER TABLE uploads ADD COLUMN locked_by VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin;

ALTER TABLE uploads ADD COLUMN locked_until DATETIME(6);

UPDATE alembic_version SET version_num='0015' WHERE alembic_version.version_num = '0014';

-- Running upgrade 0015 -> 0016

ALTER TABLE uploads ADD COLUMN part_size BIGINT;

ALTER TABLE uploads ADD COLUMN multipart_key VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin;

ALTER TABLE uploads ADD COLUMN multipart_id TEXT;

ALTER TABLE uploads ADD COLUMN part_numbers INTEGER;

ALTER TABLE uploads ADD COLUMN tail_key VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE upload_parts (
    upload_id VARCHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number INTEGER NOT NULL,
    etag VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    CONSTRAINT pk_upload_parts PRIMARY KEY (upload_id, number),
    CONSTRAINT fk_upload_parts_upload_id_uploads FOREIGN KEY(upload_id) REFERENCES uploads (id) ON DELETE CASCADE
);

UPDATE alembic_version SET version_num='0016' WHERE alembic_version.version_num = '0015';
