using System.IO.MemoryMappedFiles;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Tests.Watching;

/// <summary>What a watch sees, and when it is not trusted: a claim by it is as good as one that reads everything.</summary>
public sealed class WatchedProbeTests : WatchBench
{
    /// <summary>What another process may do to a slot that was verified, from the slot's root; <c>$1</c> is a directory outside.</summary>
    public static TheoryData<string> Changes =>
    [
        "echo more >> README.md",
        "touch -r README.md $1/time && printf 'HELLO\\n' > README.md && touch -r $1/time README.md",
        "truncate -s 2 src/app.cs",
        "chmod +x src/app.cs",
        "chmod a-w src",
        "touch README.md",
        "rm src/deep/data.txt",
        "rm link && ln -s src/app.cs link",
        "mv src/app.cs src/app2.cs",
        "mv src/deep src/deeper",
        "cp -p README.md $1/copy && mv $1/copy README.md",
        "echo x > src/deep/new.txt",
        "mkdir -p empty/inside",
        "mkdir bin && echo x > bin/ignored && rm -r bin",
        "ln README.md $1/other",
        "ln README.md $1/other && echo x >> $1/other && rm $1/other",
        "ln src/deep/data.txt $1/other && mv $1/other src/deep/second",
        "echo more > $1/late && ln -f $1/late README.md",
        "touch \"$INDEX\"",
        "cp \"$INDEX\" $1/index && mv $1/index \"$INDEX\"",
        "git update-index --assume-unchanged README.md",
        "git rm -q --cached README.md",
        "cd .. && mv slot-0 away && mv away slot-0",
        "cd .. && mv slot-0 $1/away && cp -a $1/away slot-0",
        "cd ../.. && mv slots $1/slots && cp -a $1/slots slots",
        "echo x > .git.lock && rm .git.lock",
    ];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_by_another_process_is_seen(string script)
    {
        Begin().WhyNotWatched.Should().BeNull();

        await Repository.ShellAsync(Place.Path, $"INDEX='{Index}'; {script}", Repository.Outside);
        SlotProbe claimed = Trust();

        claimed.IsFromWatch.Should().BeFalse();
        Words(claimed).Should().Equal(Words(Read()));
    }

    [Theory]
    [InlineData(":")]
    [InlineData("cat README.md src/app.cs > /dev/null; ls -R > /dev/null; find . -type f -exec stat {} + > /dev/null")]
    [InlineData("exec 3<README.md; cat <&3 > /dev/null")]
    public async Task What_changes_nothing_is_trusted(string script)
    {
        SlotProbe read = Begin();
        await Repository.ShellAsync(Place.Path, script);

        SlotProbe claimed = Trust();

        read.Findings.Should().BeEmpty();
        read.IsFromWatch.Should().BeFalse("the keeper reads everything");
        claimed.Should().BeEquivalentTo(read with { IsFromWatch = true });
        Trust().IsFromWatch.Should().BeFalse("the watch has ended with the claim");
    }

    [Fact]
    public async Task What_may_lie_in_a_slot_and_come_and_go_below_is_not_watched()
    {
        await Repository.ShellAsync(Place.Path, "mkdir .cache");
        Begin();
        await Repository.ShellAsync(Place.Path, "mkdir .cache/a && echo x > .cache/a/b");

        Trust().IsFromWatch.Should().BeTrue();
    }

    [Theory]
    [InlineData("git rev-parse HEAD > MERGE_HEAD", FindingIds.AdminResidue)]
    [InlineData("touch index.lock", FindingIds.LockStale)]
    [InlineData("git rev-parse HEAD~1 > x && mv x HEAD", FindingIds.WrongCommit)]
    [InlineData("echo 'ref: refs/heads/main' > HEAD", FindingIds.OnBranch)]
    public async Task The_admin_directory_is_read_in_any_case(string script, string expected)
    {
        Begin();
        await Repository.ShellAsync(Repository.AdminDirectory("slot-0"), script);

        Trust().Findings.Select(finding => finding.Id).Should().Contain(expected);
    }

    [Fact]
    public void The_keeper_reads_everything_in_each_pass_and_leaves_a_watch_that_saw_nothing()
    {
        int opened = 0;
        Use(() =>
        {
            opened++;
            return new KernelEvents();
        });

        Begin().WhyNotWatched.Should().BeNull();
        Begin().IsFromWatch.Should().BeFalse();

        opened.Should().Be(1);
        Trust().IsFromWatch.Should().BeTrue();
    }

