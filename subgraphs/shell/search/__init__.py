"""Search by words in a catalogue of names: words, phrases that mean the same, ranking, and the index in Postgres."""
