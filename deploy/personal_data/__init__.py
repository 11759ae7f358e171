"""What the platform keeps about a person, in files that belong to the person: `fittracker export`.

A client of the public graph and nothing else: it signs in, asks the operations of `operations/` page by page, and writes what they
answer. `listings` says what is asked and which tables that covers, `graph_client` asks, `folder` and `spreadsheets` write.
"""
