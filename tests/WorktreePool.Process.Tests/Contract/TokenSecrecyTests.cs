using System.Text;
using System.Text.Json;

namespace WorktreePool.Process.Tests.Contract;

/// <summary>A token is told to its holder, and to nobody and nothing else.</summary>
public sealed class TokenSecrecyTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(2);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task The_secret_is_in_no_file_and_no_other_output()
    {
        List<string> secrets = [];
        foreach (string key in new[] { "A", "B" })
        {
            JsonElement claim = (await _sandbox.JsonAsync("claim", "--key", key)).Json;
            secrets.Add(claim.GetProperty("token").GetString()!.Split('.')[^1]);
        }

        string token = $"slot-0.1.{secrets[0]}";
        var told = new StringBuilder();
        foreach (string[] command in new string[][]
        {
            ["status"], ["status", "--json"], ["history", "--json"], ["doctor", "--fix"], ["config"], ["maintain"], ["renew", "--token", token], ["claim", "--key", "A"], ["claim", "--key", "C", "--no-wait"],
            ["release", "--token", token + "0"], ["claim", "--key", "A", "--token", token + "0"], ["release", "--key", "A"], ["release", "--token", token], ["history"], ["status"],
        })
        {
            (_, string output, string error) = await _sandbox.RunAsync([.. command, "--verbose"]);
            told.Append(output).Append(error);
        }

        foreach (string secret in secrets)
        {
            secret.Should().HaveLength(32);
            told.ToString().Should().NotContain(secret);
            Directory.EnumerateFiles(_sandbox.Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
                .Where(file => Encoding.Latin1.GetString(File.ReadAllBytes(file)).Contains(secret, StringComparison.Ordinal))
                .Should().BeEmpty("only a hash of it is kept");
        }
    }
}
