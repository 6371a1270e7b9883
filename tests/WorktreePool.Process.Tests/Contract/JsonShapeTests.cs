using System.Text.Json;

namespace WorktreePool.Process.Tests.Contract;

/// <summary>Every property that the contract of the command names, with its kind, for every command's --json.</summary>
public sealed class JsonShapeTests : IAsyncLifetime
{
    private const string Claim =
        "outcome:string key:string slot:string path:string token:string epoch:int commit:string branch:string? claimedAt:time expiresAt:time? healed:strings rescued:strings waitedMs:number prepareMs:number";

    private const string Counts = "total:int free:int leased:int preparing:int cleaning:int quarantined:int absent:int";

    private const string Slot =
        "slot:string path:string state:string key:string? branch:string? commit:string? epoch:int owner:object? claimedAt:time? checkedInAt:time? overdue:bool meta:object lastHeal:object? quarantine:object?";

    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(2);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Of_a_lease_from_claim_to_release()
    {
        File.WriteAllText(Path.Combine(_sandbox.Slot(0), "left.txt"), "left");
        JsonElement claim = (await _sandbox.JsonAsync("claim", "--key", "A", "--branch", "cr/a")).Json;
        claim.ShouldHave(Claim);
        claim.GetProperty("healed").EnumerateArray().Select(id => id.GetString()).Should().Contain("untracked");
        claim.GetProperty("rescued").GetArrayLength().Should().Be(1);
        string token = claim.GetProperty("token").GetString()!;

        (await _sandbox.JsonAsync("attach", "--token", token)).Json.ShouldHave(Claim);
        (await _sandbox.JsonAsync("claim", "--key", "A", "--token", token)).Json.ShouldHave(Claim);
        JsonElement renewed = (await _sandbox.JsonAsync("renew", "--token", token)).Json;
        renewed.ShouldHave("outcome:string key:string slot:string expiresAt:time?");
        (await _sandbox.JsonAsync("claim-many", "--key", "B")).Json.ShouldHave(Claim);

        JsonElement held = (await _sandbox.JsonAsync("claim", "--key", "A")).Json;
        held.ShouldHave("outcome:string reason:string key:string message:string holder:object counts:object retryAfterMs:number?");
        held.GetProperty("holder").ShouldHave("slot:string since:time owner:object");
        held.GetProperty("counts").ShouldHave(Counts);
        JsonElement exhausted = (await _sandbox.JsonAsync("claim", "--key", "C", "--no-wait")).Json;
        exhausted.ShouldHave("outcome:string reason:string key:string message:string holder:object counts:object retryAfterMs:number");

        JsonElement released = (await _sandbox.JsonAsync("release", "--token", token)).Json;
        released.ShouldHave("outcome:string slot:string commit:string rescued:strings cleanMs:number");
        released.GetProperty("outcome").GetString().Should().Be("released");
    }

    [Fact]
    public async Task Of_what_an_operator_sees()
    {
        (await _sandbox.JsonAsync("claim", "--key", "A", "--meta", "a=b")).Code.Should().Be(0);
        File.WriteAllText(Path.Combine(_sandbox.Slot(1), "left.txt"), "left");

        JsonElement doctor = (await _sandbox.JsonAsync("doctor")).Json;
        doctor.ShouldHave("ready:bool slots:objects repository:object");
        doctor.GetProperty("repository").ShouldHave("findings:objects");
        doctor.GetProperty("slots")[1].ShouldHave("slot:string ready:bool findings:objects fixed:bool");
        doctor.GetProperty("slots")[1].GetProperty("findings")[0].ShouldHave("id:string detail:string");

        (await _sandbox.JsonAsync("maintain")).Json.ShouldHave("outcome:string reclaimed:strings healed:strings quarantined:strings rescued:strings yielded:strings overdue:strings failures:strings");
        (await _sandbox.JsonAsync("pause", "--reason", "why")).Json.ShouldHave("outcome:string");
        JsonElement status = (await _sandbox.JsonAsync("status")).Json;
        status.ShouldHave("pool:string base:object paused:object counts:object slots:objects repository:object");
        status.GetProperty("repository").ShouldHave("findings:objects");
        status.GetProperty("base").ShouldHave("ref:string commit:string");
        status.GetProperty("paused").ShouldHave("reason:string since:time");
        status.GetProperty("counts").ShouldHave(Counts);
        foreach (JsonElement slot in status.GetProperty("slots").EnumerateArray())
        {
            slot.ShouldHave(Slot);
        }

        status.GetProperty("slots")[0].GetProperty("owner").ShouldHave("host:string pid:int? alive:bool? expiresAt:time?");
        status.GetProperty("slots")[1].GetProperty("lastHeal").ShouldHave("at:time findings:strings");
        (await _sandbox.JsonAsync("resume")).Json.ShouldHave("outcome:string");
        (await _sandbox.JsonAsync("status")).Json.GetProperty("paused").ValueKind.Should().Be(JsonValueKind.Null);

        JsonElement rescues = (await _sandbox.JsonAsync("rescue", "list")).Json;
        rescues.GetProperty("rescues")[0].ShouldHave("id:string ref:string commit:string key:string? slot:string at:time files:int commits:int reason:string");
        string id = rescues.GetProperty("rescues")[0].GetProperty("id").GetString()!;
        (await _sandbox.JsonAsync("rescue", "show", id)).Json.ShouldHave("id:string");
        (await _sandbox.JsonAsync("rescue", "restore", id, "--branch", "found")).Json.ShouldHave("outcome:string");
        (await _sandbox.JsonAsync("rescue", "drop", id)).Json.ShouldHave("outcome:string");

        (await _sandbox.JsonAsync("history")).Json.GetProperty("entries")[0].ShouldHave("at:time event:string slot:string? key:string? epoch:int detail:string? findings:strings rescued:strings");
        (await _sandbox.JsonAsync("config")).Json.GetProperty("settings")[0].ShouldHave("name:string value:string? source:string");
        (await _sandbox.JsonAsync("trust")).Json.ShouldHave("outcome:string changed:objects");
    }

    [Fact]
    public async Task Of_a_quarantined_slot()
    {
        // An admin directory that may not be made: a file stands where git keeps them all.
        string worktrees = Path.Combine(_sandbox.Repository, ".git", "worktrees");
        Directory.Move(worktrees, worktrees + ".away");
        File.WriteAllText(worktrees, "");

        (int code, JsonElement refused) = await _sandbox.JsonAsync("claim", "--key", "A", "--wait", "5s");

        (code, refused.GetProperty("reason").GetString()).Should().Be((75, "quarantined"));
        JsonElement slot = (await _sandbox.JsonAsync("status")).Json.GetProperty("slots")[0];
        slot.GetProperty("state").GetString().Should().Be("quarantined");
        slot.GetProperty("quarantine").ShouldHave("reason:string retryAt:time failures:int");
        File.Delete(worktrees);
        Directory.Move(worktrees + ".away", worktrees);
        (await _sandbox.RunAsync("doctor", "--fix")).Code.Should().Be(0);
    }

    [Fact]
    public async Task Of_an_error() =>
        (await _sandbox.JsonAsync("release", "--key", "nobody")).Json.ShouldHave("outcome:string code:string message:string");
}
