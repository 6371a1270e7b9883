using WorktreePool.Cli.Output.Html;

namespace WorktreePool.Process.Tests.Report;

/// <summary>The report for a browser: what it says, and that it needs nothing from elsewhere.</summary>
public sealed class HtmlReportTests
{
    private static readonly HistoryEntry[] History =
    [
        SamplePool.Entry(HistoryEvent.Claimed, "slot-1", "MC-3", 5, FindingIds.OnBranch) with { Waited = TimeSpan.FromSeconds(20), Prepared = TimeSpan.FromMilliseconds(40) },
        SamplePool.Entry(HistoryEvent.Restored, "slot-0", null, 6),
        SamplePool.Entry(HistoryEvent.Reclaimed, "slot-1", "MC-1", 8, FindingIds.Untracked, FindingIds.OnBranch),
        SamplePool.Entry(HistoryEvent.Claimed, "slot-0", "<script>alert(1)</script>", 30) with { Waited = TimeSpan.FromMilliseconds(2), Prepared = TimeSpan.FromMilliseconds(8) },
        SamplePool.Entry(HistoryEvent.Claimed, "slot-1", "MC-1", 40) with { Waited = TimeSpan.Zero, Prepared = TimeSpan.FromMilliseconds(9) },
        SamplePool.Entry(HistoryEvent.Provisioned, "slot-1", null, 60, FindingIds.SlotMissing),
    ];

    private static readonly string Page = HtmlReport.Of(SamplePool.Of(3, number => number == 2 ? SlotState.Quarantined : SlotState.Leased), History, SamplePool.Now);

    [Fact]
    public void Nothing_in_it_comes_from_elsewhere_and_nothing_runs()
    {
        Page.Should().NotContainAny("http:", "https:", "//", "src=", "href=", "<script", "url(", "@import", "<link", "<iframe");
        Page.Should().Contain("default-src 'none'").And.Contain("name=\"viewport\"");
    }

    [Fact]
    public void Whatever_a_name_is_it_is_text() =>
        Page.Should().ContainAll("&lt;script&gt;alert(1)&lt;/script&gt;", "the disk is full. &lt;b&gt;&amp;");

    [Fact]
    public void Leases_begin_and_end_as_the_history_says()
    {
        IReadOnlyDictionary<string, List<LeaseSpan>> slots = Timeline.Of(History);

        slots.Keys.Should().BeEquivalentTo("slot-0", "slot-1");
        slots["slot-1"].Should().Equal(
            new LeaseSpan("MC-1", SamplePool.Now.AddMinutes(-40), SamplePool.Now.AddMinutes(-8), HistoryEvent.Reclaimed),
            new LeaseSpan("MC-3", SamplePool.Now.AddMinutes(-5), null, null));
        slots["slot-0"].Should().ContainSingle("a restored record ends no lease").Which.End.Should().BeNull();
        Page.Should().ContainAll("class=\"lease held\"", "class=\"lease reclaimed\"", "left:0%;width:80%");
    }

    [Fact]
    public void Heals_are_counted_by_finding_and_what_was_only_made_is_no_heal() =>
        Figures.Heals(History).Should().Equal((FindingIds.OnBranch, 2), (FindingIds.Untracked, 1));

    [Fact]
    public void Waits_are_counted_by_length()
    {
        Figures.WaitsByLength([TimeSpan.Zero, TimeSpan.FromMilliseconds(99), TimeSpan.FromSeconds(1), TimeSpan.FromHours(2)]).Select(wait => wait.Claims).Should().Equal(2, 0, 1, 0, 1);
        TimeSpan[] ten = [.. Enumerable.Range(1, 10).Select(second => TimeSpan.FromSeconds(second))];
        (Figures.Quantile(ten, 0.5), Figures.Quantile(ten, 0.95), Figures.Quantile(ten[..1], 0.5)).Should().Be((TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1)));
        Page.Should().Contain("Of 3 claims half waited at most 2 ms");
    }

    [Fact]
    public void A_pool_in_which_nothing_has_happened_has_a_report_too() =>
        HtmlReport.Of(SamplePool.Of(1, _ => SlotState.Free), [], SamplePool.Now).Should().ContainAll("Nothing needs doing", "No lease", "Nothing has happened yet", "</html>");
}
