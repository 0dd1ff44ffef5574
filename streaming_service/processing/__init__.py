"""How far videos are processed: states, ETAs and queue positions, and how pages word them."""
