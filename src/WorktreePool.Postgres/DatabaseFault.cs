using System.Security.Authentication;
using Npgsql;

namespace WorktreePool.Postgres;

/// <summary>What an error of the database means: whether the same may work in a moment, what state was left, and what to do.</summary>
internal static class DatabaseFault
{
    /// <summary>idle_in_transaction_session_timeout.</summary>
    private const string IdleInTransaction = "25P03";

    /// <summary>Whether the same may work in a moment: nothing is wrong with what was asked.</summary>
    public static bool IsPassing(Exception e) => e switch
    {
        // The sessions that the server ends by itself are noticed by the next use only.
        PostgresException answer => answer.IsTransient || answer.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.IdleSessionTimeout or IdleInTransaction
            or PostgresErrorCodes.ProtocolViolation or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.QueryCanceled,
        NpgsqlException broken => broken.IsTransient || broken.InnerException is IOException or System.Net.Sockets.SocketException or TimeoutException,
        _ => e is IOException or System.Net.Sockets.SocketException or TimeoutException,
    };

    /// <summary>Whether what was asked may have been carried out all the same. An error that does not end the session says that it was not.</summary>
    public static bool LeavesDoubt(Exception e) => e is not PostgresException { InvariantSeverity: "ERROR" };

    /// <summary>The failure of an operation whose fault did not pass in time.</summary>
    /// <param name="what">What was not done.</param>
    /// <param name="limit">How long it was tried.</param>
    /// <param name="fault">The last fault.</param>
    /// <param name="inDoubt">Whether any of the attempts may have been carried out.</param>
    public static StateStoreException Lasting(string what, TimeSpan limit, Exception fault, bool inDoubt)
    {
        string how = fault is PostgresException ? "the database did not do it" : "the database could not be reached";
        return new StateStoreException(
            $"{what}: {how} within OperationTimeout ({limit.TotalSeconds:0.###} s): {Told(fault)} {State(inDoubt)} {Advice(fault) ?? "It is tried anew with the next call, and no restart is needed."}", fault);
    }

    /// <summary>The failure of an operation that the database refuses.</summary>
    public static StateStoreException Refused(string what, NpgsqlException fault, bool inDoubt) =>
        new($"{what}: the database refused: {Told(fault)} {State(inDoubt)}{(Advice(fault) is { } advice ? " " + advice : "")}", fault);

    /// <summary>What went wrong, as a sentence.</summary>
    private static string Told(Exception fault)
    {
        string text = fault switch
        {
            OperationCanceledException => "no answer came",
            { InnerException: { } inner and not AuthenticationException } => $"{fault.Message.TrimEnd('.')}: {inner.Message}",
            _ => fault.Message,
        };
        return text.EndsWith('.') ? text : text + ".";
    }

    private static string State(bool inDoubt) => inDoubt
        ? "A change that was under way may or may not have happened; read again before going on."
        : "Nothing was changed.";

    private static string? Advice(Exception fault) => fault.InnerException is AuthenticationException wrong
        ? $"{wrong.Message} Look at SSL Mode and Root Certificate of the connection, and at the server's certificate."
        : AdviceOn((fault as PostgresException)?.SqlState);

    private static string? AdviceOn(string? state) => state switch
    {
        PostgresErrorCodes.InsufficientPrivilege => "Grant the role what docs/fleet.md lists, or open the pool once as the schema's owner.",
        PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.ObjectNotInPrerequisiteState =>
            "This server takes no changes: it is a standby, or was set to be read only. Connect to the primary, or name all servers in Host, for then the one that takes changes is used.",
        PostgresErrorCodes.TooManyConnections => "Raise the server's max_connections or the role's limit (docs/fleet.md, Sizing), or end what else is connected.",
        PostgresErrorCodes.DiskFull => "Make room on the database's disk.",
        PostgresErrorCodes.QueryCanceled => "If nobody cancelled it, the statement_timeout of the server, the database or the role is too short for it.",
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName =>
            "The store's tables were changed or dropped by hand: restore them from a backup.",
        PostgresErrorCodes.CheckViolation => "A row was changed by hand so that its columns and its record disagree: repair it.",
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => "Look at the user, the password file and the server's pg_hba.conf.",
        PostgresErrorCodes.InvalidCatalogName => "Create the database, or name the one that has the pool.",
        _ => null,
    };
}
