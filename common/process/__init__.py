"""How processes run: daemons that work until a signal, gunicorn's settings, graceful shutdown."""
