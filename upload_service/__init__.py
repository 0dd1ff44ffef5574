"""Getting bytes in: what arrives is durable, checked, and becomes a video."""
