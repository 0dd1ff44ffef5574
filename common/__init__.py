"""What more than one service needs. Imports `db`, and no service."""
