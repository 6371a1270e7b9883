using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace WorktreePool.Process.Tests.Deadlines;

/// <summary>Claim and release end by their deadline, whatever hangs, and the next claim recovers.</summary>
public sealed class DeadlineTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <summary>What the promise allows, and what a busy machine may add before a continuation runs.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250) + TimeSpan.FromSeconds(1);

    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task With_the_store_lock_held_by_a_stopped_process()
    {
        IWorktreePool pool = await ReadyAsync();
        SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-0" }, Token);
        using System.Diagnostics.Process holder = Start("hold-file", Path.Combine(_sandbox.PoolDirectory, "state", "store.lock"));
        (await holder.StandardOutput.ReadLineAsync(Token)).Should().Be("held");
        Signal.Send(holder, Stop);
        try
        {
            await EndsInTimeAsync<SlotUnavailableException>(() => pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask());
            await EndsInTimeAsync<ReleaseIncompleteException>(() => lease.ReleaseAsync(cancellationToken: Token).AsTask());
        }
        finally
        {
            holder.Kill();
        }

        await using SlotLease next = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        next.Healed.Should().BeEmpty();
    }

    [Fact]
    public async Task With_a_filter_that_never_ends()
    {
        string gate = Path.Combine(_sandbox.Root, "gate");
        string seed = Path.Combine(_sandbox.Root, "seed");
        await File.WriteAllTextAsync(Path.Combine(seed, "model.bin"), "weights\n", Token);
        await File.WriteAllTextAsync(Path.Combine(seed, ".gitattributes"), "*.bin filter=slow\n", Token);
        Sandbox.Git(seed, "add", "-A");
        Sandbox.Git(seed, "commit", "-q", "-m", "model");
        Sandbox.Git(seed, "push", "-q", Path.Combine(_sandbox.Root, "origin.git"), "main");
        Sandbox.Git(_sandbox.Repository, "config", "filter.slow.smudge", $"if [ -e '{gate}' ]; then sleep 987654; fi; cat");
        Sandbox.Git(_sandbox.Repository, "config", "filter.slow.clean", "cat");
        Sandbox.Git(_sandbox.Repository, "pull", "-q");
        IWorktreePool pool = await ReadyAsync();
        File.Delete(Path.Combine(_sandbox.Slot(0), "model.bin"));
        await File.WriteAllTextAsync(gate, "", Token);

        await EndsInTimeAsync<SlotUnavailableException>(() => pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask());

        Running("987654").Should().BeEmpty("git's whole process tree is ended");
        File.Delete(gate);
        await using SlotLease next = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        File.Exists(Path.Combine(next.Path, "model.bin")).Should().BeTrue();
    }

    [Fact]
    public async Task With_a_remote_that_accepts_and_never_answers()
    {
        using var remote = new TcpListener(IPAddress.Loopback, 0);
        remote.Start();
        Sandbox.Git(_sandbox.Repository, "config", "remote.origin.url", $"git://127.0.0.1:{((IPEndPoint)remote.LocalEndpoint).Port}/app.git");
        IWorktreePool pool = await ReadyAsync();
        string real = _sandbox.Base;
        Sandbox.Git(_sandbox.Repository, "commit", "-q", "--allow-empty", "-m", "planted");
        Sandbox.Git(_sandbox.Repository, "update-ref", "refs/remotes/origin/main", "HEAD");

        var watch = Stopwatch.StartNew();
        await using SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);

        watch.Elapsed.Should().BeLessThan(Limit + Grace);
        lease.Commit.Should().Be(real, "the remote could not be asked, and a worker is not believed");
    }

    [Fact]
    public async Task With_hooks_that_never_end()
    {
        IWorktreePool pool = await ReadyAsync();
        foreach (string hook in new[] { "post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc" })
        {
            string path = Path.Combine(_sandbox.Repository, ".git", "hooks", hook);
            await File.WriteAllTextAsync(path, "#!/bin/sh\nsleep 987655\n", Token);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, (UnixFileMode)0x1ED);
            }
        }

        var watch = Stopwatch.StartNew();
        SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1", Branch = "cr/mc-1" }, Token);
        await lease.ReleaseAsync(cancellationToken: Token);

        watch.Elapsed.Should().BeLessThan(Limit + Limit);
        Running("987655").Should().BeEmpty();
    }

    private const int Stop = 19;

    private async Task<IWorktreePool> ReadyAsync()
    {
        IWorktreePool pool = _sandbox.Pool(options => (options.Slots, options.ClaimTimeout, options.ReleaseTimeout) = (1, Limit, Limit));
        await pool.MaintainAsync(Token);
        return pool;
    }

    private static async Task EndsInTimeAsync<T>(Func<Task> act) where T : Exception
    {
        var watch = Stopwatch.StartNew();
        await act.Should().ThrowAsync<T>();
        watch.Elapsed.Should().BeGreaterThan(Limit * 0.9).And.BeLessThan(Limit + Grace);
    }

    private static System.Diagnostics.Process Start(params string[] arguments) => System.Diagnostics.Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "WorktreePool.TestHelper.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;

    /// <summary>Processes with this word in their command line.</summary>
    private static List<string> Running(string word) =>
        [.. Directory.EnumerateDirectories("/proc").Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0])).Select(CommandLine).Where(line => line.Contains(word, StringComparison.Ordinal))];

    private static string CommandLine(string directory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, "cmdline"));
        }
        catch (IOException)
        {
            // It ended while we looked.
            return "";
        }
    }
}
