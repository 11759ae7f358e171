"""What the platform keeps about a person, in files that belong to the person: `fittracker export` and `fittracker import`.

A client of the public graph and nothing else. The export signs in, asks the operations of `operations/` page by page, and writes what
they answer: `listings` says what is asked and which tables that covers, `graph_client` asks, `folder` and `spreadsheets` write.
The import makes it again by mutations, which `arrivals` has for each kind of thing and `import_folder` sends. What other apps
exported, `convert` writes into such a folder, with the readers of `sources/`; `exercise_names` and `present_workouts` find what the
account has of it, and `import_report` tells what came of it.
"""
