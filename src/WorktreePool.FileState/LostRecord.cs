using System.Globalization;

namespace WorktreePool.FileState;

/// <summary>
/// What stands for a record of which both files are damaged or gone. Who holds the slot cannot be known, so it counts as held, by an owner who can never be
/// seen dead: until a person releases it. Numbers go on from the time of the loss, far above any that were counted, so that no former holder's fit.
/// </summary>
internal static class LostRecord
{
    /// <summary>A slot that somebody may hold.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="host">The machine it lies on.</param>
    /// <param name="path">Where it lies.</param>
    /// <param name="at">When its record was last written, in Unix seconds.</param>
    /// <param name="why">What is wrong with the files.</param>
    public static SlotRecord Slot(string slot, string host, string path, long at, string why) => new()
    {
        Slot = slot,
        Host = host,
        Path = path,
        State = SlotState.Leased,
        Version = at,
        Epoch = at,
        Lease = new LeaseRecord
        {
            Key = $"lost:{slot}",
            TokenHash = "",
            Owner = LeaseOwner.ForProcess(new ProcessIdentity("unknown", "", 0, 0)),
            ClaimedAt = DateTimeOffset.FromUnixTimeSeconds(at),
            CheckedInAt = DateTimeOffset.FromUnixTimeSeconds(at),
            Metadata = new Dictionary<string, string>
            {
                ["lost"] = string.Create(CultureInfo.InvariantCulture, $"The record of {slot} and its copy are damaged or gone ({why}), so it counts as held. When nobody works in it: worktree-pool release --key lost:{slot}"),
            },
        },
        UpdatedAt = DateTimeOffset.FromUnixTimeSeconds(at),
    };

    /// <summary>A pool of which it cannot be known whether it was paused.</summary>
    public static PoolRecord Pool(long at, string why) => new()
    {
        Version = at,
        Paused = new PauseRecord($"the pool's own record and its copy are damaged ({why}), so it counts as paused; no lease is affected", DateTimeOffset.FromUnixTimeSeconds(at)),
    };
}
