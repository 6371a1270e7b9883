using WorktreePool.Desync.Tests.Fixture;

namespace WorktreePool.Desync.Tests.Verification;

/// <summary>What the pool did to others: compares what they owned when the pool found it with what they own now.</summary>
internal static class HarmCheck
{
    /// <summary>Each harm in words; none when all is well.</summary>
    public static List<string> Find(Bench bench, Snapshot before, Snapshot now)
    {
        List<string> harm = [];
        if (File.Exists(bench.Canary))
        {
            harm.Add("planted code ran");
        }

        Compare(before.Owned, now.Owned, (_, _, _) => false);

        if (bench.IsIsolated)
        {
            // All of it is the pool's, to be put back; ResidueCheck tells whether it was.
            return harm;
        }

        // A config that git cannot read may be put back as it was trusted; nothing else in it may change.
        if (now.Config != before.Config && now.Config != bench.Current.Undamaged.Config)
        {
            harm.Add("the shared config has changed");
        }

        Compare(before.Shared, now.Shared, (_, _, _) => false);

        // The base's tracking ref is the pool's to move; every other ref is somebody's.
        Compare(before.Refs, now.Refs, (name, _, _) => name == "refs/remotes/origin/main");
        return harm;

        void Compare(IReadOnlyDictionary<string, string> was, IReadOnlyDictionary<string, string> becomes, Func<string, string?, string?, bool> mayChange)
        {
            foreach (string name in was.Keys.Union(becomes.Keys))
            {
                string? old = was.GetValueOrDefault(name), current = becomes.GetValueOrDefault(name);
                if (old != current && !mayChange(name, old, current))
                {
                    harm.Add($"{name}: was {old ?? "not there"}, is {current ?? "gone"}");
                }
            }
        }
    }
}
