"""Ranges of a private video, as ratios to nginx without authorisation and to Flask."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import Figures, Load, Rounds, Target, measure
from benchmarks.multipart import post_form
from benchmarks.options import WITHOUT_DOCKER, Bench, Options
from benchmarks.peers import Nginx, flask_peers, nginx_beside, nginx_here
from benchmarks.plot import write_bars
from benchmarks.report import PAGE, ratio, table
from benchmarks.sites import COOKIE, ComposeSite, Site

_RANGES = {"1 B": 1, "64 KiB": 1 << 16, "1 MiB": 1 << 20, "4 MiB": 1 << 22}
_TWIN, _BARE = "nginx, same log and headers", "nginx, no log or headers"
_SEND_FILE, _GENERATOR = "Flask send_file", "one generator"
_MANY = 64  # connections of many viewers, and of the authorisations
_SLOW = 16  # connections that slow peers are asked on at most: more would only wait
_AIMS = {"1 B": "0.75", "64 KiB": "0.95", "1 MiB": "0.95", "4 MiB": "0.95"}
_AIMS_STANDALONE = {"1 MiB": "0.5", "4 MiB": "0.9"}

_Key = tuple[str, int]


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    options = bench.options
    if bench.stack is None:
        through_gateway = f"### Through the gateway\n\n{WITHOUT_DOCKER}"
    else:
        through_gateway = _gateway(bench, bench.stack)
    mebibytes = options.size >> 20
    method = (
        f"Ranges at random offsets of one private file of {mebibytes:,} MiB (random bytes, in the"
        " page cache), asked for by `wrk` on the same machine with one thread and kept-alive"
        f" connections; {options.seconds} s for each figure and round, rounds: {options.rounds}."
        " *Same log and headers* is the gateway's own configuration with the authorisation taken"
        " out; *no log or headers* is nginx with nothing but `sendfile`. CPU is that of the"
        " processes that serve (for Matinee: nginx, the streaming service and Redis; standalone"
        " gunicorn and Valkey), without `wrk` and without Docker's reading of the log."
    )
    return "\n\n".join([method, through_gateway, _standalone(bench)])


def _gateway(bench: Bench, site: ComposeSite) -> str:
    options = bench.options
    video = post_form(f"{site.url}/upload", bench.film, cookie=site.cookie).video
    peer = bench.folder / "beside"
    with nginx_beside(peer, site.gateway, address=site.address, volume=site.volume) as nginx:
        ours = Target(
            "Matinee, gateway",
            f"{site.url}/stream/{video}/video.mp4",
            site.pids("gateway", "streaming", "redis"),
            (f"Cookie: {site.cookie}",),
        )
        results = _matrix(
            options, [ours, *_nginx_targets(nginx, video, (f"Cookie: {site.cookie}",))]
        )
        site.admin.show(video, "members")
        tokens = site.sign_in_strangers(options.viewers)
        parts = [
            "### Through the gateway, one viewer",
            _ratios(results, ours.name, _AIMS),
            _plot(results, "gateway"),
            "`wrk` reaches Matinee and both nginx over the same bridge; they run the same image in"
            " one network namespace.",
            _many_viewers(options, ours, nginx, video, tokens),
            _authorisations(options, site, video, tokens),
            "### Through the gateway, all figures",
            _all_figures(results),
        ]
    return "\n\n".join(parts)


def _nginx_targets(nginx: Nginx, video: str, viewers: tuple[str, ...]) -> list[Target]:
    """Both get the viewers' cookies too, so that the requests are the same."""
    return [
        Target(_TWIN, nginx.twin(video), nginx.pids, viewers),
        Target(_BARE, nginx.bare(video), nginx.pids, viewers),
    ]


