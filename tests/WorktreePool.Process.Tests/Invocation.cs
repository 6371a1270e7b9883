namespace WorktreePool.Process.Tests;

/// <summary>One run of the built command.</summary>
/// <param name="Arguments">Its arguments.</param>
public sealed record Invocation(params string[] Arguments)
{
    /// <summary>Variables to set; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Null: the sandbox's root.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>What it reads.</summary>
    public string Input { get; init; } = "";

    /// <summary>A command that is to run the command, with its own arguments.</summary>
    public string[] Wrapper { get; init; } = [];
}
