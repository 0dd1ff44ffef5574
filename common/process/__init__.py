"""How processes run: daemons, the supervisor, gunicorn's settings, graceful shutdown."""