def _many_viewers(
    options: Options, ours: Target, nginx: Nginx, video: str, tokens: Sequence[str]
) -> str:
    cookies = tuple(f"Cookie: {COOKIE}={token}" for token in tokens)
    mine = Target(ours.name, ours.url, ours.pids, cookies)
    targets = [mine, *_nginx_targets(nginx, video, cookies)]
    rows = []
    for name, length in list(_RANGES.items())[1:3]:
        load = Load(length, options.size, _MANY, options.seconds + 1)
        rounds = Rounds(targets, load, rounds=options.rounds)
        f, peer = rounds.figures(mine.name), rounds.figures(_TWIN)
        rows.append(
            [
                name,
                ratio(rounds.ratio(mine.name, _TWIN)),
                ratio(rounds.ratio(mine.name, _BARE)),
                "0.85" if length == 1 << 20 else "",
                f"{f.bytes / 1e6:,.0f}",
                f"{peer.bytes / 1e6:,.0f}",
                f"{f.p50:.1f} / {f.p99:.1f}",
                f"{peer.p50:.1f} / {peer.p99:.1f}",
            ]
        )
    head = ["range", f"of {_TWIN}", f"of {_BARE}", "aim"]
    head += ["MB/s", "nginx's", "p50 / p99 ms", "nginx's"]
    return (
        f"### Through the gateway, {len(tokens):,} viewers\n\n{table(head, rows)}\n\n"
        f"{_MANY} connections, each request by the next of {len(tokens):,} people. Their sessions"
        " were begun in Redis by the services' own code, without passwords: signing in takes a"
        " password hash each, and leaves the same behind."
    )


def _authorisations(options: Options, site: ComposeSite, video: str, tokens: Sequence[str]) -> str:
    path = f"http://{site.streaming}:8000/internal/authorise"
    asked = f"X-Video: {video}\tX-Media-Name: video.mp4"
    viewers = tuple(f"X-Session-Token: {token}\t{asked}" for token in tokens)
    target = Target("authorisation", path, site.pids("streaming"), viewers)
    full = Rounds([target], Load(0, 0, _MANY, options.seconds), rounds=options.rounds)
    most = full.figures(target.name)
    wait = round(_MANY / (most.requests / 2) * 1000)
    half = measure(target, Load(0, 0, _MANY, options.seconds + 1, wait=wait))
    row = [
        f"{most.requests:,.0f}",
        f"{1 / most.cpu_per_request:,.0f}",
        "1,500",
        f"{most.p50:.1f} / {most.p99:.1f}",
        f"{half.requests:,.0f}",
        f"{half.p50:.1f} / {half.p99:.1f}",
        "50",
    ]
    head = ["authorisations/s", "per core", "aim", "p50 / p99 ms", "at half the load"]
    head += ["p50 / p99 ms", "aim (p99)"]
    return (
        f"### The question itself\n\n{table(head, [row])}\n\n"
        "The streaming service asked directly, as the gateway asks it on a miss. A core's worth is"
        " requests by processor seconds of the service."
    )


def _standalone(bench: Bench) -> str:
    site = bench.alone
    video = post_form(f"{site.url}/upload", bench.film, cookie=site.cookie).video
    with _all_peers(bench.folder, site, video) as targets:
        results = _matrix(bench.options, targets)
    ours = targets[0].name
    rows = []
    for (name, connections), rounds in results.items():
        row = [name, str(connections)]
        row += [ratio(rounds.ratio(ours, peer)) for peer in (_TWIN, _BARE)]
        row.append(_AIMS_STANDALONE.get(name, ""))
        row += [
            f"{ratio(rounds.ratio(ours, peer))} x" if peer in rounds.runs else ""
            for peer in (_SEND_FILE, _GENERATOR)
        ]
        rows.append(row)
    head = ["range", "connections", f"of {_TWIN}", f"of {_BARE}", "aim"]
    head += [f"of {_SEND_FILE}", f"of {_GENERATOR}"]
    return (
        f"### Standalone\n\n{table(head, rows)}\n\n{_plot(results, 'standalone')}\n\n"
        "All on loopback: the machine's nginx, and the Flask peers on gunicorn with as many workers"
        " and threads (2 x 64) as standalone has. They authorise nobody, and are measured in one"
        " round.\n\n"
        f"### Standalone, all figures\n\n{_all_figures(results)}"
    )


