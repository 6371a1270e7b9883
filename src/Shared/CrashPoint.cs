using System.Diagnostics;

namespace WorktreePool;

/// <summary>
/// Names an instant between two changes to the disk, at which the crash tests kill the process. Only debug builds have them: the calls
/// are not compiled into a release. Each statement that changes the disk is followed by one, and a test sees to that.
/// </summary>
internal static class CrashPoint
{
    /// <summary>Where the crash tests put what they do at a point.</summary>
    private const string Hook = "WorktreePool.CrashPoint";

    [Conditional("DEBUG")]
    public static void Reached(string name) => (AppContext.GetData(Hook) as Action<string>)?.Invoke(name);
}
