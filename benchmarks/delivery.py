"""Ranges of a private video, as ratios to nginx without authorisation and to Flask."""

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.account import COOKIE
from benchmarks.options import WITHOUT_COMPOSE, Bench, Options
from benchmarks.peers.flask_send_file import flask_send_file
from benchmarks.peers.nginx import Nginx, nginx_beside, nginx_here
from benchmarks.report import ratio, table
from benchmarks.sites import ComposeSite
from benchmarks.wrk import Rounds, Target

_KIB, _MIB = 1 << 10, 1 << 20
_GATEWAY_AIMS = {64 * _KIB: "0.90", _MIB: "0.95", 4 * _MIB: "0.95"}
_STANDALONE_AIMS = {_MIB: "0.6", 4 * _MIB: "0.6"}
_NGINX, _SEND_FILE = "nginx", "Flask send_file"
_CONNECTIONS = 16
_MANY = 64  # connections of many viewers, and of the authorisations
_VIEWERS = 1000
# As many rounds as other benchmarks, so many times: rounds of short ranges differ by a tenth, since
# connections are spread unevenly over the processes of nginx.
_TIMES = 4
_GRANTS, _GROUPS = 100, 10


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    options = replace(bench.options, rounds=_TIMES * bench.options.rounds)
    method = (
        f"Ranges at random offsets of one private video of {options.size >> 20:,} MiB (random"
        " bytes, in the page cache), requested by `wrk` on the same machine with one thread and"
        f" {_CONNECTIONS} kept-alive connections; {options.seconds} s for each figure and round,"
        f" {options.rounds} rounds. nginx is the gateway's own configuration with the same log,"
        " headers and checks, but without the authorisation. *Processor* is the processor time of a"
        " request, authorisation included, as a multiple of nginx's: other programs on the machine"
        " change it less than the speed."
    )
    return "\n\n".join([method, _gateway(bench, options), _standalone(bench, options)])


def _gateway(bench: Bench, options: Options) -> str:
    site = bench.gateway
    if site is None:
        return f"### Through the gateway\n\n{WITHOUT_COMPOSE}"
    folder = bench.folder("delivery-gateway")
    video = site.admin.upload(bench.video)
    with nginx_beside(folder, site) as nginx:
        url = f"{site.url}/stream/{video}/video.mp4"
        pids = site.pids("gateway", "streaming", "redis")
        ours = Target("gateway", url, pids, (f"Cookie: {site.admin.cookie}",))
        peer = _nginx_target(nginx, video, ours.viewers)
        rows = _ratios(options, [ours, peer], _GATEWAY_AIMS)
        site.admin.set_visibility(video, "members")
        tokens = site.sign_in_viewers(_VIEWERS)
        viewers = _many_viewers(options, ours, nginx, video, tokens)
        authorisations = _authorisations(options, site, video, tokens)
        shared = _shared(bench, options, site, ours, tokens)
    return (
        f"### Through the gateway, one viewer\n\n{_table(rows)}\n\n"
        "`wrk` reaches the gateway and nginx over the same bridge; both run the same image in one"
        f" network namespace.\n\n### Through the gateway, {_VIEWERS:,} viewers\n\n{viewers}\n\n"
        f"{_MANY} connections, each request by the next of {_VIEWERS:,} people, whose sessions"
        " were begun in Redis, without passwords.\n\n"
        f"### Authorisations\n\n{authorisations}\n\n"
        "The streaming service, asked directly, as nginx asks it when it has no cached answer. Per"
        " core: divided by the processor seconds of the service.\n\n"
        f"### Shared with people and groups, through the gateway\n\n{shared}\n\n"
        f"A private video with {_GRANTS} grants, watched by people whom the grants name through"
        f" {_GROUPS} groups of theirs, as a ratio to the video above, which every member may watch."
    )


def _nginx_target(nginx: Nginx, video: str, viewers: tuple[str, ...]) -> Target:
    """Return the peer, which gets the viewers' cookies too, so that the requests are the same."""
    return Target(_NGINX, nginx.media_url(video), nginx.pids, viewers)


def _many_viewers(
    options: Options, ours: Target, nginx: Nginx, video: str, tokens: Sequence[str]
) -> str:
    cookies = tuple(f"Cookie: {COOKIE}={token}" for token in tokens)
    targets = [replace(ours, viewers=cookies), _nginx_target(nginx, video, cookies)]
    return _table([_row(options.compare(targets, _MIB, _MANY), "0.75")])


