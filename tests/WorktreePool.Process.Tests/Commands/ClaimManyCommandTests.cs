using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

public sealed class ClaimManyCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(3);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Keys_by_flag_then_by_standard_input_one_line_each_in_order()
    {
        (int code, string output, _) = await _sandbox.RunAsync(new Invocation("claim-many", "--key", "A", "--key", "B", "--json") { Input = "C\n\n  D  \nE" });

        List<JsonElement> lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        lines.Select(line => $"{line.GetProperty("key").GetString()} {line.GetProperty("outcome").GetString()}")
            .Should().Equal("A claimed", "B claimed", "C claimed", "D refused", "E refused");
        lines.Take(3).Select(line => line.GetProperty("slot").GetString()).Should().OnlyHaveUniqueItems();
        code.Should().Be(75, "the first refusal's");
    }

    [Fact]
    public async Task What_fits_all_is_success_and_a_key_given_twice_is_held()
    {
        (await _sandbox.RunAsync(new Invocation("claim-many") { Input = "A\nB\n" })).Code.Should().Be(0);

        (int code, string output, _) = await _sandbox.RunAsync("claim-many", "--key", "C", "--key", "C", "--key", "A", "--json");

        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .Select(line => line.TryGetProperty("reason", out JsonElement reason) ? reason.GetString() : "claimed").Should().Equal("claimed", "keyHeld", "keyHeld");
        code.Should().Be(73);
    }

    [Fact]
    public async Task One_bad_key_and_nothing_is_claimed()
    {
        (int code, JsonElement json) = await _sandbox.JsonAsync("claim-many", "--key", "A", "--key", new string('x', 500));

        (code, json.GetProperty("outcome").GetString()).Should().Be((64, "error"));
        (await _sandbox.JsonAsync("status")).Json.GetProperty("counts").GetProperty("free").GetInt32().Should().Be(3);
    }

    [Fact]
    public async Task A_signal_ends_it_while_it_waits_for_keys()
    {
        using System.Diagnostics.Process command = _sandbox.Start("claim-many", "--json");

        // More than a pipe holds: when it is written, the command reads.
        await command.StandardInput.WriteAsync("A\n" + new string('\n', 100_000));
        await command.StandardInput.FlushAsync(TestContext.Current.CancellationToken);

        Signal.Send(command, Signal.Terminate);
        await command.WaitForExitAsync(TestContext.Current.CancellationToken);

        command.ExitCode.Should().Be(143);
        (await _sandbox.JsonAsync("status")).Json.GetProperty("counts").GetProperty("free").GetInt32().Should().Be(3);
    }
}
