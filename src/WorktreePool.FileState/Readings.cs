using System.Globalization;

namespace WorktreePool.FileState;

/// <summary>What the files of a pool said when all of them were read.</summary>
/// <param name="Slots">Each slot that has a file.</param>
/// <param name="Pool">The pool's own record.</param>
/// <param name="PoolLostAt">When that was last written, should it be lost.</param>
/// <param name="SlotsDirectory">Where the slots lie, for one whose record is lost.</param>
/// <param name="Host">The machine they are on.</param>
internal sealed record Readings(IReadOnlyList<SlotReading> Slots, Reading<PoolRecord> Pool, Func<long> PoolLostAt, string SlotsDirectory, string Host)
{
    /// <summary>Whether nothing was damaged.</summary>
    public bool IsWhole => Pool.Damage is null && Slots.All(slot => slot.Reading.Damage is null);

    /// <summary>Whether a record is lost.</summary>
    public bool IsLost => Pool is { Record: null, Damage: not null } || Slots.Any(slot => slot.Reading is { Record: null, Damage: not null });

    /// <summary>The state they mean.</summary>
    /// <param name="number">From <see cref="ChangeCounter"/>, if the state was the same all the time; else the stamp is made from the records.</param>
    public PoolState ToState(long? number)
    {
        IReadOnlyList<SlotRecord> slots = SlotOrder.Of(Slots.Select(Meaning).OfType<SlotRecord>());
        PoolRecord pool = Pool switch
        {
            { Record: { } record } => record,
            { Damage: { } damage } => LostRecord.Pool(PoolLostAt(), damage),
            _ => new PoolRecord(),
        };
        return new PoolState(pool, slots, number is { } known && !IsLost ? StampOf(known) : StampOf(pool, slots));
    }

    /// <summary>The stamp of the state that a number stands for.</summary>
    public static string StampOf(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether a stamp is such a number, and not made from the records.</summary>
    public static bool IsCounted(string stamp) => char.IsAsciiDigit(stamp[0]);

    private static string StampOf(PoolRecord pool, IReadOnlyList<SlotRecord> slots) => string.Join(
        ' ',
        slots.Select(slot => string.Create(CultureInfo.InvariantCulture, $"{slot.Slot}:{slot.Version}.{slot.Epoch}.{slot.UpdatedAt.UtcTicks}"))
            .Prepend(string.Create(CultureInfo.InvariantCulture, $"records {pool.Version}")));

    private SlotRecord? Meaning(SlotReading slot) => slot.Reading switch
    {
        { Record: { } record } => record,
        { Damage: { } damage } => LostRecord.Slot(slot.Name, Host, Path.Combine(SlotsDirectory, slot.Name), slot.Document.LostAt(), damage),
        _ => null,
    };
}

/// <summary>What the files of one slot said.</summary>
/// <param name="Name">The slot.</param>
/// <param name="Document">Its files.</param>
/// <param name="Reading">What they said.</param>
internal sealed record SlotReading(string Name, TwinDocument<SlotRecord> Document, Reading<SlotRecord> Reading);
