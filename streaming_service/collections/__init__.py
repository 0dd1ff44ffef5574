"""Collections: ordered lists of videos, which are shared as a whole."""
