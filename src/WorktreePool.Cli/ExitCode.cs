using System.Runtime.InteropServices;
using WorktreePool.Cli.Commands;

namespace WorktreePool.Cli;

/// <summary>The command's exit codes; a contract with scripts, so they may only grow.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int NotReady = 1;
    public const int Usage = 64;
    public const int Paused = 69;
    public const int Failure = 70;
    public const int KeyHeld = 73;
    public const int NoSlot = 75;
    public const int LeaseLost = 77;
    public const int Configuration = 78;
    public const int CommandNotExecutable = 126;
    public const int CommandNotFound = 127;

    public static int For(RefusalReason reason) => reason switch
    {
        RefusalReason.Paused => Paused,
        RefusalReason.KeyHeld => KeyHeld,
        RefusalReason.LeaseLost => LeaseLost,
        _ => NoSlot,
    };

    /// <summary>As shells do: 128 and the signal's number.</summary>
    public static int ForSignal(PosixSignal signal) => 128 + Signals.Number(signal);

    public static (int Code, string Name) For(Exception exception) => exception switch
    {
        UsageException or ArgumentException => (Usage, "usage"),
        PoolConfigurationException => (Configuration, "configuration"),
        LeaseLostException => (LeaseLost, "leaseLost"),
        ReleaseIncompleteException => (Failure, "releaseIncomplete"),
        StateMovedException => (Configuration, "moved"),
        StateStoreException => (Failure, "state"),
        BaseNotFoundException => (Failure, "baseNotFound"),
        BranchExistsException => (Failure, "branchExists"),
        RescueNotFoundException => (Failure, "rescueNotFound"),
        GitBackendException => (Failure, "git"),
        _ => (Failure, "failure"),
    };
}

/// <summary>The command line is wrong; nothing was changed.</summary>
internal sealed class UsageException(string message) : Exception(message);
