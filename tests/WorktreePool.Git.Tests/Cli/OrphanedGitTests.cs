using System.Diagnostics;
using System.Globalization;
using WorktreePool.Git.Cli;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>What outlived the pool process that started it is ended, however short a time before that it was begun. What the system tells of processes is written by hand.</summary>
public sealed class OrphanedGitTests : IDisposable
{
    private const string Subject = "/pool/slots/slot-0";

    /// <summary>Of a program that runs.</summary>
    private const long Ordinary = 0x400000;

    private readonly string _processes = Directory.CreateTempSubdirectory("worktree-pool-processes-").FullName;

    private readonly Process _orphan = Process.Start("sleep", "600");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private int Pid => _orphan.Id;

    [Fact]
    public async Task A_process_that_has_no_environment_yet_is_waited_for_and_ended_when_it_is_one()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Tell(Pid, "", Stat("R", Ordinary, 0));
        var time = new TellingTime();
        Task ended = OrphanedGit.EndAsync(Subject, time, Token, _processes).AsTask();
        await Task.WhenAny(time.Waits, ended);
        ended.IsCompleted.Should().BeFalse("nobody can say yet whose process it is");

        Tell(Pid, $"PATH=/bin\0{GitRunner.Marker}={Subject}\0", Stat("S", Ordinary, 7));
        await _orphan.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
        Directory.Delete(Path.Combine(_processes, Pid.ToString(CultureInfo.InvariantCulture)), recursive: true);
        await ended.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Theory]
    [InlineData("", "S", Ordinary, 7, "it was given no environment")]
    [InlineData("", "S", 0x200000 | Ordinary, 0, "it is a thread of the kernel")]
    [InlineData("", "R", 0x4 | Ordinary, 0, "it is ending")]
    [InlineData("", "Z", Ordinary, 0, "it has ended")]
    [InlineData("PATH=/bin\0", "R", Ordinary, 0, "it is somebody else's")]
    public async Task Others_are_neither_waited_for_nor_ended(string environment, string state, long flags, long environmentEnd, string reason)
    {
        Tell(Pid, environment, Stat(state, flags, environmentEnd));
        var time = new TellingTime();

        await OrphanedGit.EndAsync(Subject, time, Token, _processes).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Token);

        time.Waits.IsCompleted.Should().BeFalse(reason);
        _orphan.HasExited.Should().BeFalse(reason);
    }

    [Fact]
    public async Task What_was_begun_since_is_not_waited_for_and_what_hangs_not_for_long()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Tell(Pid, "", Stat("D", Ordinary, 0));
        var time = new TellingTime();
        Task ended = OrphanedGit.EndAsync(Subject, time, Token, _processes).AsTask();
        await Task.WhenAny(time.Waits, ended);
        ended.IsCompleted.Should().BeFalse();

        // In its place another one is on its way.
        Tell(Pid + 1, "", Stat("R", Ordinary, 0));
        Directory.Delete(Path.Combine(_processes, Pid.ToString(CultureInfo.InvariantCulture)), recursive: true);
        await ended.WaitAsync(TimeSpan.FromSeconds(30), Token);

        await OrphanedGit.EndAsync(Subject, TimeProvider.System, Token, _processes).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    public void Dispose()
    {
        _orphan.Kill();
        _orphan.Dispose();
        Directory.Delete(_processes, recursive: true);
    }

    /// <summary>The fields of <c>/proc/*/stat</c> after the name, see proc(5): the first is the third.</summary>
    private static string Stat(string state, long flags, long environmentEnd)
    {
        string[] fields = [.. Enumerable.Repeat("0", 50)];
        fields[0] = state;
        fields[9 - 3] = flags.ToString(CultureInfo.InvariantCulture);
        fields[51 - 3] = environmentEnd.ToString(CultureInfo.InvariantCulture);
        return string.Join(' ', fields);
    }

    private void Tell(int pid, string environment, string stat)
    {
        string directory = Directory.CreateDirectory(Path.Combine(_processes, pid.ToString(CultureInfo.InvariantCulture))).FullName;
        File.WriteAllText(Path.Combine(directory, "stat"), $"{pid} (a name) with ) in it) {stat}\n");
        string next = Path.Combine(directory, "next");
        File.WriteAllText(next, environment);
        File.Move(next, Path.Combine(directory, "environ"), overwrite: true);
    }
}
