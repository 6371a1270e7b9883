using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests.Owners;

/// <summary>Real processes that own leases: what counts as one, what becomes of its slot when it is gone, and of whoever waits.</summary>
public sealed class OwnerTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(1);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task A_process_that_got_the_pid_of_a_dead_owner_is_none()
    {
        using var other = System.Diagnostics.Process.Start("sleep", "600");
        try
        {
            ProcessIdentity living = _sandbox.Open().GetRequiredService<IProcessTable>().Find(other.Id)!;
            SlotLease lease = await Pool().ClaimAsync(new ClaimRequest { Key = "OLD", Owner = LeaseOwner.ForProcess(living with { StartTime = living.StartTime - 1 }) }, Token);
            lease.Detach();

            (await _sandbox.RunAsync("claim", "--key", "NEW", "--no-wait")).Code.Should().Be(0);
        }
        finally
        {
            other.Kill();
        }
    }

    [Fact]
    public async Task The_job_of_a_killed_dispatcher_never_shares_its_slot_with_the_next_holder()
    {
        // A job that has not touched a file: the slot looks ready, and is not free of its holder.
        using System.Diagnostics.Process run = _sandbox.Start("run", "--key", "K", "--", "sh", "-c", "echo $$; exec sleep 600");
        int job = int.Parse((await run.StandardOutput.ReadLineAsync(Token))!, System.Globalization.CultureInfo.InvariantCulture);
        run.Kill();
        await run.WaitForExitAsync(Token);
        IsRunning(job).Should().BeTrue("only the dispatcher was killed");

        (int code, JsonElement json) = await _sandbox.JsonAsync("claim", "--key", "NEXT", "--no-wait");

        code.Should().Be(0, json.ToString());
        IsRunning(job).Should().BeFalse("it was ended before its slot was handed on");
    }

    [Fact]
    public async Task A_holder_whose_time_ran_out_is_told_and_refused_when_another_process_takes_the_slot()
    {
        SlotLease former = await Pool().ClaimAsync(new ClaimRequest { Key = "SHORT", Owner = LeaseOwner.ForDuration(TimeSpan.FromMilliseconds(1)) }, Token);
        await File.WriteAllTextAsync(Path.Combine(former.Path, "work.txt"), "work\n", Token);
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration told = former.LostToken.Register(lost.SetResult);

        (int code, JsonElement json) = await _sandbox.JsonAsync("claim", "--key", "NEXT", "--no-wait");

        code.Should().Be(0, json.ToString());
        json.GetProperty("rescued").GetArrayLength().Should().Be(1);
        await lost.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        await former.Awaiting(lease => lease.ReleaseAsync(cancellationToken: Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        (await _sandbox.RunAsync("release", "--token", former.Token.Value)).Code.Should().Be(77);
    }

    [Fact]
    public async Task A_pause_ends_the_wait_of_a_claim_in_another_process_at_once()
    {
        (await _sandbox.RunAsync("claim", "--key", "HELD", "--lease", "1h")).Code.Should().Be(0);
        using System.Diagnostics.Process waiting = _sandbox.Start("claim", "--key", "WAITS", "--wait", "60s");
        await Signal.WhenWaitingAsync(waiting);

        (await _sandbox.RunAsync("pause", "--reason", "disk")).Code.Should().Be(0);

        await waiting.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
        waiting.ExitCode.Should().Be(69);
        (await _sandbox.RunAsync("resume")).Code.Should().Be(0);
        (await _sandbox.RunAsync("release", "--key", "HELD")).Code.Should().Be(0);
        (await _sandbox.RunAsync("claim", "--key", "WAITS", "--no-wait")).Code.Should().Be(0);
    }

    private IWorktreePool Pool() => _sandbox.Pool(options => options.Slots = 1);

    /// <summary>Whether it runs; one that has ended and was not yet waited for does not.</summary>
    private static bool IsRunning(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }
}
