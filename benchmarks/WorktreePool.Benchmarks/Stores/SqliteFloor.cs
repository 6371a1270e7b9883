using Microsoft.Data.Sqlite;

namespace WorktreePool.Benchmarks.Stores;

/// <summary>
/// What the same four transitions cost in the best known embedded store: each is one transaction that reads all records, checks version and
/// key, and replaces one record; WAL, synchronous=FULL, so each is on disk when it returns.
/// </summary>
internal sealed class SqliteFloor : IDisposable
{
    private static readonly string Document = new('x', 700);

    private readonly SqliteConnection _connection;
    private readonly int _slots;

    public SqliteFloor(string path, int slots)
    {
        _slots = slots;
        _connection = new SqliteConnection($"Data Source={path};Pooling=False");
        _connection.Open();
        Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE slots (slot INTEGER PRIMARY KEY, version INTEGER, key TEXT UNIQUE, document TEXT);");
        for (int slot = 0; slot < slots; slot++)
        {
            Execute($"INSERT INTO slots VALUES ({slot}, 1, NULL, '{Document}');");
        }
    }

    /// <summary>Preparing, leased, cleaning, free.</summary>
    public void Pair(int number)
    {
        int slot = number % _slots;
        Transition(slot, "key");
        Transition(slot, "key");
        Transition(slot, null);
        Transition(slot, null);
    }

    public void Dispose() => _connection.Dispose();

    private void Transition(int slot, string? key)
    {
        using SqliteTransaction transaction = _connection.BeginTransaction(deferred: false);
        long version = 0;
        using (SqliteCommand read = Command(transaction, "SELECT slot, version, key, document FROM slots"))
        using (SqliteDataReader rows = read.ExecuteReader())
        {
            while (rows.Read())
            {
                version = rows.GetInt32(0) == slot ? rows.GetInt64(1) : version;
            }
        }

        using (SqliteCommand write = Command(transaction, "UPDATE slots SET version = $next, key = $key, document = $document WHERE slot = $slot AND version = $version"))
        {
            write.Parameters.AddWithValue("$next", version + 1);
            write.Parameters.AddWithValue("$key", (object?)key ?? DBNull.Value);
            write.Parameters.AddWithValue("$document", Document);
            write.Parameters.AddWithValue("$slot", slot);
            write.Parameters.AddWithValue("$version", version);
            if (write.ExecuteNonQuery() != 1)
            {
                throw new InvalidOperationException($"slot {slot} was changed by nobody, and yet has another version");
            }
        }

        transaction.Commit();
    }

    private SqliteCommand Command(SqliteTransaction transaction, string text)
    {
        SqliteCommand command = _connection.CreateCommand();
        (command.CommandText, command.Transaction) = (text, transaction);
        return command;
    }

    private void Execute(string text)
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }
}