def _authorisations(options: Options, site: ComposeSite, video: str, tokens: Sequence[str]) -> str:
    asked = f"X-Video: {video}\tX-Media-Name: video.mp4"
    viewers = tuple(f"X-Session-Token: {token}\t{asked}" for token in tokens)
    url = f"http://{site.streaming}:8000/internal/authorise"
    target = Target("authorisation", url, site.pids("streaming"), viewers)
    found = options.compare([target], 0, _MANY).figures(target.name)
    head = ["per second and core", "aim", "per second", "p50 / p99 ms"]
    row = [f"{1 / found.cpu_per_request:,.0f}", "2,500", f"{found.requests:,.0f}"]
    return table(head, [[*row, f"{found.p50:.1f} / {found.p99:.1f}"]])


def _shared(
    bench: Bench, options: Options, site: ComposeSite, plain: Target, tokens: Sequence[str]
) -> str:
    """Measure a video with many grants beside one without any."""
    video = site.admin.upload(bench.video)
    groups = [
        str(site.admin.post("/api/groups", json={"name": f"Group {number}"}).json()["id"])
        for number in range(_GROUPS)
    ]
    subjects = [{"group": group} for group in groups]
    for number in range(_GRANTS - _GROUPS):
        site.admin.create_account(f"friend-{number}", "viewer")
        subjects.append({"user": f"friend-{number}"})
    for subject in subjects:
        site.admin.post(f"/api/videos/{video}/grants", json={"level": "download", **subject})
    site.put_viewers_into(groups, len(tokens))
    cookies = tuple(f"Cookie: {COOKIE}={token}" for token in tokens)
    url = f"{site.url}/stream/{video}/video.mp4"
    shared = replace(plain, name="shared", url=url)
    rows = []
    for length, connections, viewers in (
        (64 * _KIB, _CONNECTIONS, cookies[:1]),
        (_MIB, _CONNECTIONS, cookies[:1]),
        (_MIB, _MANY, cookies),
    ):
        targets = [replace(target, viewers=viewers) for target in (shared, plain)]
        rounds = options.compare(targets, length, connections)
        figures = [rounds.figures(target.name) for target in targets]
        people = f"{len(viewers):,} viewers" if len(viewers) > 1 else "1 viewer"
        name = f"{rounds.load.range}, {people}"
        row = [name, ratio(rounds.ratio(shared.name, plain.name)), "0.95"]
        rows.append(row + [f"{each.bytes / 1e6:,.0f}" for each in figures])
        print("  " + "  ".join(rows[-1]), flush=True)
    return table(["range", "of the other", "aim", "MB/s", "the other's"], rows)


def _standalone(bench: Bench, options: Options) -> str:
    site, folder = bench.standalone, bench.folder("delivery-standalone")
    video = site.admin.upload(bench.video)
    assert site.videos is not None
    file = site.videos / video / "original.mp4"
    url = f"{site.url}/stream/{video}/video.mp4"
    pids = site.pids("caddy", "gunicorn", "valkey")
    ours = Target("standalone", url, pids, (f"Cookie: {site.admin.cookie}",))
    with nginx_here(folder / "nginx", site.videos) as nginx, flask_send_file(folder, file) as flask:
        peer = _nginx_target(nginx, video, ours.viewers)
        flask_target = Target(_SEND_FILE, flask[0], (), slow=True)
        rows = _ratios(options, [ours, peer, flask_target], _STANDALONE_AIMS)
    return (
        f"### Standalone\n\n{_table(rows, _SEND_FILE)}\n\n"
        "All on loopback. Flask runs on gunicorn with two workers of 64 threads, authorises nobody,"
        " and is measured in one round."
    )


def _ratios(options: Options, targets: Sequence[Target], aims: dict[int, str]) -> list[list[str]]:
    # Once for the page cache, connections and first imports.
    quick = [target for target in targets if not target.slow]
    replace(options, rounds=1).compare(quick, _MIB, _CONNECTIONS)
    rows = []
    for length, aim in aims.items():
        rows.append(_row(options.compare(targets, length, _CONNECTIONS), aim))
        print("  " + "  ".join(rows[-1]), flush=True)
    return rows


def _row(rounds: Rounds, aim: str) -> list[str]:
    ours, *peers = rounds.runs
    row = [rounds.load.range, ratio(rounds.ratio(ours, _NGINX)), aim]
    if _SEND_FILE in peers:
        row += [f"{ratio(rounds.ratio(ours, _SEND_FILE))} x", "20 x"]
    row.append(ratio(rounds.ratio(ours, _NGINX, "cpu_per_request")))
    figures = [rounds.figures(who) for who in (ours, _NGINX)]
    row += [f"{each.bytes / 1e6:,.0f}" for each in figures]
    return row + [f"{each.p50:.1f} / {each.p99:.1f}" for each in figures]


def _table(rows: Sequence[Sequence[str]], *peers: str) -> str:
    head = ["range", "of nginx", "aim"]
    for peer in peers:
        head += [f"of {peer}", "aim"]
    return table([*head, "processor", "MB/s", "nginx's", "p50 / p99 ms", "nginx's"], rows)
