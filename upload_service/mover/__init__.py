"""The mover: takes the files of videos to the object store and back, and removes what is left.

It is a part of the janitor's program, with threads of its own, since a copy may take hours. The
rows of objects say where each file is: see `common.storage.objects`.
"""
