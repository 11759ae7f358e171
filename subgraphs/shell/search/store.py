"""The index of a searched table in Postgres: one entry a thing, found by its words, and the words of the catalogue.

`commands/` of a subgraph write entries beside their rows; `queries/` ask `SearchIndex.find`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.keyset import Page
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.search.phrases import Phrases, Words, query_words
from subgraphs.shell.search.ranking import Named, Reading, score
from subgraphs.shell.search.spelling import SHORTEST_CORRECTED, corrected, is_doubtful, parts_of

MOST_FOUND = 400
MOST_OF_BANDS = 300
LEAST_LETTERS = 2
_EVERYBODY = "@"
_BAND = "#"
_TAG = "="
_GUESS = 0.9
# A word that more names have than this is taken as it is spelt.
_COMMONEST_DOUBTED = 200


def search_ddl(table: str) -> tuple[str, ...]:
    """The statements that make the index of `table`, for its subgraph's migration."""
    return (
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        f"""
        CREATE TABLE search_entry (
            id text PRIMARY KEY REFERENCES {table} (id) ON DELETE CASCADE,
            owner text,
            name text NOT NULL,
            words text[] NOT NULL,
            heads text[] NOT NULL,
            costs real[] NOT NULL,
            vector tsvector NOT NULL,
            rank real NOT NULL,
            favour real NOT NULL DEFAULT 0,
            users integer NOT NULL DEFAULT 0,
            index_version smallint NOT NULL
        )
        """,
        # Without the list of pending entries, which every search would have to read until the next vacuum.
        "CREATE INDEX search_entry_words ON search_entry USING gin (vector) WITH (fastupdate = off)",
        (
            "CREATE INDEX search_entry_start ON search_entry (left(heads[1], 2), (rank + favour) DESC, id)"
            " WHERE owner IS NULL"
        ),
        "CREATE INDEX search_entry_own ON search_entry (owner, left(heads[1], 2)) WHERE owner IS NOT NULL",
        'CREATE TABLE search_word (word text COLLATE "C" PRIMARY KEY, names integer NOT NULL)',
        "CREATE INDEX search_word_alike ON search_word USING gin (word gin_trgm_ops) WITH (fastupdate = off)",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the index keeps of one thing. `owner` is None for the catalogue, `favour` is how much it is preferred.

    `tags` are single words that a search may be narrowed to, of which its index is asked together with the words.
    `band` is 0 for what every search considers. Things by the hundred thousand stand in bands from 1 on, which are read one
    after the other until `MOST_OF_BANDS` are found, so that a word that ten thousand names have costs what a rare one does.
    """

    id: str
    owner: str | None
    name: str
    words: Words
    heads: Sequence[tuple[Words, float]]
    rank: float
    favour: float = 0.0
    tags: Sequence[str] = ()
    band: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A thing that fits, and how well; `name` is in lower case and orders equals."""

    id: str
    name: str
    score: float
    in_band: bool = False

    @property
    def order(self) -> tuple[float, str, str]:
        return -self.score, self.name, self.id


def page_of(found: Sequence[Found], page: Page) -> list[Found]:
    """Up to the page's limit of what was found, nearest to the cursor first, as `pagination.connect` takes it."""
    if page.backward:
        before = [each for each in found if page.after is None or each.order < page.after]
        return before[::-1][: page.limit]
    return [each for each in found if page.after is None or each.order > page.after][: page.limit]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a search is narrowed to: `parameters` are those of the index's `kept`, `tags` words that entries have."""

    parameters: Mapping[str, Any]
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """How one table is searched. `times` is SQL for how often `:viewer_id` used `found.id`; `kept` for filters on it.

    `bands` is the highest band that entries have.
    """

    phrases: Phrases
    version: int
    times: str
    kept: str
    bands: int = 0
    _statements: dict[bool, TextClause] = field(default_factory=dict)

    async def find(
        self, reader: Reader, words: str, viewer_id: str | None, narrowed: Narrowing | None = None
    ) -> list[Found]:
        """The best `MOST_FOUND` at most, best first. None narrows nothing.

        Words that nothing fits are tried again without a maker's name, or as they may have been meant, then without one of
        them, and then each alone.
        """
        asked = query_words(words)
        if not asked:
            return []
        found = await self._named(reader, self._readings(asked), viewer_id, narrowed)
        if _is_short(asked) or any(not each.in_band for each in found):
            return found
        makers = self.phrases.without_makers(asked)
        for meant_by_makers in makers if not found else ():
            if found := await self._named(reader, _whole(meant_by_makers), viewer_id, narrowed):
                return found
        if found and makers:
            return found
        meant = await self._as_meant(reader, asked, commonest_doubted=_COMMONEST_DOUBTED if found else 0)
        if meant != asked:
            weight = _GUESS if found else 1.0
            found = _joined(found, await self._named(reader, self._readings(meant, weight), viewer_id, narrowed))
        return found or await self._with_fewer_words(reader, meant, viewer_id, narrowed)

    async def _with_fewer_words(
        self, reader: Reader, meant: Words, viewer_id: str | None, narrowed: Narrowing | None
    ) -> list[Found]:
        for number in sorted({len(meant) - 1, 1} - {0}, reverse=True):
            fewer = [
                Reading(each, _GUESS) for kept in combinations(meant, number) for each in self.phrases.readings(kept)
            ]
            if found := await self._named(reader, fewer, viewer_id, narrowed, self._readings(meant)):
                return found
        return []

    def _readings(self, words: Words, weight: float = 1.0) -> list[Reading]:
        return [Reading(each, weight, each[-1] == words[-1]) for each in self.phrases.readings(words)]

    async def _named(
        self,
        reader: Reader,
        readings: Sequence[Reading],
        viewer_id: str | None,
        narrowed: Narrowing | None,
        judged_by: Sequence[Reading] | None = None,
    ) -> list[Found]:
        short = [reading.words[0] for reading in readings if _is_short(reading.words)]
        tags = narrowed.tags if narrowed else ()
        wanted = _tsquery([reading for reading in readings if not _is_short(reading.words)], tags)
        parameters = {
            "viewer_id": viewer_id,
            "start": short[0] if short else None,
            "wanted": wanted,
            "owners": _owners(viewer_id),
            "likely": list({" ".join(reading.words) for reading in readings} | {r.words[-1] for r in readings}),
            "limit": MOST_FOUND,
            **({"most_of_bands": MOST_OF_BANDS} if self.bands else {}),
            **(narrowed.parameters if narrowed else {}),
        }
        rows = await reader.execute(self._statement(narrowed is not None), parameters)
        judges = judged_by or readings
        found = [Found(row[0], row[1], score(_named_of(row), judges), row[9]) for row in rows]
        return sorted(found, key=lambda each: each.order)[:MOST_FOUND]

    async def _as_meant(self, reader: Reader, asked: Words, commonest_doubted: int) -> Words:
        """The words, corrected where no name has them, or at most `commonest_doubted` have and far more have one like it."""
        # Words of few letters are alike to too many.
        correctable = [word for word in asked if len(word) >= SHORTEST_CORRECTED]
        parameters = {
            "asked": correctable,
            "parts": sorted(parts_of(asked)),
            "last": asked[-1],
            "doubted": commonest_doubted,
        }
        known: dict[str, int] = {}
        near: dict[str, list[str]] = {}
        for word, names, alike in await reader.execute(_SPELLING, parameters):
            if alike is None:
                known[word] = names
            else:
                near.setdefault(alike, []).append(word)
                known.setdefault(word, names)
        sure = {word: names for word, names in known.items() if not is_doubtful(word, known, near.get(word, ()))}
        return corrected(asked, sure, near)

    def _statement(self, filtered: bool) -> TextClause:
        if filtered not in self._statements:
            self._statements[filtered] = _statement(self.times, self.kept if filtered else "true", self.bands)
        return self._statements[filtered]


def _statement(times: str, kept: str, bands: int) -> TextClause:
    """Candidates by whole words and by the first two letters, the likeliest of each, with the viewer's habits."""
    in_band = f"NOT (found.vector @@ CAST({_literal(_EVERYBODY)} AS tsquery)) AND found.owner IS NULL"
    columns = "found.id, found.name, found.words, found.heads, found.costs, found.rank + found.favour AS rank"
    rest = f"found.users, found.owner IS NOT NULL AS is_own, {in_band} AS in_band"
    start = "left(found.heads[1], 2) = CAST(:start AS text)"
    wanted = "CAST(CAST(:wanted AS text) AS tsquery)"
    return text(
        f"SELECT found.id, found.name, found.words, found.heads, found.costs, found.rank, found.users, found.is_own,"  # noqa: S608 - our names
        f" {times} AS times, found.in_band FROM ("
        f" (SELECT {columns}, {rest} FROM search_entry AS found"
        f" WHERE found.vector @@ ({wanted} && CAST(CAST(:owners AS text) AS tsquery)) AND {kept}"
        " ORDER BY (found.heads && CAST(:likely AS text[])) DESC, found.rank + found.favour DESC, found.id LIMIT :limit)"
        f"{_of_bands(bands, columns, rest, wanted, kept) if bands else ''}"
        f" UNION (SELECT {columns}, {rest} FROM search_entry AS found WHERE found.owner IS NULL AND {start} AND {kept}"
        " ORDER BY found.rank + found.favour DESC, found.id LIMIT :limit)"
        f" UNION (SELECT {columns}, {rest} FROM search_entry AS found"
        f" WHERE found.owner = :viewer_id AND {start} AND {kept} LIMIT :limit)"
        ") AS found"
    )


def _of_bands(bands: int, columns: str, rest: str, wanted: str, kept: str) -> str:
    """The first of the bands that are read one after the other; each is planned as if all of it were wanted, by the index:
    with a limit inside it, Postgres would rather read the table from its beginning until enough are found.
    """
    numbers = range(1, bands + 1)
    each = ", ".join(
        f"band_{number} AS MATERIALIZED (SELECT {columns}, {rest} FROM search_entry AS found WHERE found.vector @@"  # noqa: S608
        f" ({wanted} && CAST({_literal(f'{_BAND}{number}')} AS tsquery)) AND {kept})"
        for number in numbers
    )
    one_by_one = " UNION ALL ".join(f"SELECT * FROM band_{number}" for number in numbers)  # noqa: S608
    return f" UNION (WITH {each} SELECT * FROM ({one_by_one}) AS banded LIMIT :most_of_bands)"  # noqa: S608 - our names


# Every word of the catalogue that was asked for, then what is spelt like those that are not among them.
_SPELLING = text(
    "WITH known AS (SELECT word, names FROM search_word WHERE word = ANY(CAST(:parts AS text[])))"
    " SELECT word, names, CAST(NULL AS text) AS alike FROM known"
    " UNION ALL SELECT CAST(:last AS text), 1, NULL WHERE EXISTS"
    "  (SELECT FROM search_word WHERE word >= :last AND word < CAST(:last AS text) || chr(1114111))"
    " UNION ALL SELECT near.word, near.names, asked.word FROM unnest(CAST(:asked AS text[])) AS asked (word)"
    " CROSS JOIN LATERAL (SELECT word, names FROM search_word WHERE word % asked.word"
    "  ORDER BY similarity(word, asked.word) DESC, word LIMIT 20) AS near"
    " WHERE NOT EXISTS (SELECT FROM known WHERE known.word = asked.word AND known.names > :doubted)"
)
_INSERT_ENTRIES = text(
    "INSERT INTO search_entry (id, owner, name, words, heads, costs, vector, rank, favour, index_version)"
    " SELECT id, owner, lower(name), string_to_array(words, ' '), string_to_array(heads, '|'),"
    " CAST(string_to_array(costs, '|') AS real[]),"
    " array_to_tsvector(string_to_array(words, ' ') || reader || string_to_array(tags, ' ')), rank, favour, :version"
    " FROM unnest(CAST(:ids AS text[]), CAST(:owners AS text[]), CAST(:names AS text[]), CAST(:words AS text[]),"
    "  CAST(:heads AS text[]), CAST(:costs AS text[]), CAST(:ranks AS real[]), CAST(:favours AS real[]),"
    "  CAST(:readers AS text[]), CAST(:tags AS text[]))"
    "  AS new (id, owner, name, words, heads, costs, rank, favour, reader, tags)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, words = excluded.words, heads = excluded.heads,"
    " costs = excluded.costs, vector = excluded.vector, rank = excluded.rank,"
    " favour = greatest(search_entry.favour, excluded.favour), index_version = excluded.index_version"
)
_COUNT_WORDS = text(
    "INSERT INTO search_word (word, names) SELECT word, count(*) FROM ("
    " SELECT unnest(words) AS word FROM search_entry WHERE owner IS NULL"
    " UNION ALL SELECT unnest(CAST(:vocabulary AS text[]))) AS told GROUP BY word ORDER BY word"
)
# Words of the catalogue only: what somebody calls a thing of one's own is nobody else's suggestion.
_INSERT_WORDS = text(
    "INSERT INTO search_word (word, names) SELECT word, count(*) FROM unnest(CAST(:words AS text[])) AS word"
    " GROUP BY word ORDER BY word"
    " ON CONFLICT (word) DO UPDATE SET names = search_word.names + excluded.names"
)


async def write_entries(connection: AsyncConnection, index: SearchIndex, entries: Sequence[Entry]) -> None:
    """Add entries, or renew those that are there: one statement, and one more for the words of the catalogue.

    The words of entries in bands are counted by `recount_words`, once for all of them.
    """
    if not entries:
        return
    await connection.execute(_INSERT_ENTRIES, _columns_of(entries) | {"version": index.version})
    words = [word for entry in entries if entry.owner is None and not entry.band for word in entry.words]
    if words:
        await connection.execute(_INSERT_WORDS, {"words": words + sorted(index.phrases.vocabulary)})


def _columns_of(entries: Sequence[Entry]) -> dict[str, Any]:
    """The parameters of `_INSERT_ENTRIES`, each the values of all entries. Postgres has no arrays of arrays of different
    lengths, so words are one text, parted by blanks, and heads and their costs by strokes.
    """
    return {
        "ids": [entry.id for entry in entries],
        "owners": [entry.owner for entry in entries],
        "names": [entry.name for entry in entries],
        "words": [" ".join(entry.words) for entry in entries],
        "heads": ["|".join(" ".join(head) for head, _ in entry.heads) for entry in entries],
        "costs": ["|".join(str(cost) for _, cost in entry.heads) for entry in entries],
        "ranks": [entry.rank for entry in entries],
        "favours": [entry.favour for entry in entries],
        "readers": [_reader_of(entry) for entry in entries],
        "tags": [" ".join(f"{_TAG}{tag}" for tag in entry.tags) for entry in entries],
    }


async def recount_words(connection: AsyncConnection, index: SearchIndex) -> None:
    """Count anew how many names of the catalogue have each word, after many came or went at once."""
    await connection.execute(text("LOCK TABLE search_word IN EXCLUSIVE MODE"))
    await connection.execute(text("DELETE FROM search_word"))
    await connection.execute(_COUNT_WORDS, {"vocabulary": sorted(index.phrases.vocabulary)})


def _reader_of(entry: Entry) -> str:
    """The word in an entry's vector that says whose it is, or which band it stands in."""
    return f"{_BAND}{entry.band}" if entry.band else f"{_EVERYBODY}{entry.owner or ''}"


def _owners(viewer_id: str | None) -> str:
    """What the catalogue's and the viewer's own entries have in their vectors."""
    owners = {_EVERYBODY} | ({f"{_EVERYBODY}{viewer_id}"} if viewer_id else set())
    return " | ".join(_lexeme(owner) for owner in sorted(owners))


def _whole(meanings: Iterable[Words]) -> list[Reading]:
    """Readings of words that stand in our own lists, so none of them is only begun."""
    return [Reading(each, may_be_begun=False) for each in meanings]


def _tsquery(wanted: Iterable[Reading], tags: Iterable[str]) -> str | None:
    """All words of any reading, the last one perhaps only begun, and all tags; None for no reading."""
    readings = " | ".join(f"({_all_of(reading)})" for reading in wanted)
    return " & ".join([f"({readings})", *(_lexeme(f"{_TAG}{tag}") for tag in tags)]) if readings else None


def _joined(found: Sequence[Found], more: Sequence[Found]) -> list[Found]:
    """Both, each thing once, where it fits best."""
    best: dict[str, Found] = {}
    for each in (*found, *more):
        if each.id not in best or each.score > best[each.id].score:
            best[each.id] = each
    return sorted(best.values(), key=lambda each: each.order)[:MOST_FOUND]


def _literal(word: str) -> str:
    """A word as a text in SQL that reads as a tsquery of it; for words of this module alone."""
    return f"$${_lexeme(word)}$$"


def _all_of(reading: Reading) -> str:
    *whole, last = (_lexeme(word) for word in reading.words)
    return " & ".join([*whole, f"{last}:*" if reading.may_be_begun else last])


def _lexeme(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _is_short(words: Words) -> bool:
    return len(words) == 1 and len(words[0]) <= LEAST_LETTERS


def _named_of(row: Any) -> Named:
    """Of a row with the columns that `_statement` names, in their order."""
    found_id, _name, words, heads, costs, rank, users, is_own, times, _in_band = row
    return Named(
        found_id,
        heads=[(tuple(head.split()), cost) for head, cost in zip(heads, costs, strict=True)],
        words=tuple(words),
        rank=rank,
        users=users,
        times=times or 0,
        is_own=is_own,
    )
