using System.Text.RegularExpressions;
using WorktreePool.Cli.Commands;
using WorktreePool.Cli.Output;

namespace WorktreePool.Process.Tests.Report;

/// <summary>The status of 1 to 500 slots: what matters is seen, whatever the size of the terminal.</summary>
public sealed class StatusSizeTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(4, 1)]
    [InlineData(500, 1)]
    public void Free_slots_in_a_row_are_one_line(int slots, int lines) =>
        StatusRows.Of(SamplePool.Of(slots, _ => SlotState.Free), SamplePool.Now).Should().HaveCount(lines);

    [Theory]
    [InlineData(1)]
    [InlineData(80)]
    [InlineData(500)]
    public void Every_held_slot_has_its_line(int slots)
    {
        List<StatusRow> rows = StatusRows.Of(SamplePool.Of(slots, _ => SlotState.Leased), SamplePool.Now);

        rows.Select(row => row.Key).Should().OnlyHaveUniqueItems().And.HaveCount(slots);
        rows[^1].Should().Match<StatusRow>(row => row.Since == "12 min" && row.Owner == $"pid {4711 + slots - 1}" && row.Alarm == Alarm.Busy);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(60)]
    public void A_watch_of_500_slots_fits_and_shows_what_is_broken_and_what_to_do(int height)
    {
        PoolSnapshot pool = SamplePool.Of(500, number => number == 377 ? SlotState.Quarantined : SlotState.Leased);

        string picture = StatusCommand.Picture(pool, height);

        picture.Split('\n').Length.Should().BeLessThanOrEqualTo(height);
        Regex.Replace(picture, "[\\s│]+", " ").Should().ContainAll("slot-377", "quarantined", "499 leased", "worktree-pool doctor", "more: worktree-pool status", "q ends");
    }

    [Fact]
    public void What_alarms_most_is_kept_in_its_order()
    {
        List<StatusRow> rows = StatusRows.Of(SamplePool.Of(9, number => number is 2 or 7 ? SlotState.Quarantined : SlotState.Leased), SamplePool.Now);

        StatusRows.Fit(rows, 4).Select(row => row.Slot).Should().Equal("slot-0", "slot-2", "slot-7", "…");
        StatusRows.Fit(rows, 9).Should().Equal(rows);
    }

    [Fact]
    public void What_a_holder_named_is_no_command_to_the_terminal() =>
        Printable.Of("a\u001b]0;title\u0007b\nc\td\u009b2Je").Should().Be("a^[]0;title^Gb\nc\td\ufffd2Je");
}
