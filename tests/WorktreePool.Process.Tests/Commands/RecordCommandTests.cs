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

    [Fact]
    public async Task History_by_event_and_time_and_as_lines()
    {
        (await _sandbox.RunAsync("run", "--key", "A", "--", "sh", "-c", "echo x > left.txt")).Code.Should().Be(0);

        (await EventsAsync("--event", "CLAIMED")).Should().Equal("claimed slot-0 A");
        (await EventsAsync("--since", "1h")).Should().HaveCount(4);
        (await EventsAsync("--since", "2999-01-01T00:00:00Z")).Should().BeEmpty();
        foreach (string[] wrong in new string[][] { ["--event", "clamed"], ["--event", "3"], ["--since", "yesterday"], ["--limit", "0"] })
        {
            (int code, _, string error) = await _sandbox.RunAsync(["history", .. wrong]);
            (code, error.Length > 20).Should().Be((64, true), error);
        }

        string[] lines = (await _sandbox.RunAsync("history", "--json-lines")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Should().HaveCount(4).And.OnlyContain(line => JsonDocument.Parse(line, default).RootElement.GetProperty("at").GetDateTimeOffset() > DateTimeOffset.UnixEpoch);
        JsonElement claimed = JsonDocument.Parse(lines[1]).RootElement;
        (claimed.GetProperty("event").GetString(), claimed.GetProperty("waitedMs").GetDouble() >= 0, claimed.GetProperty("prepareMs").GetDouble() > 0).Should().Be(("claimed", true, true));
        (await _sandbox.RunAsync("history")).Output.Should().MatchRegex(@"\d+ s ago +released +slot-0 +A +cleaned untracked; kept ");
    }

    [Fact]
    public async Task A_rescue_is_shown_with_what_it_is_its_diffstat_and_how_to_get_it_back()
    {
        (await _sandbox.RunAsync("run", "--key", "A", "--", "sh", "-c", "printf 'a\\033]0;b\\n' > left.txt")).Code.Should().Be(0);
        string id = (await _sandbox.JsonAsync("rescue", "list", "--key", "A")).Json.GetProperty("rescues")[0].GetProperty("id").GetString()!;

        (await _sandbox.RunAsync("rescue", "list", "--key", "B")).Output.Should().Be("no rescued work\n");
        (await _sandbox.RunAsync("rescue", "list", "--json-lines")).Output.Should().StartWith("{").And.Contain(id);
        string shown = (await _sandbox.RunAsync("rescue", "show", id)).Output;
        shown.Should().MatchRegex($"^{id}: kept \\d+ s ago .* from slot-0 for A, 1 file and 0 commits").And.ContainAll($"rescue restore {id} --branch", "left.txt | 1 +", "+a^[]0;b").And.NotContain("\u001b");
        (await _sandbox.RunAsync("rescue", "show", id, "--stat")).Output.Should().Contain("left.txt | 1 +").And.NotContain("+a^[");
    }

    private async Task<IEnumerable<string>> EventsAsync(params string[] filters) =>
        (await _sandbox.JsonAsync(["history", .. filters])).Json.GetProperty("entries").EnumerateArray()
            .Select(entry => $"{entry.GetProperty("event").GetString()} {entry.GetProperty("slot").GetString()} {entry.GetProperty("key").GetString()}");
}
