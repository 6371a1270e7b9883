using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

/// <summary>status, doctor, maintain, pause, resume, trust.</summary>
public sealed class OperatorCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(2);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Status_says_who_holds_what()
    {
        (await _sandbox.RunAsync("claim", "--key", "MC-1", "--branch", "cr/mc-1")).Code.Should().Be(0);

        (int code, string output, _) = await _sandbox.RunAsync("status");

        code.Should().Be(0);
        output.Should().ContainAll("2 slots", "1 free", "1 leased", "slot-0", "MC-1", "slot-1");
    }

    [Fact]
    public async Task Status_watch_goes_on_until_it_is_told_to_end()
    {
        using System.Diagnostics.Process watch = _sandbox.Start("status", "--watch", "--json");
        for (int line = 0; line < 2; line++)
        {
            JsonDocument.Parse((await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!).RootElement.GetProperty("counts").GetProperty("total").GetInt32().Should().Be(2);
        }

        Signal.Send(watch, Signal.Interrupt);
        await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
        watch.ExitCode.Should().Be(0);
    }

    [Fact]
    public async Task Doctor_exits_1_while_something_is_not_ready_and_was_not_fixed()
    {
        (await _sandbox.RunAsync("doctor")).Code.Should().Be(0);
        File.WriteAllText(Path.Combine(_sandbox.Slot(1), "left.txt"), "left");

        (int code, JsonElement json) = await _sandbox.JsonAsync("doctor");
        code.Should().Be(1);
        json.GetProperty("ready").GetBoolean().Should().BeFalse();
        JsonElement slot = json.GetProperty("slots")[1];
        slot.GetProperty("findings")[0].GetProperty("id").GetString().Should().Be("untracked");
        slot.GetProperty("fixed").GetBoolean().Should().BeFalse();
        File.Exists(Path.Combine(_sandbox.Slot(1), "left.txt")).Should().BeTrue("without --fix it only looks");

        (code, json) = await _sandbox.JsonAsync("doctor", "--fix");
        code.Should().Be(0);
        json.GetProperty("slots")[1].GetProperty("fixed").GetBoolean().Should().BeTrue();
        _sandbox.ShouldBeReady(1);
        (await _sandbox.JsonAsync("rescue", "list")).Json.GetProperty("rescues").GetArrayLength().Should().Be(1);
    }

    [Fact]
    public async Task Doctor_fix_never_touches_a_leased_slot()
    {
        (await _sandbox.RunAsync("claim", "--key", "K")).Code.Should().Be(0);
        File.WriteAllText(Path.Combine(_sandbox.Slot(0), "work.txt"), "work");

        (await _sandbox.RunAsync("doctor", "--fix")).Code.Should().Be(0);

        File.ReadAllText(Path.Combine(_sandbox.Slot(0), "work.txt")).Should().Be("work");
    }

    [Fact]
    public async Task Maintain_heals_once_or_in_a_loop()
    {
        File.WriteAllText(Path.Combine(_sandbox.Slot(0), "left.txt"), "left");
        (int code, JsonElement json) = await _sandbox.JsonAsync("maintain");
        (code, json.GetProperty("healed")[0].GetString()).Should().Be((0, "slot-0"));

        using System.Diagnostics.Process loop = _sandbox.Start("maintain", "--every", "50ms", "--json");
        (await loop.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Contain("\"healed\":[]");
        File.WriteAllText(Path.Combine(_sandbox.Slot(1), "left.txt"), "left");
        while ((await loop.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!.Contains("\"healed\":[]", StringComparison.Ordinal))
        {
        }

        _sandbox.ShouldBeReady(1);
        Signal.Send(loop, Signal.Terminate);
        await loop.WaitForExitAsync(TestContext.Current.CancellationToken);
        loop.ExitCode.Should().Be(0);
    }

    [Fact]
    public async Task While_paused_no_claim_is_granted_and_a_release_works()
    {
        (await _sandbox.RunAsync("claim", "--key", "HELD")).Code.Should().Be(0);
        (await _sandbox.RunAsync("pause", "--reason", "disk is being replaced")).Code.Should().Be(0);

        (int code, JsonElement refused) = await _sandbox.JsonAsync("claim", "--key", "K");
        (code, refused.GetProperty("reason").GetString()).Should().Be((69, "paused"));
        refused.GetProperty("message").GetString().Should().Contain("disk is being replaced").And.Contain("resume");
        (await _sandbox.RunAsync("run", "--key", "K", "--", "true")).Code.Should().Be(69);
        (await _sandbox.RunAsync("claim-many", "--key", "K")).Code.Should().Be(69);
        (await _sandbox.RunAsync("release", "--key", "HELD")).Code.Should().Be(0);
        (await _sandbox.JsonAsync("status")).Json.GetProperty("paused").GetProperty("reason").GetString().Should().Be("disk is being replaced");

        (await _sandbox.RunAsync("resume")).Code.Should().Be(0);
        (await _sandbox.RunAsync("claim", "--key", "K")).Code.Should().Be(0);
    }

    [Fact]
    public async Task Trust_shows_what_changed_and_accepts_it()
    {
        File.WriteAllText(Path.Combine(_sandbox.Repository, ".git", "hooks", "post-checkout"), "#!/bin/sh\n");
        (int code, JsonElement json) = await _sandbox.JsonAsync("doctor");
        code.Should().Be(0, "the pool's git does not see it");
        json.GetProperty("repository").GetProperty("findings")[0].GetProperty("id").GetString().Should().Be("hooks-drift");

        (code, json) = await _sandbox.JsonAsync("trust");

        code.Should().Be(0);
        json.GetProperty("changed")[0].GetProperty("detail").GetString().Should().Contain("hooks/post-checkout");
        (await _sandbox.JsonAsync("doctor")).Json.GetProperty("repository").GetProperty("findings").GetArrayLength().Should().Be(0);
    }
}
