"""The rights of each service's MySQL user: who writes which table, as grants.

Every service may read all tables. Deleting an account needs no right on videos: the foreign key
sets their owner to NULL, and the janitor removes videos without an owner.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text

GRANTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "auth": {
        "users": ("SELECT", "INSERT", "UPDATE", "DELETE"),
        "uploads": ("SELECT",),
        "videos": ("SELECT",),
        "volumes": ("SELECT",),
        "jobs": ("SELECT",),
        "renditions": ("SELECT",),
        "captions": ("SELECT",),
        "positions": ("SELECT",),
    },
    "upload": {
        "users": ("SELECT",),
        "uploads": ("SELECT", "INSERT", "UPDATE", "DELETE"),
        # UPDATE for the SHA-256 of a file that came in pieces, which is known later.
        "videos": ("SELECT", "INSERT", "UPDATE", "DELETE"),
        "volumes": ("SELECT", "UPDATE"),  # UPDATE is needed to lock the row
        "jobs": ("SELECT", "INSERT"),  # INSERT for each video's first job
        "renditions": ("SELECT",),
        "captions": ("SELECT",),
        "positions": ("SELECT",),
    },
    "streaming": {
        "users": ("SELECT",),
        "uploads": ("SELECT",),
        "videos": ("SELECT", "UPDATE"),
        "volumes": ("SELECT",),
        "jobs": ("SELECT", "UPDATE"),  # UPDATE to retry a failed one
        "renditions": ("SELECT",),
        "captions": ("SELECT", "INSERT", "UPDATE", "DELETE"),
        "positions": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    },
    "transcode": {
        "users": ("SELECT",),
        "uploads": ("SELECT",),
        "videos": ("SELECT", "UPDATE"),
        "volumes": ("SELECT",),
        "jobs": ("SELECT", "INSERT", "UPDATE", "DELETE"),
        "renditions": ("SELECT", "INSERT", "UPDATE", "DELETE"),
        "captions": ("SELECT",),
        "positions": ("SELECT",),
    },
}


def apply_grants(connection: Connection, *, database: str, passwords: Mapping[str, str]) -> None:
    """Make the services' users, or bring their passwords and rights up to date.

    :param connection: of a user who may create users and grant: `db/migrate_user.sql`.
    :param passwords: one per service of :data:`GRANTS`.
    """
    quote = connection.dialect.identifier_preparer.quote_identifier
    for service, tables in GRANTS.items():
        user = {"user": service, "password": passwords[service]}
        connection.execute(
            text("CREATE USER IF NOT EXISTS :user@'%' IDENTIFIED BY :password"), user
        )
        connection.execute(text("ALTER USER :user@'%' IDENTIFIED BY :password"), user)
        connection.execute(text("REVOKE ALL PRIVILEGES, GRANT OPTION FROM :user@'%'"), user)
        for table, rights in tables.items():
            statement = (
                f"GRANT {', '.join(rights)} ON {quote(database)}.{quote(table)} TO :user@'%'"
            )
            connection.execute(text(statement), user)