    [Fact]
    public async Task The_keeper_watches_anew_what_has_changed_and_is_ready_again()
    {
        Begin();
        await Repository.ShellAsync(Place.Path, "touch README.md");

        Begin().WhyNotWatched.Should().BeNull();

        Trust().IsFromWatch.Should().BeTrue();
    }

    [Fact]
    public void After_a_restart_everything_is_read()
    {
        Begin();
        Use(() => new KernelEvents());

        Trust().IsFromWatch.Should().BeFalse();
    }

    [Fact]
    public async Task At_another_commit_everything_is_read()
    {
        Begin();

        SlotProbe other = Probe.Run(Place, new SlotTarget(Repository.Older) { Watch = WatchUse.Trust }, Token).Probe!;
        await Repository.GitAsync(Place.Path, "status");

        other.IsFromWatch.Should().BeFalse();
        other.Findings.Should().NotBeEmpty();
    }

    [Fact]
    public async Task A_slot_that_somebody_has_open_for_writing_is_not_watched()
    {
        using FileStream writer = new(Path.Combine(Place.Path, "README.md"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

        Begin().WhyNotWatched.Should().Contain("README.md may be open for writing");

        writer.Close();

        // A process that another test was just starting has the file open, too, until it runs its own program.
        SpinWait.SpinUntil(() => Begin().WhyNotWatched is null, TimeSpan.FromSeconds(30)).Should().BeTrue();
        await writer.DisposeAsync();
    }

    [Fact]
    public async Task A_file_that_is_open_by_a_name_which_is_gone_is_not_watched()
    {
        string alias = Path.Combine(Repository.Outside, "alias");
        await Repository.ShellAsync(Place.Path, "ln README.md \"$1\"", alias);
        await using FileStream writer = new(alias, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        File.Delete(alias);

        Begin().WhyNotWatched.Should().Contain("README.md may be open for writing");
    }

    [Fact]
    public void A_mapping_made_before_or_after_is_not_trusted()
    {
        string file = Path.Combine(Place.Path, "README.md");
        using (MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(file, FileMode.Open))
        using (MemoryMappedViewAccessor view = mapped.CreateViewAccessor())
        {
            Begin().WhyNotWatched.Should().Contain("may be open for writing");
        }

        Begin().WhyNotWatched.Should().BeNull();
        using (MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(file, FileMode.Open))
        using (MemoryMappedViewAccessor view = mapped.CreateViewAccessor())
        {
            // No event tells of the write itself; the opening does, and that it is open still.
            view.Write(0, (byte)'J');

            Trust().IsFromWatch.Should().BeFalse();
        }
    }

    [Fact]
    public async Task A_queue_that_ran_over_is_not_trusted()
    {
        int most = int.Parse(await File.ReadAllTextAsync("/proc/sys/fs/inotify/max_queued_events", Token), System.Globalization.CultureInfo.InvariantCulture);
        Assert.SkipUnless(most <= 100_000, "the queue is too long to fill");
        Begin();

        // Readings are no reason to distrust, until there is no room left to tell of what follows.
        string[] files = [Path.Combine(Place.Path, "README.md"), Path.Combine(Place.Path, "mixed.txt")];
        for (int i = 0; i <= most; i++)
        {
            File.OpenHandle(files[i % 2]).Dispose();
        }

        await File.AppendAllTextAsync(files[0], "more", Token);
        SlotProbe claimed = Trust();

        claimed.IsFromWatch.Should().BeFalse();
        claimed.Findings.Should().ContainSingle(finding => finding.Id == FindingIds.TreeDiffers);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    public void At_the_limit_of_watches_a_slot_is_read_and_not_watched(int limit)
    {
        Use(() => new FaultyEvents
        {
            Before = (count, _) =>
            {
                if (count >= limit)
                {
                    throw new IOException("fs.inotify.max_user_watches is reached");
                }
            },
        });

        SlotProbe read = Begin();

        read.Findings.Should().BeEmpty();
        read.WhyNotWatched.Should().Be("fs.inotify.max_user_watches is reached");
        Trust().IsFromWatch.Should().BeFalse();
    }

    [Fact]
    public void Without_a_queue_a_slot_is_read_and_not_watched()
    {
        Use(() => throw new IOException("fs.inotify.max_user_instances is reached"));

        Begin().Should().Match<SlotProbe>(probe => probe.IsReady && probe.WhyNotWatched == "fs.inotify.max_user_instances is reached");
        Trust().Should().Match<SlotProbe>(probe => probe.IsReady && !probe.IsFromWatch);
    }

    [Fact]
    public void A_queue_that_cannot_be_read_is_not_trusted()
    {
        bool fails = false;
        Use(() => new FaultyEvents { Reading = () => _ = fails ? throw new IOException("no") : 0 });
        Begin().WhyNotWatched.Should().BeNull();
        fails = true;

        Trust().Should().Match<SlotProbe>(probe => probe.IsReady && !probe.IsFromWatch);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("src/app.cs")]
    [InlineData("src/deep/data.txt")]
    [InlineData("src/deep/new.txt")]
    [InlineData("new/new.txt")]
    public async Task A_write_at_any_moment_of_the_verification_is_seen(string file)
    {
        string path = Path.Combine(Place.Path, file);
        byte[]? before = File.Exists(path) ? await File.ReadAllBytesAsync(path, Token) : null;
        int added = 0;
        Use(() => new FaultyEvents { Before = (_, _) => Interlocked.Increment(ref added) });
        Begin();
        int moments = added;

        foreach (bool isBefore in (bool[])[true, false])
        {
            for (int moment = 0; moment < moments; moment++)
            {
                bool isReached = false;
                for (int attempt = 0; attempt < 20 && !isReached; attempt++)
                {
                    isReached = await WriteAtAsync(path, moment, isBefore);

                    // While another test of this process starts a program, that one may have a file open that was just written here; then nothing is watched.
                    (!isReached || Trust().Findings.Count > 0).Should().BeTrue("it was written {0} watch {1} of {2}", isBefore ? "before" : "after", moment, moments);
                    await UndoAsync(path, before);
                }

                isReached.Should().BeTrue("there is a watch {0} of {1}", moment, moments);
            }
        }
    }

    /// <summary>Verifies, and writes a file before or after a watch is set.</summary>
    /// <returns>Whether it came to that watch.</returns>
    private async Task<bool> WriteAtAsync(string path, int moment, bool isBefore)
    {
        Task? written = null;
        void Write(int count, string? leased)
        {
            if (count == moment)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                if (leased == path)
                {
                    // Whoever would write waits until the watch is set: it cannot be awaited here.
                    written = Task.Run(() => File.WriteAllText(path, "other"), Token);
                }
                else
                {
                    File.WriteAllText(path, "other");
                    written = Task.CompletedTask;
                }
            }
        }

        Use(() => isBefore ? new FaultyEvents { Before = Write } : new FaultyEvents { After = Write });

        // A file that changes while it is read is no answer, and git is asked.
        Probe.Run(Place, new SlotTarget(Repository.Commit) { Watch = WatchUse.Begin }, Token);
        await (written ?? Task.CompletedTask);
        return written is not null;
    }

    private static async Task UndoAsync(string path, byte[]? before)
    {
        if (before is not null)
        {
            await File.WriteAllBytesAsync(path, before, Token);
        }
        else
        {
            string directory = Path.GetDirectoryName(path)!;
            if (Path.GetFileName(directory) != "new")
            {
                File.Delete(path);
            }
            else if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    /// <summary>The kernel's events, with a fault or a deed at an exact moment.</summary>
    private sealed class FaultyEvents : IFileEvents
    {
        private readonly KernelEvents _real = new();
        private int _count;

        public Action<int, string?>? Before { get; init; }

        public Action<int, string?>? After { get; init; }

        public Action? Reading { get; init; }

        public int Add(ReadOnlySpan<byte> path, FileChange what)
        {
            // The walk goes through several directories at the same time.
            int count = Interlocked.Increment(ref _count) - 1;
            string? leased = new FileInfo(System.Text.Encoding.UTF8.GetString(path)).LinkTarget;
            Before?.Invoke(count, leased);
            int watch = _real.Add(path, what);
            After?.Invoke(count, leased);
            return watch;
        }

        public IEnumerable<FileEvent> Read()
        {
            Reading?.Invoke();
            return _real.Read();
        }

        public void Dispose() => _real.Dispose();
    }
}
