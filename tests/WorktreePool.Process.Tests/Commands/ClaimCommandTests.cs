using System.Diagnostics;
using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

public sealed class ClaimCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(1);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task With_a_branch_and_a_base_of_its_own()
    {
        Sandbox.Git(_sandbox.Repository, "commit", "-q", "--allow-empty", "-m", "two");
        Sandbox.Git(_sandbox.Repository, "branch", "feature");

        (int code, JsonElement json) = await _sandbox.JsonAsync("claim", "--key", "K", "--branch", "cr/k", "--base", "feature", "--meta", "who=me", "--meta", "why=a=b");

        code.Should().Be(0);
        string feature = Sandbox.Git(_sandbox.Repository, "rev-parse", "feature");
        json.GetProperty("commit").GetString().Should().Be(feature);
        json.GetProperty("branch").GetString().Should().Be("cr/k");
        Sandbox.Git(_sandbox.Slot(0), "symbolic-ref", "HEAD").Should().Be("refs/heads/cr/k");
        Sandbox.Git(_sandbox.Slot(0), "rev-parse", "HEAD").Should().Be(feature);
        JsonElement meta = (await _sandbox.JsonAsync("status")).Json.GetProperty("slots")[0].GetProperty("meta");
        meta.GetProperty("who").GetString().Should().Be("me");
        meta.GetProperty("why").GetString().Should().Be("a=b");
    }

    [Fact]
    public async Task Without_a_process_it_lasts_eight_hours_or_as_said()
    {
        foreach ((string[] options, double hours) in new (string[], double)[] { ([], 8), (["--lease", "90m"], 1.5), (["--lease-duration", "2h"], 2) })
        {
            JsonElement json = (await _sandbox.JsonAsync(["claim", "--key", "K", .. options])).Json;
            (json.GetProperty("expiresAt").GetDateTimeOffset() - json.GetProperty("claimedAt").GetDateTimeOffset()).Should().Be(TimeSpan.FromHours(hours));
            (await _sandbox.RunAsync("release", "--key", "K")).Code.Should().Be(0);
        }
    }

    [Fact]
    public async Task With_an_owner_it_lives_as_long_as_that_process()
    {
        using System.Diagnostics.Process owner = System.Diagnostics.Process.Start(new ProcessStartInfo("sleep", "60"))!;
        (int code, JsonElement json) = await _sandbox.JsonAsync("claim", "--key", "A", "--owner-pid", $"{owner.Id}");
        code.Should().Be(0);
        json.GetProperty("expiresAt").ValueKind.Should().Be(JsonValueKind.Null);
        (await _sandbox.RunAsync("claim", "--key", "B", "--no-wait")).Code.Should().Be(75, "the owner is alive");
        JsonElement shown = (await _sandbox.JsonAsync("status")).Json.GetProperty("slots")[0].GetProperty("owner");
        (shown.GetProperty("pid").GetInt32(), shown.GetProperty("alive").GetBoolean()).Should().Be((owner.Id, true));

        owner.Kill();
        await owner.WaitForExitAsync(TestContext.Current.CancellationToken);

        (await _sandbox.RunAsync("claim", "--key", "B", "--no-wait")).Code.Should().Be(0, "a dead owner's slot is there for the next");
    }

    [Fact]
    public async Task Waits_as_long_as_it_was_told_and_names_the_holder()
    {
        (await _sandbox.RunAsync("claim", "--key", "A")).Code.Should().Be(0);
        var watch = Stopwatch.StartNew();

        (int code, JsonElement json) = await _sandbox.JsonAsync("claim", "--key", "B", "--wait", "1s");

        watch.Elapsed.Should().BeGreaterThan(TimeSpan.FromSeconds(1));
        code.Should().Be(75);
        json.GetProperty("reason").GetString().Should().Be("timeout");
        json.GetProperty("holder").GetProperty("slot").GetString().Should().Be("slot-0");
        json.GetProperty("retryAfterMs").GetDouble().Should().BeInRange(1, 8 * 3_600_000);
        (code, json) = await _sandbox.JsonAsync("claim", "--key", "B", "--no-wait");
        (code, json.GetProperty("reason").GetString()).Should().Be((75, "exhausted"));
    }

    [Fact]
    public async Task A_waiting_claim_gets_the_slot_when_it_is_released()
    {
        (await _sandbox.RunAsync("claim", "--key", "A")).Code.Should().Be(0);
        Task<(int Code, JsonElement Json)> waiting = _sandbox.JsonAsync("claim", "--key", "B", "--wait", "50s");

        (await _sandbox.RunAsync("release", "--key", "A")).Code.Should().Be(0);

        (await waiting).Code.Should().Be(0);
    }

    [Fact]
    public async Task A_held_key_is_refused_and_its_token_gives_the_same_lease_again()
    {
        JsonElement first = (await _sandbox.JsonAsync("claim", "--key", "A")).Json;
        string token = first.GetProperty("token").GetString()!;

        (int code, JsonElement refused) = await _sandbox.JsonAsync("claim", "--key", "A");
        (code, refused.GetProperty("reason").GetString()).Should().Be((73, "keyHeld"));

        (code, JsonElement again) = await _sandbox.JsonAsync("claim", "--key", "A", "--token", token);
        code.Should().Be(0);
        again.GetProperty("outcome").GetString().Should().Be("attached");
        foreach (string same in new[] { "key", "slot", "path", "token", "epoch", "commit", "claimedAt", "expiresAt" })
        {
            again.GetProperty(same).ToString().Should().Be(first.GetProperty(same).ToString(), same);
        }

        (await _sandbox.JsonAsync("claim", "--key", "B", "--token", token)).Code.Should().Be(77, "the token is another key's");
    }

    [Fact]
    public async Task A_refusal_in_words_goes_to_standard_error()
    {
        (await _sandbox.RunAsync("claim", "--key", "A")).Code.Should().Be(0);

        (int code, string output, string error) = await _sandbox.RunAsync("claim", "--key", "A");

        code.Should().Be(73);
        output.Should().BeEmpty("a script reads what is there");
        error.Should().Contain("slot-0").And.Contain("One key has one lease");
    }

    [Fact]
    public async Task A_claim_interrupted_while_it_waits_leaves_nothing_and_says_so()
    {
        (await _sandbox.RunAsync("claim", "--key", "A")).Code.Should().Be(0);
        var before = DirectoryTree.Read(_sandbox.PoolDirectory);
        using System.Diagnostics.Process waiting = _sandbox.Start("claim", "--key", "B", "--wait", "50s", "--json");
        await Signal.WhenWaitingAsync(waiting);

        Signal.Send(waiting, Signal.Terminate);

        JsonElement json = JsonDocument.Parse(await waiting.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).RootElement;
        await waiting.WaitForExitAsync(TestContext.Current.CancellationToken);
        waiting.ExitCode.Should().Be(128 + Signal.Terminate);
        json.GetProperty("code").GetString().Should().Be("interrupted");
        before.ShouldBeUnchanged("a claim that ends while it waits has taken nothing", except: Path.Combine("state", "slot-next-in-line.lock"));
    }
}
