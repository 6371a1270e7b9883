namespace WorktreePool.Postgres;

/// <summary>The settings of the PostgreSQL store.</summary>
public sealed class PostgresOptions
{
    /// <summary>
    /// How to connect, in Npgsql's words, for example <c>Host=db;Database=pools;Username=dispatcher;SSL Mode=VerifyFull;Passfile=/etc/worktree-pool/pgpass</c>.
    /// Required. It is never logged and never part of a message; still, name a password file rather than a password.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>The pool's name in the database: the same on all hosts that share it. Default: the name the pool is registered under.</summary>
    public string Pool { get; set; } = "";

    /// <summary>The database schema that holds the tables: lowercase letters, digits and underscores. Default <c>worktree_pool</c>.</summary>
    public string Schema { get; set; } = "worktree_pool";

    /// <summary>
    /// How long a host may go without checking in before the others take its keys back. 1 s to 7 days; default 5 min. A holder that cannot reach
    /// the database is told that its lease is lost when three quarters of it have passed. The same on all hosts.
    /// </summary>
    public TimeSpan HostTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long, after the database has changed over to another server or was restored, no slot is claimed or cleaned, because the last leases may be
    /// forgotten and their holders must be told first. Zero or more; null, the default: as long as <see cref="HostTimeout"/>. Zero is right only where a change-over
    /// loses nothing (synchronous replication). The same on all hosts.
    /// </summary>
    public TimeSpan? FailoverPause { get; set; }

    /// <summary>How long one operation may take, reconnecting included, before it fails. More than zero; default 10 s.</summary>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a waiter looks for itself, should notifications fail to arrive. More than zero; default 1 s.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary><see cref="FailoverPause"/>, or what stands for it.</summary>
    internal TimeSpan EffectiveFailoverPause => FailoverPause ?? HostTimeout;

    /// <summary>Says what is wrong with the settings.</summary>
    /// <exception cref="PoolConfigurationException">Something is.</exception>
    internal void Validate()
    {
        Require(ConnectionString.Length > 0, "ConnectionString is not set; it says how to reach the database");
        Require(Pool.Length > 0, "Pool is empty; it names the pool in the database");
        Require(Schema.Length is > 0 and < 60 && !char.IsAsciiDigit(Schema[0]) && Schema.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'),
            $"Schema is \"{Schema}\"; it is made of a-z, 0-9 and _");
        Require(HostTimeout >= TimeSpan.FromSeconds(1) && HostTimeout <= TimeSpan.FromDays(7), $"HostTimeout is {HostTimeout}; it must be 1 s to 7 days");
        Require(FailoverPause is null || FailoverPause >= TimeSpan.Zero, $"FailoverPause is {FailoverPause}; it must be zero or more");
        Require(OperationTimeout > TimeSpan.Zero, $"OperationTimeout is {OperationTimeout}; it must be more than zero");
        Require(PollInterval > TimeSpan.Zero, $"PollInterval is {PollInterval}; it must be more than zero");
    }

    private static void Require(bool rule, string failure)
    {
        if (!rule)
        {
            throw new PoolConfigurationException($"The PostgreSQL store's {failure}. Nothing was changed.");
        }
    }
}
