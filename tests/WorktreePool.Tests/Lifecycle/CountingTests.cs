using CsCheck;
using WorktreePool.Lifecycle;

namespace WorktreePool.Tests.Lifecycle;

/// <summary>Refusals show counts, so they must add up.</summary>
public sealed class CountingTests
{
    [Fact]
    public void Every_slot_is_counted_once() =>
        Arbitrary.AnyRecord.Array[0, 20].Sample(records =>
        {
            PoolCounts counts = Counting.Count(records);
            counts.Total.Should().Be(records.Length);
            (counts.Free + counts.Leased + counts.Preparing + counts.Cleaning + counts.Quarantined + counts.Absent).Should().Be(records.Length);
            counts.Leased.Should().Be(records.Count(record => record.State == SlotState.Leased));
            counts.Quarantined.Should().Be(records.Count(record => record.State == SlotState.Quarantined));
        });
}
