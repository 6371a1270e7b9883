namespace WorktreePool.Process.Tests.BadInput;

/// <summary>State files that a newer version wrote, and a baseline that was damaged. What becomes of damaged state: <see cref="PowerLoss.PowerLossTests"/>.</summary>
public sealed class BadStateTests(SharedPool pool) : IClassFixture<SharedPool>
{
    private readonly Sandbox _sandbox = pool.Sandbox;

    [Theory]
    [InlineData("slot-0.json")]
    [InlineData("pool-record.json")]
    public Task A_state_file(string name) => WithAsync(Path.Combine("state", name), "NEWER", "newer version|schema 2", [["claim", "--key", "K"]]);

    [Fact]
    public Task Every_command_that_needs_the_state() => WithAsync(Path.Combine("state", "slot-0.json"), "NEWER", "newer version", [
        ["claim-many", "--key", "K"], ["run", "--key", "K", "--", "true"], ["release", "--key", "K"], ["status"], ["doctor", "--fix"],
        ["maintain"], ["pause"], ["init", "--repo", _sandbox.Repository, "--slots", "3"],
    ]);

    [Theory]
    [InlineData("", "damaged")]
    [InlineData("HALF", "damaged")]
    [InlineData("{}", "damaged")]
    [InlineData("NEWER", "newer version|schema 2")]
    public Task The_trusted_baseline(string content, string words) => WithAsync("baseline.json", content, words, [["doctor"], ["doctor", "--fix"], ["trust"]]);

    private async Task WithAsync(string path, string content, string words, string[][] commands)
    {
        string file = Path.Combine(_sandbox.PoolDirectory, path);
        string good = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file, content switch
        {
            "HALF" => good[..(good.Length / 2)],
            "NEWER" => good.Replace("\"schema\": 1", "\"schema\": 2", StringComparison.Ordinal),
            _ => content,
        }, TestContext.Current.CancellationToken);
        try
        {
            foreach (string[] command in commands)
            {
                await _sandbox.ShouldRefuseAsync(70, $"{file}|{words}", command);
            }
        }
        finally
        {
            await File.WriteAllTextAsync(file, good, CancellationToken.None);
        }
    }
}
