using System.Text.Json;

namespace WorktreePool.Process.Tests.BadInput;

/// <summary>What bad input has in common: a clear error, the right exit code, and nothing on disk changes.</summary>
internal static class Refusal
{
    public static Task ShouldRefuseAsync(this Sandbox sandbox, int exitCode, string words, params string[] arguments) =>
        sandbox.ShouldRefuseAsync(exitCode, words, new Invocation(arguments));

    /// <param name="sandbox">Where nothing may change.</param>
    /// <param name="exitCode">The code.</param>
    /// <param name="words">Separated by "|": all must be in the message.</param>
    /// <param name="invocation">The command, without --json.</param>
    public static async Task ShouldRefuseAsync(this Sandbox sandbox, int exitCode, string words, Invocation invocation)
    {
        var before = DirectoryTree.Read(sandbox.Root);

        (int code, JsonElement json) = await sandbox.JsonAsync(invocation);

        string message = json.GetProperty("message").GetString()!;
        code.Should().Be(exitCode, message);
        json.GetProperty("outcome").GetString().Should().BeOneOf("error", "refused");
        message.Should().ContainAll(words.Split('|')).And.NotContain("Exception").And.NotContain("System.");
        before.ShouldBeUnchanged($"\"{string.Join(' ', invocation.Arguments)}\" was refused: {message}");
    }
}
