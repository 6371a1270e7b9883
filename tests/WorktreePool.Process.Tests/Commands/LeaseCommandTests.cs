using System.Diagnostics;
using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

/// <summary>attach, renew, release.</summary>
public sealed class LeaseCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();
    private string _token = "";

    public async ValueTask InitializeAsync()
    {
        await _sandbox.InitAsync(1);
        _token = (await _sandbox.JsonAsync("claim", "--key", "K", "--branch", "cr/k", "--lease", "1h")).Json.GetProperty("token").GetString()!;
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Attach_shows_the_lease_and_moves_it_to_a_process()
    {
        (int code, JsonElement shown) = await _sandbox.JsonAsync("attach", "--token", _token);
        (code, shown.GetProperty("outcome").GetString(), shown.GetProperty("key").GetString()).Should().Be((0, "attached", "K"));
        using System.Diagnostics.Process owner = System.Diagnostics.Process.Start(new ProcessStartInfo("sleep", "60"))!;

        (code, JsonElement moved) = await _sandbox.JsonAsync("attach", "--token", _token, "--owner-pid", $"{owner.Id}");

        code.Should().Be(0);
        moved.GetProperty("expiresAt").ValueKind.Should().Be(JsonValueKind.Null);
        owner.Kill();
        await owner.WaitForExitAsync(TestContext.Current.CancellationToken);
        (await _sandbox.JsonAsync("maintain")).Json.GetProperty("reclaimed")[0].GetString().Should().Be("slot-0");
        foreach (string command in new[] { "attach", "renew", "release" })
        {
            (await _sandbox.RunAsync(command, "--token", _token)).Code.Should().Be(77, $"{command} after the lease was reclaimed");
        }
    }

    [Fact]
    public async Task Renew_extends_by_the_leases_own_duration()
    {
        DateTimeOffset first = (await _sandbox.JsonAsync("attach", "--token", _token)).Json.GetProperty("expiresAt").GetDateTimeOffset();

        (int code, JsonElement json) = await _sandbox.JsonAsync("renew", "--token", _token);

        code.Should().Be(0);
        json.GetProperty("expiresAt").GetDateTimeOffset().Should().BeAfter(first).And.BeBefore(first.AddMinutes(5));
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_the_next_claims()
    {
        (await _sandbox.RunAsync("release", "--token", _token)).Code.Should().Be(0);
        string old = (await _sandbox.JsonAsync("claim", "--key", "SHORT", "--lease", "1ms")).Json.GetProperty("token").GetString()!;

        (await _sandbox.RunAsync("claim", "--key", "NEXT", "--no-wait")).Code.Should().Be(0);

        (await _sandbox.RunAsync("renew", "--token", old)).Code.Should().Be(77);
        (await _sandbox.RunAsync("release", "--token", old)).Code.Should().Be(77);
        (await _sandbox.JsonAsync("status")).Json.GetProperty("slots")[0].GetProperty("key").GetString().Should().Be("NEXT");
    }

    [Theory]
    [InlineData(new string[0], true)]
    [InlineData(new[] { "--rescue" }, true)]
    [InlineData(new[] { "--discard" }, false)]
    [InlineData(new[] { "--release-mode", "discard" }, false)]
    public async Task Release_by_token_keeps_or_destroys_work(string[] mode, bool keeps)
    {
        File.WriteAllText(Path.Combine(_sandbox.Slot(0), "work.txt"), "work");

        (int code, JsonElement json) = await _sandbox.JsonAsync(["release", "--token", _token, .. mode]);

        code.Should().Be(0);
        json.GetProperty("rescued").GetArrayLength().Should().Be(keeps ? 1 : 0);
        _sandbox.ShouldBeReady(0);
        Sandbox.Git(_sandbox.Repository, "branch", "--list", "cr/*").Should().BeEmpty();
        (await _sandbox.RunAsync("release", "--token", _token)).Code.Should().Be(77, "it was released before");
    }

    [Fact]
    public async Task Release_by_key_needs_no_token()
    {
        (await _sandbox.RunAsync("release", "--key", "K")).Code.Should().Be(0);
        _sandbox.ShouldBeReady(0);
        (await _sandbox.RunAsync("release", "--key", "K")).Code.Should().Be(77);
    }
}
