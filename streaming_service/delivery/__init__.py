"""Who may have which media file. The front server asks here, and sends the bytes itself."""
