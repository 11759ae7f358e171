"""A database that ends transactions as Postgres ends one of two that wait for each other."""

import asyncpg


async def lose_conflicts(url: str, table: str, *, times: int) -> None:
    """Have the next `times` transactions that insert into the table end as victims of a deadlock. A sequence counts them, for it
    is not rolled back.
    """
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://"))
    try:
        await connection.execute(
            f"""
            CREATE SEQUENCE IF NOT EXISTS conflicts;
            SELECT setval('conflicts', 1, false);
            CREATE OR REPLACE FUNCTION lose_conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('conflicts') <= {times} THEN
                    RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected';
                END IF;
                RETURN NULL;
            END $$;
            CREATE OR REPLACE TRIGGER loses_conflict AFTER INSERT ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION lose_conflict();
            """
        )
    finally:
        await connection.close()
