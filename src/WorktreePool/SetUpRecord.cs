namespace WorktreePool;

/// <summary>What the pool has put into a slot besides its commit.</summary>
/// <param name="Copied">Files that were, or were about to be, copied from the main checkout: by their path from the slot's root.</param>
/// <param name="Steps">The set-up steps whose results are in the slot, in their order.</param>
public sealed record SetUpRecord(IReadOnlyList<string> Copied, IReadOnlyList<SetUpStamp> Steps)
{
    /// <summary>Nothing.</summary>
    public static SetUpRecord None { get; } = new([], []);
}

/// <summary>A set-up step that has run in a slot.</summary>
/// <param name="Step">Its name.</param>
/// <param name="Fingerprint">Of its definition and its input files then.</param>
/// <param name="Made">Of what it made.</param>
public sealed record SetUpStamp(string Step, string Fingerprint, string Made);
