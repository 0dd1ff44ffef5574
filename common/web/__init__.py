"""What the services' Flask apps share: the app factory, authentication, CSRF protection, errors,
health, templates and URLs."""
