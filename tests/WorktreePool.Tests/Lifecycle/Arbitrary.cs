using CsCheck;

namespace WorktreePool.Tests.Lifecycle;

/// <summary>Generators of records and facts: every state, with everything a store could hold.</summary>
internal static class Arbitrary
{
    public const string Host = "here";

    public static readonly DateTimeOffset Now = new(2026, 6, 3, 21, 0, 0, TimeSpan.Zero);

    public static readonly ProcessIdentity Worker = new(Host, "boot", 42, 7);

    /// <summary>Every finding's id.</summary>
    public static readonly string[] Findings = [.. typeof(FindingIds).GetFields().Select(field => (string)field.GetRawConstantValue()!)];

    public static readonly Gen<DateTimeOffset> AnyTime = Gen.Int[-100_000, 100_000].Select(seconds => Now.AddSeconds(seconds));

    public static readonly Gen<string> AnyCommit = Gen.OneOf("c1", "c2", "c3");

    public static readonly Gen<Liveness> AnyLiveness = Gen.Enum<Liveness>();

    public static readonly Gen<LeaseOwner> AnyOwner = Gen.OneOf(
        Gen.Const(LeaseOwner.ForProcess(Worker)),
        Gen.Int[1, 100_000].Select(seconds => LeaseOwner.ForDuration(TimeSpan.FromSeconds(seconds))));

    public static readonly Gen<LeaseRecord> AnyLease = Gen.Select(
        Gen.OneOf("MC-1", "MC-2", "MC-3"), AnyOwner, Gen.OneOf(null, "cr/a", "cr/b"), Gen.OneOf<ReleaseMode?>(null, ReleaseMode.Rescue, ReleaseMode.Discard), AnyTime,
        (key, owner, branch, releasing, at) => new LeaseRecord
        {
            Key = key,
            TokenHash = "hash",
            Owner = owner,
            Branch = branch,
            Releasing = releasing,
            ClaimedAt = at,
            CheckedInAt = at,
            ExpiresAt = owner.Duration is { } duration ? at + duration : null,
        });

    public static readonly Gen<SlotRecord> AnyRecord = Gen.Select(
        Gen.Enum<SlotState>(), AnyLease, Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool), AnyCommit, Gen.OneOf(null, "cr/old"), Gen.Select(Gen.Long[1, 1000], Gen.Long[0, 1000], Gen.Int[1, 40], AnyTime),
        (state, lease, flags, commit, ended, numbers) =>
        {
            (long version, long epoch, int failures, DateTimeOffset at) = numbers;
            (bool foreign, bool made, bool saved) = flags;
            return new SlotRecord
            {
                Slot = "slot-0",
                Host = foreign && at.Second % 4 == 0 ? "elsewhere" : Host,
                Path = "/pool/slots/slot-0",
                Admin = state != SlotState.Absent && (made || state is SlotState.Free or SlotState.Leased) ? "slot-0" : null,
                State = state,
                Version = version,
                Epoch = epoch,
                Commit = state is SlotState.Free or SlotState.Leased ? commit : null,
                Lease = state is SlotState.Preparing or SlotState.Leased or SlotState.Cleaning ? lease : null,
                EndedBranch = state == SlotState.Leased ? null : ended,
                Worker = state is SlotState.Preparing or SlotState.Cleaning ? Worker : null,
                WorkSaved = saved && state is (SlotState.Preparing or SlotState.Cleaning),
                Quarantine = state == SlotState.Quarantined ? new QuarantineRecord("broken", at, failures) : null,
                UpdatedAt = at,
            };
        });

    public static readonly Gen<SlotProbe> AnyProbe = Gen.Select(
        Gen.OneOf(Findings).Array[0, 3], AnyCommit, (ids, head) => new SlotProbe([.. ids.Select(id => new Finding(id, "somehow"))], head, "slot-0"));

}
