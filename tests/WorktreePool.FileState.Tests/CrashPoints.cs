namespace WorktreePool.FileState.Tests;

/// <summary>Tells a test of the points between two steps on the disk that it passes itself, whatever other tests do at the same time.</summary>
internal static class CrashPoints
{
    private static readonly AsyncLocal<Action<string>?> Passing = new();

    static CrashPoints() => AppContext.SetData("WorktreePool.CrashPoint", (Action<string>)(name => Passing.Value?.Invoke(name)));

    /// <summary>From now on, in what the caller does and begins; null: no longer.</summary>
    public static void Listen(Action<string>? passed) => Passing.Value = passed;
}
