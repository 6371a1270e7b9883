using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace WorktreePool.TestHelper;

/// <summary>
/// Ends this process by SIGKILL exactly at a point. WORKTREE_POOL_CRASH_AT is "OCCURRENCE NAME", or "NUMBER *" for the so-manieth point of any name; without it, WORKTREE_POOL_CRASH_TRACE names a
/// file that gets the names of all points that were passed.
/// </summary>
internal static partial class Crash
{
    /// <summary>Stands for every name.</summary>
    private const string Any = "*";

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, int> Passed = [];
    private static readonly string? Trace = Environment.GetEnvironmentVariable("WORKTREE_POOL_CRASH_TRACE");
    private static readonly string[] At = (Environment.GetEnvironmentVariable("WORKTREE_POOL_CRASH_AT") ?? "").Split(' ', 2);
    private static bool _armed;

    /// <summary>Is told of every point that is passed, before anybody is killed there.</summary>
    public static Action<string>? Passing { get; set; }

    /// <summary>From here on points count, those of the library's debug build included.</summary>
    public static void Arm()
    {
        _armed = true;
        AppContext.SetData("WorktreePool.CrashPoint", (Action<string>)Reached);
    }

    /// <summary>After this, points are only what a process passes that has done its work.</summary>
    public static void Disarm() => _armed = false;

    public static void Reached(string name)
    {
        name = Id().Replace(name, "ID");
        if (_armed)
        {
            Passing?.Invoke(name);
        }

        lock (Gate)
        {
            if (!_armed)
            {
                return;
            }

            int occurrence = Passed[name] = Passed.GetValueOrDefault(name) + 1;
            int number = Passed[Any] = Passed.GetValueOrDefault(Any) + 1;
            if (Trace is not null)
            {
                File.AppendAllText(Trace, string.Create(CultureInfo.InvariantCulture, $"{occurrence} {name}\n"));
            }

            if (At.Length == 2 && (At[1] == name ? occurrence : At[1] == Any ? number : 0) == int.Parse(At[0], CultureInfo.InvariantCulture))
            {
                using Process self = Process.GetCurrentProcess();
                self.Kill();
                Thread.Sleep(Timeout.Infinite);
            }
        }
    }

    /// <summary>Commit ids and random names differ from run to run; the point is the same.</summary>
    [GeneratedRegex("[0-9a-f]{12,}")]
    private static partial Regex Id();

    /// <summary>A call across a seam: a point before it and one after it.</summary>
    public static async ValueTask<T> AroundAsync<T>(string name, Func<ValueTask<T>> call)
    {
        Reached("before " + name);
        T result = await call();
        Reached("after " + name);
        return result;
    }

    /// <summary>As the other, for a call without a result.</summary>
    public static async ValueTask AroundAsync(string name, Func<ValueTask> call)
    {
        Reached("before " + name);
        await call();
        Reached("after " + name);
    }
}
