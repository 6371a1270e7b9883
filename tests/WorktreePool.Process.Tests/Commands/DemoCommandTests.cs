using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

public sealed class DemoCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Replays_the_outage_and_ends_with_every_slot_ready()
    {
        var before = DirectoryTree.Read(_sandbox.Root);

        (int code, string output, string error) = await _sandbox.RunAsync("demo", "--json");

        code.Should().Be(0, error);
        JsonElement json = JsonDocument.Parse(output).RootElement;
        json.GetProperty("ready").GetBoolean().Should().BeTrue();
        error.Should().ContainAll("slot1/mc-MC-4633", "index.lock", "MC-4710", "All 3 slots are ready");
        before.ShouldBeUnchanged("it works in a scratch directory of its own");
    }
}
