"""Make the films with ffmpeg, several at a time, and keep them for the next time."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from demo import sound
from demo.drawing import Layer, draw, draw_title
from demo.films import Film

_RECIPE = 4  # counted up when the same film would look different
_RATE = 24  # pictures per second
_TIME_LIMIT = 300  # seconds for one film
_CODECS = {
    "h264": ("libx264", "-preset", "veryfast", "-crf", "27"),
    "hevc": ("libx265", "-preset", "ultrafast", "-crf", "30", "-tag:v", "hvc1"),
}


class Stopped(Exception):
    """Somebody ended the program while films were being made."""


class Studio:
    """Makes films, and keeps them in a folder.

    :param folder: of finished films; a film is made again only if it changes.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ffmpeg = _find_ffmpeg()
        self._voice = sound.find_voice()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def make_all(self, films: Sequence[Film]) -> Iterator[tuple[Film, Path]]:
        """Make films side by side, and return them in their order.

        Whatever ends the caller's loop ends ffmpeg too.
        """
        pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
        try:
            yield from zip(films, pool.map(self.make, films), strict=True)
        except BaseException:
            self._stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def make(self, film: Film) -> Path:
        """Return the file of a film, after making it if it is not there."""
        has_voice = self._voice is not None
        key = hashlib.sha256(f"{_RECIPE} {has_voice} {film!r}".encode()).hexdigest()[:16]
        path = self._folder / f"{key}.mp4"
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                unfinished = Path(folder) / "film.mp4"
                self._render(film, Path(folder), unfinished)
                unfinished.rename(path)
        return path

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()

    def _render(self, film: Film, folder: Path, path: Path) -> None:
        seed = int(hashlib.sha256(film.title.encode()).hexdigest()[:8], 16)
        inputs, graph = _picture(film, folder, seed)
        spoken = folder / "words.wav"
        number = len(inputs)
        inputs.append(["-f", "lavfi", "-i", sound.chord(seed)])
        if self._voice and film.words:
            sound.speak(self._voice, film.words, spoken)
            inputs.append(["-i", f"file:{spoken}"])
            graph += (
                f";[{number + 1}:a]aresample=44100,adelay=2500,apad[speech]"
                f";[{number}:a]aformat=channel_layouts=mono[music]"
                ";[speech][music]amix=inputs=2:duration=longest:weights='1 0.4'[sound]"
            )
        else:
            graph += f";[{number}:a]anull[sound]"
        program, *options = _CODECS[film.codec]
        self._run(
            *(option for one in inputs for option in one),
            *("-filter_complex", graph, "-map", "[picture]", "-map", "[sound]"),
            *("-t", str(film.seconds), "-r", str(_RATE), "-g", str(_RATE * 2)),
            *("-c:v", program, *options, "-pix_fmt", "yuv420p", "-threads", "1"),
            *("-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", f"file:{path}"),
        )

    def _run(self, *arguments: str) -> None:
        command = [self._ffmpeg, "-v", "error", "-nostdin", "-y", *arguments]
        with self._lock:
            if self._stopped:
                raise Stopped
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
            )
            self._running.add(process)
        try:
            _, said = process.communicate(timeout=_TIME_LIMIT)
        finally:
            process.kill()
            process.wait()
            self._running.discard(process)
        if self._stopped:
            raise Stopped
        if process.returncode:
            raise RuntimeError(f"ffmpeg could not make a film: {said.decode(errors='replace')}")


def _find_ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found is None:
        import imageio_ffmpeg  # noqa: PLC0415 (the container has Debian's ffmpeg instead)

        found = imageio_ffmpeg.get_ffmpeg_exe()
    return found


def _picture(film: Film, folder: Path, seed: int) -> tuple[list[list[str]], str]:
    """Return the inputs and the filters that end in `[picture]`."""
    width, height = film.size
    if film.scene.kind == "pattern":
        source = f"{film.scene.source}{':' if '=' in film.scene.source else '='}"
        inputs = [["-f", "lavfi", "-i", f"{source}size={width}x{height}:rate={_RATE}"]]
        parts = ["[0:v]format=yuv420p,hue=s=0.7[p0]"]
    else:
        layers = draw(film.scene, film.size, seed=seed)
        inputs = []
        parts = []
        for number, layer in enumerate(layers):
            file = folder / f"layer{number}.png"
            layer.picture.save(file, compress_level=1)
            inputs.append(["-i", f"file:{file}"])
            parts.append(f"[{number}:v]{_still(number)}[l{number}]")
        parts.append("[l0]format=yuv420p[p0]")
        for number, layer in enumerate(layers[1:], 1):
            place = _place(layer, film)
            parts.append(f"[p{number - 1}][l{number}]overlay={place}:format=yuv420[p{number}]")
    last = len(inputs) - 1
    title = folder / "title.png"
    draw_title(film.title, film.size).save(title)
    inputs.append(["-i", f"file:{title}"])
    parts.append(
        f"[{last + 1}:v]{_still(1)},fade=in:st=0.3:d=0.5:alpha=1,fade=out:st=2.6:d=0.7:alpha=1[t]"
    )
    end = max(0, film.seconds - 1)
    parts.append(
        f"[p{last}][t]overlay=format=yuv420:enable='lt(t,3.4)',fade=out:st={end}:d=1[picture]"
    )
    return inputs, ";".join(parts)


def _still(number: int) -> str:
    """Repeat a picture that was decoded once; only the sky has no transparency."""
    form = "yuva420p" if number else "yuv420p"
    return f"format={form},loop=loop=-1:size=1:start=0,fps={_RATE},setpts=N/{_RATE}/TB"


def _place(layer: Layer, film: Film) -> str:
    x = f"-{layer.travel}*t/{film.seconds}"
    y = "0"
    if layer.fall:
        y = f"mod(t*{layer.fall},H)-H"
    elif layer.bob:
        y = f"{layer.bob}*sin(t*1.3)"
    return f"x='{x}':y='{y}'"
