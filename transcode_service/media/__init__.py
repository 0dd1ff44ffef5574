"""Everything that runs ffmpeg: one function for each step. No Flask, no database.

Each step reads `source` (the original) and writes into `folder` (its attempt's own), and returns
what lies there ready to be published. `report` is called about twice a second with how much is
done; an exception from it ends the step and its processes. A step raises `UnplayableSource` if the
video can never be played, `DiskFull` if the volume has no more than its reserve, and `MediaFailed`
if it failed, took too long, or was killed.
"""
