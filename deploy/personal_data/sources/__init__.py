"""What other apps export, read into records of our own export's shape. Pure: nothing here knows a network or an account.

`archive` opens a file, a folder or a zip; `formats` says which reader a file is for; `strong`, `hevy`, `myfitnesspal`,
`apple_health`, `google_fit` and `strava` read one app's files each, `recordings` GPX, TCX and FIT, and `recording` works out
what such a one comes to. `reading` is what a reader is told and what it tells;
`records` has the shapes that they make, `quantities` and `sheet` how numbers, moments and tables are read.
"""
