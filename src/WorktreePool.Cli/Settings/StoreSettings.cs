using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Postgres;

namespace WorktreePool.Cli.Settings;

/// <summary>Where a pool's state is: in files beside it, or in PostgreSQL for several hosts.</summary>
internal sealed class StoreSettings
{
    public const string Files = "files";

    public const string Postgres = "postgres";

    public string Kind { get; private set; } = Files;

    /// <summary>In Npgsql's words, without a password.</summary>
    public string? ConnectionString { get; private set; }

    /// <summary>This machine's name in records; null: its own.</summary>
    public string? HostName { get; set; }

    /// <summary>The pool's name in the database; null: the name of its directory.</summary>
    public string? Pool { get; set; }

    public string? Schema { get; set; }

    public TimeSpan? HostTimeout { get; set; }

    public TimeSpan? FailoverPause { get; set; }

    public TimeSpan? OperationTimeout { get; set; }

    /// <exception cref="FormatException">There is no such store.</exception>
    public void SetKind(string value) => Kind = value is Files or Postgres ? value : throw new FormatException($"it must be \"{Files}\" or \"{Postgres}\".");

    /// <summary>A password in it would be seen in the list of processes, in pool.json and in the output of config.</summary>
    /// <exception cref="PoolConfigurationException">It cannot be read, or holds a password. The message does not say it.</exception>
    public void SetConnectionString(string value)
    {
        DbConnectionStringBuilder parts;
        try
        {
            parts = new DbConnectionStringBuilder { ConnectionString = value };
        }
        catch (ArgumentException)
        {
            throw new PoolConfigurationException("postgres is no connection string. Write for example \"Host=db;Database=pools;Username=dispatcher;SSL Mode=VerifyFull\".");
        }

        if (parts.Keys.Cast<string>().Any(key => key.Contains("password", StringComparison.OrdinalIgnoreCase) || key.ToUpperInvariant() is "PWD" or "PSW"))
        {
            throw new PoolConfigurationException(
                "postgres holds a password, which others could read there. Nothing was used of it. Leave it out, and name a password file with Passfile=… or PGPASSFILE, or a client certificate.");
        }

        ConnectionString = value;
    }

    /// <summary>Whether this build can use a database: the native one is smaller by a third without, and is published so unless it is told otherwise.</summary>
    [FeatureSwitchDefinition("WorktreePool.Cli.WithPostgres")]
    private static bool HasPostgres => !AppContext.TryGetSwitch("WorktreePool.Cli.WithPostgres", out bool isWith) || isWith;

    /// <summary>Chooses the store for a pool.</summary>
    public void Use(WorktreePoolBuilder builder)
    {
        if (Kind == Files)
        {
            builder.UseFileState();
            return;
        }

        if (!HasPostgres)
        {
            throw new PoolConfigurationException(
                "store is \"postgres\", and this native build of the command is without PostgreSQL. Nothing was changed. Use the .NET tool, or publish the native build with -p:WithPostgres=true.");
        }

        string connection = ConnectionString ?? throw new PoolConfigurationException(
            "store is \"postgres\", and postgres, which says how to reach the database, is not set. Write for example \"Host=db;Database=pools;Username=dispatcher;SSL Mode=VerifyFull\".");
        builder.UsePostgres(connection, options =>
        {
            options.Pool = Pool ?? options.Pool;
            options.Schema = Schema ?? options.Schema;
            options.HostTimeout = HostTimeout ?? options.HostTimeout;
            options.FailoverPause = FailoverPause ?? options.FailoverPause;
            options.OperationTimeout = OperationTimeout ?? options.OperationTimeout;
        });
    }
}
