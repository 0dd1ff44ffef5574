"""A large library: rows of 10,000 videos, and of what decides who sees them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from common.ids import new_id
from db.engine import Database, transaction
from db.models import (
    Base,
    Collection,
    CollectionItem,
    Grant,
    Group,
    GroupMember,
    Job,
    JobKind,
    JobState,
    Level,
    Position,
    Role,
    SearchWord,
    Tag,
    User,
    Video,
    VideoTag,
    Visibility,
    now,
)
from db.search_words import indexed_words

VIDEOS, PEOPLE, GROUPS, GRANTS, COLLECTIONS = 10_000, 1_000, 200, 20_000, 300
_ADJECTIVES = [
    *("Quiet", "Long", "Golden", "Première", "Winter", "Slow", "Open"),
    *("Last", "Early", "Blue", "Far", "Old", "Café", "Élan"),
]
_NOUNS = [
    *("harbour", "mountain", "lesson", "concert", "garden", "été"),
    *("rehearsal", "train", "island", "forêt", "match", "film"),
]
_BATCH = 5000  # rows of one statement

Rows = list[dict[str, Any]]


def fill(database: Database, *, scale: int = 1) -> None:
    """Fill a database in which one account is registered: it owns a tenth of all videos.

    :param scale: divides all counts.
    """
    random = Random(1)
    for table, rows in _tables(database, random, scale):
        for start in range(0, len(rows), _BATCH):
            _insert(database, table, rows[start : start + _BATCH])


@transaction(writes=True)
def _insert(session: Session, table: type[Base], rows: Rows) -> None:
    session.execute(insert(table), rows)


def _tables(database: Database, random: Random, scale: int) -> Iterator[tuple[type[Base], Rows]]:
    owner = database.read(lambda session: session.scalars(select(User.id)).one())
    people = [{"name": f"person {n}", "name_key": f"person {n}"} for n in range(PEOPLE // scale)]
    for person in people:
        person |= {"password_hash": "-", "role": Role.UPLOADER}
    yield User, people
    found = database.read(lambda session: list(session.scalars(select(User.id))))
    others = [number for number in found if number != owner]
    groups: Rows = [{"id": new_id(), "name": f"Class {n}"} for n in range(GROUPS // scale)]
    yield Group, groups
    in_groups = {(random.choice(groups)["id"], n) for n in others for _ in range(3)}
    in_groups |= {(group["id"], owner) for group in groups[:5]}
    yield GroupMember, [{"group_id": group, "user_id": person} for group, person in in_groups]
    videos = _videos(random, [owner, *others], VIDEOS // scale)
    yield Video, videos
    yield (
        SearchWord,
        [
            {"word": word, "video_id": video["id"]}
            for video in videos
            for word in sorted(indexed_words(video["title"], video["description"]))
        ],
    )
    ids = [video["id"] for video in videos]
    yield Job, _jobs(ids)
    yield Tag, [{"id": n + 1, "name": f"tag{n}", "name_key": f"tag{n}"} for n in range(40)]
    yield (
        VideoTag,
        [
            {"video_id": video, "tag_id": tag + 1}
            for video in ids
            for tag in random.sample(range(40), 2)
        ],
    )
    collections: Rows = [
        {"id": new_id(), "owner_id": random.choice([owner, *others[:50]]), "title": f"Album {n}"}
        for n in range(COLLECTIONS // scale)
    ]
    yield Collection, collections
    yield (
        CollectionItem,
        [
            {"collection_id": collection["id"], "video_id": video, "place": place}
            for collection in collections
            for place, video in enumerate(random.sample(ids, 20))
        ],
    )
    yield Grant, _grants(random, ids, collections, [owner, *others], groups, GRANTS // scale)
    yield (
        Position,
        [
            {"user_id": owner, "video_id": video, "position_ms": random.randrange(1000, 60_000)}
            for video in random.sample(ids, len(ids) // 20)
        ],
    )


def _videos(random: Random, people: Sequence[int | None], count: int) -> Rows:
    kinds = [*[Visibility.PRIVATE] * 5, *[Visibility.MEMBERS] * 4, Visibility.PUBLIC]
    start = now() - timedelta(days=700)
    return [
        {
            "id": new_id(),
            "owner_id": people[0] if number % 10 == 0 else random.choice(people),
            "title": f"{random.choice(_ADJECTIVES)} {random.choice(_NOUNS)} {number}",
            "description": f"Recorded by {random.choice(_NOUNS)} number {number % 97}.",
            "visibility": random.choice(kinds),
            "size": random.randrange(1 << 20, 1 << 31),
            "duration_ms": random.randrange(20_000, 5_400_000),
            "width": 1280,
            "height": 720,
            "video_codec": "avc1.64001f",
            "created_at": start + timedelta(minutes=100 * number),
        }
        for number in range(count)
    ]


def _jobs(ids: Sequence[str]) -> Rows:
    at = now()
    kinds = ((JobKind.CHECK, 0), (JobKind.THUMBNAILS, 0), (JobKind.RENDITION, 240))
    done = {"state": JobState.DONE, "finished_at": at, "progress": 1.0, "created_at": at}
    return [
        {"video_id": video, "kind": kind, "height": height, **done}
        for video in ids
        for kind, height in kinds
    ]


def _grants(
    random: Random,
    ids: Sequence[str],
    collections: Rows,
    people: Sequence[int | None],
    groups: Rows,
    count: int,
) -> Rows:
    found: dict[tuple[object, object], dict[str, Any]] = {}
    at = now()
    while len(found) < count:
        on_video, to_user = random.random() < 0.95, random.random() < 0.8
        what = random.choice(ids) if on_video else random.choice(collections)["id"]
        who = random.choice(people) if to_user else random.choice(groups)["id"]
        if to_user and random.random() < 0.02:
            who = people[0]
        found[what, who] = {
            "id": new_id(),
            "video_id": what if on_video else None,
            "collection_id": None if on_video else what,
            "user_id": who if to_user else None,
            "group_id": None if to_user else who,
            "level": random.choice(list(Level)),
            "created_at": at - timedelta(minutes=random.randrange(500_000)),
        }
    return list(found.values())
