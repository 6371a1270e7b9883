using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

/// <summary>rescue and history.</summary>
public sealed class RecordCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(2);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task A_rescue_is_listed_shown_restored_and_dropped()
    {
        (await _sandbox.RunAsync("run", "--key", "MC-1", "--", "sh", "-c", "echo precious > work.txt")).Code.Should().Be(0);

        JsonElement rescue = (await _sandbox.JsonAsync("rescue", "list")).Json.GetProperty("rescues")[0];
        string id = rescue.GetProperty("id").GetString()!;
        (rescue.GetProperty("key").GetString(), rescue.GetProperty("slot").GetString(), rescue.GetProperty("files").GetInt32()).Should().Be(("MC-1", "slot-0", 1));
        (await _sandbox.RunAsync("rescue", "show", id)).Output.Should().Contain("work.txt").And.Contain("+precious");

        (await _sandbox.RunAsync("rescue", "restore", id, "--branch", "found")).Code.Should().Be(0);
        Sandbox.Git(_sandbox.Repository, "show", "found:work.txt").Should().Be("precious");
        (await _sandbox.RunAsync("rescue", "restore", id, "--branch", "found")).Code.Should().Be(70, "the branch exists");
        (await _sandbox.RunAsync("rescue", "restore", id, "--branch", "a..b")).Code.Should().Be(70, "git refuses the name");

        (await _sandbox.RunAsync("rescue", "drop", id)).Code.Should().Be(0);
        (await _sandbox.JsonAsync("rescue", "list")).Json.GetProperty("rescues").GetArrayLength().Should().Be(0);
        Sandbox.Git(_sandbox.Repository, "show", "found:work.txt").Should().Be("precious", "the branch stays");
    }

    [Fact]
    public async Task History_by_slot_by_key_and_limited()
    {
        foreach (string key in new[] { "A", "B" })
        {
            (await _sandbox.RunAsync("claim", "--key", key)).Code.Should().Be(0);
        }

        foreach (string key in new[] { "A", "B" })
        {
            (await _sandbox.RunAsync("release", "--key", key)).Code.Should().Be(0);
        }

        (await EventsAsync("--key", "A")).Should().Equal("released slot-0 A", "claimed slot-0 A");
        (await EventsAsync("--slot", "slot-1")).Should().Equal("released slot-1 B", "claimed slot-1 B", "provisioned slot-1 ");
        (await EventsAsync("--slot", "slot-1", "--key", "A")).Should().BeEmpty();
        (await EventsAsync("--limit", "1")).Should().Equal("released slot-1 B");
        (await _sandbox.RunAsync("history")).Output.Should().ContainAll("released", "claimed", "provisioned", "slot-1", "B");
    }

    private async Task<IEnumerable<string>> EventsAsync(params string[] filters) =>
        (await _sandbox.JsonAsync(["history", .. filters])).Json.GetProperty("entries").EnumerateArray()
            .Select(entry => $"{entry.GetProperty("event").GetString()} {entry.GetProperty("slot").GetString()} {entry.GetProperty("key").GetString()}");
}
