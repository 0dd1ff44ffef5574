"""What both front servers, nginx and Caddy, answer about the files of videos."""
