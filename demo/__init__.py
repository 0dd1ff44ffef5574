"""A demonstration site: people, groups, forty generated films, and all that can be done with them.

`python -m demo` starts Matinee on a data folder of its own and fills it; `python -m demo fill URL`
fills a site that runs. Everything is made by HTTP, as people and programs do it. Browser tests and
the screenshots of the documentation use the same films.
"""
