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

    /// <summary>
    /// How old the pool's knowledge of a base from a remote may be; null: any age. When it is older the remote is asked first, within half of the claim's
    /// time and by one process at a time. Zero or more; zero: a fetch that begins after this claim. A base that is no remote's is never old.
    /// </summary>
    public TimeSpan? MaxBaseAge { get; init; }

    /// <summary>
    /// How often the holder is expected to check in with <see cref="SlotLease.RenewAsync"/>; null: never. A holder that does not is overdue: listed and told of,
    /// but its lease goes on. More than zero.
    /// </summary>
    public TimeSpan? CheckInEvery { get; init; }

    /// <summary>Notes to keep with the lease, for example a ticket's address. Shown to everybody who may look at the pool; no secrets.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Checks what can be checked without the pool. Every claim does it first.</summary>
    /// <exception cref="ArgumentException">The key, the branch's name or a duration is not usable; the message says why.</exception>
    public void Validate()
    {
        Require(Names.WhyNotKey(Key));
        Require(Branch is null ? null : Names.WhyNotBranch(Branch));
        Require(Wait < TimeSpan.Zero ? $"Wait is {Wait}; it must be zero or more." : null);
        Require(MaxBaseAge < TimeSpan.Zero ? $"MaxBaseAge is {MaxBaseAge}; it must be zero or more." : null);
        Require(CheckInEvery <= TimeSpan.Zero ? $"CheckInEvery is {CheckInEvery}; it must be more than zero." : null);
    }

    /// <param name="problem">What is wrong; null: nothing.</param>
    /// <param name="name">What every claim calls it.</param>
    private static void Require(string? problem, string name = "request")
    {
        if (problem is not null)
        {
            throw new ArgumentException(problem, name);
        }
    }
}
