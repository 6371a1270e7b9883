using Xunit;

namespace WorktreePool.Testing.Conformance;

/// <summary>Records for stores to keep.</summary>
internal static class SampleRecords
{
    /// <summary>The host of every record.</summary>
    public const string Host = Awkward;

    private const string Awkward = "line\nnext\t\"quoted\" \\ <ü> 日本 🧪 ' & +";

    private static readonly DateTimeOffset Time = new DateTimeOffset(2026, 6, 3, 21, 0, 0, TimeSpan.Zero).AddTicks(1_234_567);

    /// <summary>Keeps a lease alive for as long as a process.</summary>
    public static LeaseOwner Process => LeaseOwner.ForProcess(new ProcessIdentity(Host, "boot", 4711, long.MaxValue));

    /// <summary>A slot that nobody holds.</summary>
    public static SlotRecord Free(int number, string? slot = null) => new()
    {
        Slot = slot ?? $"slot-{number}",
        Host = Host,
        Path = $"/pool/slots/slot-{number}",
        State = SlotState.Free,
        LastUse = new SlotUse("before"),
        UpdatedAt = Time,
    };

    /// <summary>A slot that is held for a key.</summary>
    public static SlotRecord Held(int number, string key, SlotState state = SlotState.Leased) => Free(number) with
    {
        State = state,
        Lease = new LeaseRecord { Key = key, TokenHash = "00", Owner = Process, ClaimedAt = Time, CheckedInAt = Time },
    };

    /// <summary>A record that uses every field, with values that are easily mangled.</summary>
    public static SlotRecord Full => new()
    {
        Slot = "slot-7",
        Host = Host,
        Path = "/pool/" + Awkward,
        Admin = Awkward,
        State = SlotState.Cleaning,
        Version = 0,
        Epoch = long.MaxValue,
        Commit = new string('c', 40),
        Lease = new LeaseRecord
        {
            Key = Awkward,
            TokenHash = new string('f', 64),
            Owner = Process,
            Branch = Awkward,
            Commit = new string('d', 40),
            ClaimedAt = Time,
            CheckedInAt = Time.AddTicks(1),
            ExpiresAt = DateTimeOffset.MaxValue,
            CheckInEvery = TimeSpan.FromTicks(3),
            OverdueSince = Time.AddTicks(2),
            ExpiresAtBootTime = new BootTime("boot", TimeSpan.FromDays(3)),
            Releasing = ReleaseMode.Discard,
            Metadata = new Dictionary<string, string> { [Awkward] = Awkward, ["Case"] = "", ["case"] = "other" },
        },
        EndedBranch = Awkward,
        Worker = new ProcessIdentity(Awkward, "", 1, 0),
        Yield = SlotYield.Asked,
        WorkSaved = true,
        SetUp = new SetUpRecord([Awkward, "/.env"], [new SetUpStamp(Awkward, new string('a', 64), new string('b', 64)), new SetUpStamp("second", "", "")]),
        LastUse = new SlotUse(Awkward, Awkward),
        LastHeal = new HealRecord(Time.AddDays(-1), [FindingIds.OnBranch, Awkward]),
        Quarantine = new QuarantineRecord(Awkward, Time.AddDays(1), int.MaxValue),
        UpdatedAt = Time.ToOffset(TimeSpan.FromHours(2)),
    };

    /// <summary>An entry that uses every field.</summary>
    public static HistoryEntry Entry(HistoryEvent what = HistoryEvent.Claimed, string? slot = "slot-0", string? key = "k", long epoch = 1) => new()
    {
        At = Time,
        Event = what,
        Host = Host,
        Slot = slot,
        Key = key,
        Epoch = epoch,
        Detail = Awkward,
        Waited = TimeSpan.FromTicks(12_345_678_901),
        Prepared = TimeSpan.FromTicks(1),
        Findings = [FindingIds.OnBranch, Awkward],
        Rescued = ["r-1", "r-2"],
    };

    /// <summary>Records hold collections, which are equal only as themselves.</summary>
    public static void AssertSame(SlotRecord expected, SlotRecord actual)
    {
        Assert.Equal(expected.LastHeal?.Findings, actual.LastHeal?.Findings);
        Assert.Equal(expected.Lease?.Metadata.OrderBy(note => note.Key, StringComparer.Ordinal), actual.Lease?.Metadata.OrderBy(note => note.Key, StringComparer.Ordinal));
        Assert.Equal(expected.SetUp?.Copied, actual.SetUp?.Copied);
        Assert.Equal(expected.SetUp?.Steps, actual.SetUp?.Steps);
        Assert.Equal(WithoutCollections(expected), WithoutCollections(actual));
    }

    /// <summary>As for slots.</summary>
    public static void AssertSame(HistoryEntry expected, HistoryEntry actual)
    {
        Assert.Equal(expected.Findings, actual.Findings);
        Assert.Equal(expected.Rescued, actual.Rescued);
        Assert.Equal(expected with { Findings = [], Rescued = [] }, actual with { Findings = [], Rescued = [] });
    }

    private static readonly Dictionary<string, string> NoNotes = [];

    private static SlotRecord WithoutCollections(SlotRecord record) => record with
    {
        Lease = record.Lease is { } lease ? lease with { Metadata = NoNotes } : null,
        SetUp = record.SetUp is null ? null : SetUpRecord.None,
        LastHeal = record.LastHeal is { } heal ? heal with { Findings = Array.Empty<string>() } : null,
    };
}
