"""Times as caption files and storyboards have them."""


def webvtt_time(milliseconds: int) -> str:
    """Format a time as caption files write it: `01:02:03.450`."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{rest:03}"
