"""The demonstration's plan fits together, before anything is made of it."""

import pytest

from demo.catalogue import (
    BINNED,
    COLLECTIONS,
    FAILED_STEP,
    FILMS,
    GRANTS,
    GROUPS,
    LINKS,
    PEOPLE,
    PREPARING_FILM,
)
from demo.drawing import draw, draw_title
from demo.films import Film, Scene

TITLES = [film.title for film in FILMS]
KINDS = ("mountains", "sea", "city", "forest", "snow", "field", "night")


def test_there_are_forty_films_of_people_who_may_upload() -> None:
    assert len(set(TITLES)) == len(FILMS) == 40
    uploaders = {name for name, role in PEOPLE.items() if role != "viewer"}
    assert {film.owner for film in FILMS} == uploaders


def test_every_kind_of_film_is_there() -> None:
    assert {film.visibility for film in FILMS} == {"private", "members", "public"}
    assert any(film.codec == "hevc" for film in FILMS)
    assert any(film.size[0] < film.size[1] for film in FILMS)
    assert any(film.size[0] == film.size[1] for film in FILMS)
    assert any(len(film.captions) == 2 for film in FILMS)
    assert min(film.seconds for film in FILMS) <= 5
    assert max(film.seconds for film in FILMS) >= 120


@pytest.mark.parametrize("film", [*FILMS, PREPARING_FILM], ids=lambda film: film.title)
def test_a_film_can_be_made(film: Film) -> None:
    assert all(side % 2 == 0 for side in film.size)
    if film.chapters:
        times = [at for at, _ in film.chapters]
        assert times[0] == 0
        assert times == sorted(set(times))
        assert times[-1] < film.seconds
    assert all(len(lines) == len(film.words) for lines in film.captions.values())


def test_what_is_named_is_there() -> None:
    for owner, _, films in COLLECTIONS.values():
        assert owner in PEOPLE
        assert set(films) <= set(TITLES)
    for manager, members in GROUPS.values():
        assert {manager, *members} <= set(PEOPLE)
    assert {grant.title for grant in GRANTS} <= {*TITLES, *COLLECTIONS}
    assert {grant.to for grant in GRANTS} <= {*PEOPLE, *GROUPS}
    assert {title for title, _, _ in LINKS} | {BINNED, FAILED_STEP} <= set(TITLES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_landscape_fills_its_film(kind: str) -> None:
    sky, *others = draw(Scene(kind), (160, 90), seed=1)  # type: ignore[arg-type]

    assert sky.picture.size == (160, 90)
    for layer in others:
        assert layer.picture.width == 160 + layer.travel
        assert layer.picture.height == (180 if layer.fall else 90)


def test_a_title_is_drawn_on_nothing() -> None:
    card = draw_title("The long way round the lake", (320, 180))

    assert card.size == (320, 180)
    assert card.getpixel((0, 0)) == (0, 0, 0, 0)
    assert card.getbbox() is not None
