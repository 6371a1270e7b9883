namespace WorktreePool.Postgres;

/// <summary>
/// The tables, as steps from one version to the next. A step that was released is never edited: a change is a new step. Every step must
/// leave a schema that the version before can still work with, so that hosts can be upgraded one after the other.
/// </summary>
internal static class Migrations
{
    /// <summary>The steps, in order; the number of a step is its place, from 1. <c>{0}</c> stands for the schema.</summary>
    public static IReadOnlyList<string> Steps { get; } =
    [
        """
        CREATE TABLE {0}.pool (
            pool text NOT NULL PRIMARY KEY,
            version bigint NOT NULL,
            change uuid NOT NULL,
            record jsonb NOT NULL
        );

        CREATE TABLE {0}.slot (
            pool text NOT NULL,
            host text NOT NULL,
            slot text NOT NULL,
            version bigint NOT NULL,
            change uuid NOT NULL,
            state text NOT NULL,
            key text COLLATE "C",
            commit text,
            record jsonb NOT NULL,
            PRIMARY KEY (pool, host, slot)
        ) WITH (fillfactor = 70);

        -- One lease per key over all hosts; a claim that is refused finds the holder by it.
        CREATE UNIQUE INDEX slot_key ON {0}.slot (pool, key) WHERE key IS NOT NULL;
        -- Where is a free slot: FindCapacityAsync.
        CREATE INDEX slot_free ON {0}.slot (pool, host, commit) WHERE state = 'free';

        CREATE TABLE {0}.host (
            pool text NOT NULL,
            host text NOT NULL,
            checked_in_at timestamptz NOT NULL,
            PRIMARY KEY (pool, host)
        );

        CREATE TABLE {0}.history (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            pool text NOT NULL,
            host text,
            slot text,
            key text COLLATE "C",
            change uuid NOT NULL UNIQUE,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            entry jsonb NOT NULL
        );
        CREATE INDEX history_newest ON {0}.history (pool, id);
        CREATE INDEX history_slot ON {0}.history (pool, host, slot, id);
        CREATE INDEX history_key ON {0}.history (pool, key, id);
        CREATE INDEX history_age ON {0}.history (recorded_at);

        -- Whoever changes a record, be it a hand, wakes those who wait: the host's processes, or all when it is the pool's own record.
        CREATE FUNCTION {0}.tell() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            changed record := coalesce(NEW, OLD);
        BEGIN
            IF TG_TABLE_NAME = 'pool' THEN
                PERFORM pg_notify('wp_' || md5('{0}' || E'\n' || changed.pool), '');
            ELSE
                PERFORM pg_notify('wp_' || md5('{0}' || E'\n' || changed.pool || E'\n' || changed.host), '');
            END IF;
            RETURN NULL;
        END
        $$;
        CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON {0}.slot FOR EACH ROW EXECUTE FUNCTION {0}.tell();
        CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON {0}.pool FOR EACH ROW EXECUTE FUNCTION {0}.tell();
        """,
        """
        -- Which server, on which timeline, wrote here last, and until when nobody takes a slot because that changed.
        CREATE TABLE {0}.server (
            single boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (single),
            identity text NOT NULL,
            held_until timestamptz NOT NULL DEFAULT '-infinity'
        );

        -- The part of a host that has moved to another store, or is on its way here: not to be used.
        CREATE TABLE {0}.move (
            pool text NOT NULL,
            host text NOT NULL,
            id uuid NOT NULL,
            stage text NOT NULL,
            PRIMARY KEY (pool, host)
        );
        """,
        """
        -- Which machine goes by the name, and in which of its boots it did lately, the newest first: two machines of one name would take each other's slots.
        ALTER TABLE {0}.host ADD COLUMN machine text, ADD COLUMN boots text[] NOT NULL DEFAULT '{}';

        -- What is found by a column is what the record says, also after a change by hand: a key that is free in one and held in the other would be held twice.
        ALTER TABLE {0}.slot ADD CONSTRAINT slot_agrees CHECK (
            host IS NOT DISTINCT FROM record->>'host' AND slot IS NOT DISTINCT FROM record->>'slot' AND state IS NOT DISTINCT FROM record->>'state'
            AND key IS NOT DISTINCT FROM record->'lease'->>'key') NOT VALID;
        """,
    ];
}
