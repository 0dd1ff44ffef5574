"""The rights of each service's MySQL user: who writes which table, as grants.

Every service may read all tables. Deleting an account needs no right on videos: the foreign key
sets their owner to NULL, and the janitor removes videos without an owner.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, NullPool, create_engine, text

from db.models import Base

_ALL = ("INSERT", "UPDATE", "DELETE")
_AUDIT = {"audit": ("INSERT",)}  # nobody changes or deletes an entry
_LAST_SEEN = ("UPDATE (last_seen_at)",)  # of whoever uses the service
_WRITES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "auth": {
        "users": _ALL,
        "groups": _ALL,
        "group_members": _ALL,
        "invitations": _ALL,
        "invitation_groups": _ALL,
        "password_links": _ALL,
        "settings": _ALL,
        "logos": _ALL,
        **_AUDIT,
    },
    "upload": {
        "users": _LAST_SEEN,
        "uploads": _ALL,
        "upload_parts": _ALL,
        "videos": _ALL,  # UPDATE for the SHA-256 of a file that came in pieces, known later
        "search_words": ("INSERT",),  # of new videos
        "volumes": ("UPDATE",),  # needed to lock the row; and to note the free space
        "objects": _ALL,
        "jobs": ("INSERT",),  # each video's first job
        "leases": ("INSERT", "UPDATE"),
        # With whom a new video is shared. UPDATE is needed to lock a collection.
        "grants": ("INSERT",),
        "collections": ("UPDATE",),
        "collection_items": ("INSERT",),
        **_AUDIT,
    },
    "streaming": {
        "users": _LAST_SEEN,
        "videos": ("UPDATE",),
        "jobs": ("INSERT", "UPDATE"),  # to make a poster, and to retry a failed one
        "poster_choices": _ALL,
        "search_words": ("INSERT", "DELETE"),
        "captions": _ALL,
        "positions": _ALL,
        "collections": _ALL,
        "collection_items": _ALL,
        "grants": _ALL,
        "links": _ALL,
        "link_visits": _ALL,
        "shared_seen": _ALL,
        "tags": _ALL,
        "video_tags": _ALL,
        **_AUDIT,
    },
    "transcode": {
        "videos": ("UPDATE",),
        "jobs": _ALL,
        "objects": _ALL,
        "renditions": _ALL,
        "poster_choices": ("DELETE",),  # once it is made
        "leases": ("INSERT", "UPDATE"),
        **_AUDIT,
    },
}
_TABLES = (*Base.metadata.tables, "alembic_version")  # the revision, which services check
GRANTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    service: {table: ("SELECT", *writes.get(table, ())) for table in _TABLES}
    for service, writes in _WRITES.items()
}
"""The rights of each service by table."""
# What the user who asks may do in a database. These views show everybody their own rights.
_RIGHTS = text(
    "SELECT '' AS table_name, privilege_type AS right_name"
    " FROM information_schema.schema_privileges WHERE table_schema = :database"
    " UNION SELECT table_name, privilege_type"
    " FROM information_schema.table_privileges WHERE table_schema = :database"
    " UNION SELECT table_name, CONCAT(privilege_type, ' (', column_name, ')')"
    " FROM information_schema.column_privileges WHERE table_schema = :database"
)


def apply_grants(
    connection: Connection, *, database: str, passwords: Mapping[str, str], revoke: bool = True
) -> None:
    """Make the services' users, or bring their passwords and rights up to date.

    Services may be at work: they have all that they need at every moment.

    :param connection: of a user who may create users and grant: `db/migrate_user.sql`.
    :param passwords: one per service of :data:`GRANTS`.
    :param revoke: whether rights that a service needs no more are taken from it.
    """
    quote = connection.dialect.identifier_preparer.quote_identifier
    for service, tables in GRANTS.items():
        user = {"user": service, "password": passwords[service]}
        connection.execute(
            text("CREATE USER IF NOT EXISTS :user@'%' IDENTIFIED BY :password"), user
        )
        connection.execute(text("ALTER USER :user@'%' IDENTIFIED BY :password"), user)
        for table, rights in tables.items():
            where = f"{quote(database)}.{quote(table)}"
            connection.execute(text(f"GRANT {', '.join(rights)} ON {where} TO :user@'%'"), user)
        if not revoke:
            continue
        needed = {(table, right) for table, rights in tables.items() for right in rights}
        for table, right in _rights(connection.engine, database, service, passwords[service]):
            if (table, right) not in needed:
                where = f"{quote(database)}.{quote(table) if table else '*'}"
                connection.execute(text(f"REVOKE {right} ON {where} FROM :user@'%'"), user)


def _rights(
    engine: Engine, database: str, service: str, password: str
) -> Sequence[tuple[str, str]]:
    """Ask as a service which rights it has in a database; who migrates may not see them.

    :return: tables and rights; the table is "" if a right is for all tables.
    """
    own_url = engine.url.set(username=service, password=None)
    login = {"password": password.encode()}
    with create_engine(own_url, connect_args=login, poolclass=NullPool).connect() as connection:
        rights = connection.execute(_RIGHTS, {"database": database})
        return [(row.table_name, row.right_name) for row in rights]
