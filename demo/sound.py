"""What a film sounds like: spoken words where espeak-ng is installed, over a quiet chord."""

import shutil
import subprocess
from pathlib import Path

_CHORDS = (
    (220.0, 277.2, 329.6),
    (196.0, 246.9, 293.7),
    (174.6, 220.0, 261.6),
    (164.8, 207.7, 246.9),
)
"""Frequencies in hertz; a film has one of them."""


def chord(seed: int) -> str:
    """Return an ffmpeg source: three tones that swell and fade, at a low volume."""
    tones = _CHORDS[seed % len(_CHORDS)]
    voices = "+".join(
        f"0.05*sin(2*PI*{tone}*t)*(0.6+0.4*sin(2*PI*t/{7 + 2 * number}))"
        for number, tone in enumerate(tones)
    )
    return f"aevalsrc=exprs='{voices}':sample_rate=44100"


def find_voice() -> str | None:
    """Return the path of espeak-ng, if it is installed. Without it films have their chord alone."""
    return shutil.which("espeak-ng")


def speak(voice: str, words: tuple[str, ...], path: Path) -> None:
    """Write a WAV file of spoken words, with a pause after each sentence."""
    command = [voice, "-v", "en-gb", "-s", "140", "-g", "4", "-w", str(path), "\n\n".join(words)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
