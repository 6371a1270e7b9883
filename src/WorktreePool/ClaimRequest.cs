namespace WorktreePool;

/// <summary>What a claim asks for.</summary>
public sealed record ClaimRequest
{
    /// <summary>What the claim is for, for example <c>MC-4683</c>: 1 to 200 characters, no control characters. At most one live lease has it.</summary>
    public required string Key { get; init; }

    /// <summary>A branch to make at the base and put HEAD on; release deletes it. Null: HEAD is detached.</summary>
    public string? Branch { get; init; }

    /// <summary>A ref or commit to start from; null: the pool's base.</summary>
    public string? Base { get; init; }

    /// <summary>How long to wait for a slot, preparation included; null: <see cref="WorktreePoolOptions.ClaimTimeout"/>. Zero: only what can be had at once. At most the pool's claim timeout counts when a host task timeout is set.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>Who keeps the lease alive; null: this process.</summary>
    public LeaseOwner? Owner { get; init; }

    /// <summary>The token of the key's live lease, to get that lease again instead of a refusal.</summary>
    public LeaseToken? Token { get; init; }

    /// <summary>Notes to keep with the lease.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}
