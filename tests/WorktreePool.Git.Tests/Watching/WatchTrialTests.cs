using System.Diagnostics;

namespace WorktreePool.Git.Tests.Watching;

/// <summary>Another process does something to the slot, just before or while it is claimed, a thousand times.</summary>
public sealed class WatchTrialTests : WatchBench
{
    private const int Trials = 1000;

    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(4);

    /// <summary>From the slot's root; what it starts is undone after each trial. The first are harmless.</summary>
    private static readonly string[] Deeds =
    [
        ":",
        "read -r line < README.md || :",
        "echo x >> README.md",
        "echo x > src/deep/new",
        ": > src/app.cs",
        "exec 4>>mixed.txt; echo x >&4; exec 4>&-",
        "exec 4>>mixed.txt",
        "mkdir src/empty",
        "chmod 755 README.md",
        "mv src/deep src/deeper",
        "ln README.md ../../../outside/l && echo x >> ../../../outside/l && rm ../../../outside/l",
        "rm -f link",
        "cp README.md ../../../outside/c && mv ../../../outside/c README.md",
        "echo x >> .git",
        "echo x >> \"$INDEX\"",
    ];

    private const int Harmless = 2;

    [Fact]
    public async Task What_another_process_did_before_the_claim_is_never_missed()
    {
        await Repository.ShellAsync(Place.Path, $"cp -a . '{Repository.Outside}/pristine' && cp -a '{Index}' '{Repository.Outside}/index'");
        var random = new Random(20260603);
        using var other = new OtherProcess(Place.Path, Index);
        long start = Stopwatch.GetTimestamp();
        int trusted = 0, during = 0;
        for (int trial = 0; trial < Trials && Stopwatch.GetElapsedTime(start) < AtMost; trial++)
        {
            Begin().Should().Match<WorktreePool.SlotProbe>(probe => probe.IsReady && probe.WhyNotWatched == null);
            int deed = random.Next(Deeds.Length);
            bool awaits = random.Next(2) == 0;
            Task<string?> done = other.DoAsync(Deeds[deed]);
            if (awaits)
            {
                await done;
            }
            else
            {
                SpinWait.SpinUntil(() => done.IsCompleted, random.Next(3));
            }

            bool isBefore = done.IsCompleted;
            WorktreePool.SlotProbe claimed = Trust();
            await done;
            WorktreePool.SlotProbe real = Read();

            if (isBefore)
            {
                Words(claimed).Should().Equal(Words(real), "it was \"{0}\" in trial {1}", Deeds[deed], trial);
                claimed.IsFromWatch.Should().Be(deed < Harmless, "it was \"{0}\" in trial {1}", Deeds[deed], trial);
            }

            // The claim in whose midst it was has ended the watch: the next reads all.
            Words(Trust()).Should().Equal(Words(real));
            trusted += claimed.IsFromWatch ? 1 : 0;
            during += isBefore ? 0 : 1;
            await other.DoAsync("exec 4>&-; rm -rf ./* .gitignore .cache && cp -a ../../../outside/pristine/. . && cp -a ../../../outside/index \"$INDEX\"");
        }

        trusted.Should().BePositive();
        during.Should().BePositive();
    }

    /// <summary>A shell that does what it is told and says when it is done.</summary>
    private sealed class OtherProcess : IDisposable
    {
        private readonly Process _shell;

        public OtherProcess(string directory, string index)
        {
            var start = new ProcessStartInfo("/bin/sh", ["-c", "while read -r deed; do eval \"$deed\"; echo done; done"])
            {
                WorkingDirectory = directory,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            };
            start.Environment["INDEX"] = index;
            _shell = Process.Start(start)!;
        }

        public Task<string?> DoAsync(string deed)
        {
            _shell.StandardInput.WriteLine(deed);
            _shell.StandardInput.Flush();
            return _shell.StandardOutput.ReadLineAsync();
        }

        public void Dispose()
        {
            _shell.StandardInput.Close();
            _shell.WaitForExit();
            _shell.Dispose();
        }
    }
}
