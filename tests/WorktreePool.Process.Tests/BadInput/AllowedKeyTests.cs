using System.Text.Json;

namespace WorktreePool.Process.Tests.BadInput;

/// <summary>What the rule for keys allows: 1 to 200 characters, none of them a control character.</summary>
public sealed class AllowedKeyTests(SharedPool pool) : IClassFixture<SharedPool>
{
    public static TheoryData<string> Allowed => ["feature/MC-1", "../../etc/passwd", "MC 4683 (again)", "Größe-日本-🚀", "-dash", "\"quoted\" 'twice' $HOME `id`", new string('x', 200)];

    [Theory]
    [MemberData(nameof(Allowed))]
    public async Task Is_claimed_shown_and_released_as_it_was_given(string key)
    {
        Sandbox sandbox = pool.Sandbox;
        (int code, JsonElement claim) = await sandbox.JsonAsync("claim", $"--key={key}");
        code.Should().Be(0, claim.ToString());
        claim.GetProperty("key").GetString().Should().Be(key);

        JsonElement status = (await sandbox.JsonAsync("status")).Json;
        status.GetProperty("slots").EnumerateArray().Select(slot => slot.GetProperty("key").GetString()).Should().Contain(key);

        (await sandbox.RunAsync("release", $"--key={key}")).Code.Should().Be(0);
        JsonElement history = (await sandbox.JsonAsync("history", $"--key={key}")).Json;
        history.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("event").GetString()).Should().Equal("released", "claimed");
    }
}