@contextmanager
def _all_peers(folder: Path, site: Site, video: str) -> Iterator[list[Target]]:
    assert site.videos is not None
    file = site.videos / video / "original.mp4"
    ours = Target(
        "Matinee, standalone",
        f"{site.url}/stream/{video}/video.mp4",
        site.pids("caddy", "gunicorn", "valkey"),
        (f"Cookie: {site.cookie}",),
    )
    with nginx_here(folder / "nginx", site.videos) as nginx, flask_peers(folder, file) as flask:
        yield [
            ours,
            *_nginx_targets(nginx, video, (f"Cookie: {site.cookie}",)),
            Target(_SEND_FILE, *flask["with_send_file"], slow=True),
            Target(_GENERATOR, *flask["with_generator"], slow=True),
        ]


def _matrix(options: Options, targets: Sequence[Target]) -> dict[_Key, Rounds]:
    for target in targets:  # once for the page cache, connections and first imports
        if not target.slow:
            measure(target, Load(1 << 20, options.size, 16, 3))
    found = {}
    for name, length in _RANGES.items():
        for connections in options.connections:
            load = Load(length, options.size, connections, options.seconds)
            able = [t for t in targets if connections <= _SLOW or not t.slow]
            found[name, connections] = Rounds(able, load, rounds=options.rounds)
            print(f"  {name}, {connections} connections", flush=True)
    return found


def _ratios(results: dict[_Key, Rounds], ours: str, aims: dict[str, str]) -> str:
    rows = []
    for (name, connections), rounds in results.items():
        row = [name, str(connections)]
        row += [ratio(rounds.ratio(ours, peer)) for peer in (_TWIN, _BARE)]
        row.append(aims[name])
        row += [f"{rounds.figures(who).cpu_per_request * 1e6:.0f}" for who in (ours, _TWIN, _BARE)]
        row += [ratio(rounds.ratio(ours, peer, "cpu_per_request")) for peer in (_TWIN, _BARE)]
        rows.append(row)
    head = ["range", "connections", f"of {_TWIN}", f"of {_BARE}", "aim", "CPU µs per request"]
    head += ["same log's", "bare's", "CPU of same log's", "CPU of bare's"]
    return table(head, rows)


def _all_figures(results: dict[_Key, Rounds]) -> str:
    rows = []
    for (name, connections), rounds in results.items():
        for who in rounds.runs:
            rows.append([f"{name}, {connections}", who, *_figures(name, rounds.figures(who))])
    head = ["range, connections", "who", "requests/s", "MB/s", "p50 ms", "p99 ms"]
    return table([*head, "CPU µs per request", "CPU s per GiB", "memory MiB"], rows)


def _figures(name: str, f: Figures) -> list[str]:
    return [
        f"{f.requests:,.0f}",
        f"{f.bytes / 1e6:,.0f}" if name != "1 B" else "",
        f"{f.p50:.2f}",
        f"{f.p99:.2f}",
        f"{f.cpu_per_request * 1e6:,.0f}",
        f"{f.cpu_per_gib:.2f}" if name != "1 B" else "",
        f"{f.memory / 2**20:,.0f}",
    ]


def _plot(results: dict[_Key, Rounds], name: str) -> str:
    """Draw the requests per second of everybody who was measured, and return the link to it."""
    connections = max(c for _, c in results if c <= _SLOW)
    groups = {
        length: {who: rounds.figures(who).requests for who in rounds.runs}
        for (length, c), rounds in results.items()
        if c == connections
    }
    path = PAGE.with_name(f"benchmarks-{name}.svg")
    title = f"Ranges of a private film, {connections} connections"
    write_bars(path, title, groups, unit="requests/s")
    return f"![{title}: requests per second, by size of the range]({path.name})"
