using System.Diagnostics;

namespace WorktreePool.Process.Tests.Owners;

/// <summary>Where one process at a time may be, over real processes: when it is killed, the next one follows, and nobody before.</summary>
public sealed class AloneTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(1);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task A_killed_dispatcher_is_followed_by_the_one_that_was_refused()
    {
        using System.Diagnostics.Process first = Dispatch();
        (await first.StandardOutput.ReadLineAsync(Token)).Should().Be("entered");
        using System.Diagnostics.Process second = Dispatch();
        (await second.StandardOutput.ReadLineAsync(Token)).Should().Contain($"process {first.Id}").And.Contain("alive");
        IWorktreePool pool = _sandbox.Pool(options => options.Slots = 1);
        (await pool.TryEnterDispatchAsync("tickets", cancellationToken: Token)).Inside!.Holder.Pid.Should().Be(first.Id);
        Task<DispatchAttempt> queued = pool.TryEnterDispatchAsync("tickets", TimeSpan.FromMinutes(5), Token).AsTask();

        first.Kill();
        await first.WaitForExitAsync(Token);

        (await queued.WaitAsync(TimeSpan.FromMinutes(1), Token)).Gate.Should().NotBeNull();
        using System.Diagnostics.Process third = Dispatch();
        (await third.StandardOutput.ReadLineAsync(Token)).Should().Contain($"process {Environment.ProcessId}");
        await End(second);
        await End(third);
    }

    [Fact]
    public async Task A_killed_keeper_is_followed_by_the_one_that_stood_by()
    {
        using System.Diagnostics.Process first = _sandbox.Start("maintain", "--every", "1h", "--json");
        (await first.StandardOutput.ReadLineAsync(Token)).Should().Contain("\"maintained\"");
        using System.Diagnostics.Process second = _sandbox.Start("maintain", "--every", "1h", "--json");
        Task<string?> took = second.StandardOutput.ReadLineAsync(Token).AsTask();
        (await _sandbox.JsonAsync("maintain")).Json.GetProperty("keeper").GetProperty("pid").GetInt32().Should().Be(first.Id, "one pass is no way around it");
        took.IsCompleted.Should().BeFalse("it stands by");

        first.Kill();
        await first.WaitForExitAsync(Token);

        (await took.WaitAsync(TimeSpan.FromMinutes(1), Token)).Should().Contain("\"maintained\"");
        (await _sandbox.JsonAsync("maintain")).Json.GetProperty("keeper").GetProperty("pid").GetInt32().Should().Be(second.Id);
        second.Kill();
        await second.WaitForExitAsync(Token);
    }

    private System.Diagnostics.Process Dispatch() => System.Diagnostics.Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "WorktreePool.TestHelper.dll"), "dispatch", _sandbox.Root, "tickets"])
        { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    private static async Task End(System.Diagnostics.Process process)
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync(Token);
    }
}
