using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using WorktreePool.Testing;
using WorktreePool.Tests.Architecture;

namespace WorktreePool.Tests.Runtime;

/// <summary>Every metric and span is measured, documented, and free of secrets.</summary>
public sealed class TelemetryTests : RuntimeTest
{
    [Fact]
    public async Task Every_metric_and_span_is_heard_and_none_tells_a_token()
    {
        var heard = new ConcurrentDictionary<string, ConcurrentQueue<string>>();
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "WorktreePool")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        void Hear(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            // Other tests measure at the same time: only this one's pool counts.
            string text = string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}").Prepend($"{value}"));
            if (text.Contains("worktreepool.pool.name=telemetry", StringComparison.Ordinal))
            {
                heard.GetOrAdd(instrument.Name, _ => []).Enqueue(text);
            }
        }

        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Hear(instrument, value, tags));
        meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Hear(instrument, value, tags));
        meters.Start();
        var spans = new ConcurrentQueue<Activity>();
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "WorktreePool",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.GetTagItem("worktreepool.pool.name") is "telemetry")
                {
                    spans.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(activities);

        FakeProcess process = Machine.Start(name: "telemetry");
        await process.Pool.MaintainAsync(Token);
        Machine.Slot(0).Write("work.txt");
        SlotLease lease = await process.Pool.ClaimAsync(new ClaimRequest { Key = "A", CheckInEvery = TimeSpan.FromMinutes(1) }, Token);
        await process.Pool.ClaimWhatFitsAsync([new ClaimRequest { Key = "A" }, new ClaimRequest { Key = "" }], Token);
        Machine.Time.Advance(TimeSpan.FromMinutes(2));
        meters.RecordObservableInstruments();
        await lease.ReleaseAsync(cancellationToken: Token);

        IEnumerable<string> documented = Documented().Where(name => !spans.Any(span => span.OperationName == name));
        heard.Keys.Should().BeEquivalentTo(documented);
        spans.Select(span => span.OperationName).Distinct().Should().BeEquivalentTo(Documented().Except(heard.Keys));
        heard["worktreepool.claim.duration"].Should().HaveCount(3).And.Contain(text => text.Contains("outcome=claimed")).And.Contain(text => text.Contains("outcome=key_held")).And.Contain(text => text.Contains("outcome=error"));
        heard["worktreepool.slot.count"].Should().Contain(text => text.StartsWith("1 ") && text.EndsWith("state=leased"));
        heard["worktreepool.lease.overdue"].Should().ContainSingle().Which.Should().StartWith("1 ");
        heard["worktreepool.base.age"].Should().ContainSingle().Which.Should().StartWith("120 ");
        heard["worktreepool.claim.pending_requests"].Sum(text => int.Parse(text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)).Should().Be(0);
        heard["worktreepool.slot.findings"].Should().Contain(text => text.Contains(FindingIds.Untracked));
        spans.Should().Contain(span => span.OperationName == "worktreepool.claim" && span.Status == ActivityStatusCode.Error);
        string all = string.Join('\n', heard.Values.SelectMany(texts => texts).Concat(spans.SelectMany(span => span.TagObjects).Select(tag => $"{tag.Key}={tag.Value}")));
        all.Should().NotContain(lease.Token.Value).And.NotContain(lease.Token.Value.Split('.')[2]).And.NotContain(lease.Token.Hash);
    }

    [Fact]
    public void The_documentation_names_what_the_code_measures_and_logs()
    {
        string code = Sources.Read("src/WorktreePool/Diagnostics/PoolTelemetry.cs") + Sources.Read("src/WorktreePool/Runtime/PoolGauges.cs");
        string page = Sources.Read("docs/telemetry.md");

        Names(code, "\"").Should().BeEquivalentTo(Names(page, "`"), "metrics, spans and attributes are the same in code and documentation");
        IEnumerable<string> events = Regex.Matches(Sources.Read("src/WorktreePool/Diagnostics/PoolLog.cs"), @"LoggerMessage\((\d+), LogLevel\.(\w+).*?\n.*? void (\w+)\(").Select(match => $"| {match.Groups[1]} | {match.Groups[3]} | {match.Groups[2]} |");
        events.Should().OnlyContain(row => page.Contains(row, StringComparison.Ordinal)).And.HaveCount(Regex.Count(page, @"^\| \d+ \|", RegexOptions.Multiline));
        static string[] Names(string text, string quote) => [.. Regex.Matches(text, $"{quote}(worktreepool\\.[a-z_.]+){quote}").Select(match => match.Groups[1].Value).Distinct()];
    }

    [Theory]
    [InlineData("docs/grafana-dashboard.json")]
    [InlineData("docs/prometheus-alerts.yml")]
    public void Dashboard_and_alerts_use_metrics_that_there_are(string file)
    {
        string[] known = [.. Documented().Select(name => name.Replace('.', '_'))];
        string[] attributes = ["worktreepool_pool_name", "worktreepool_slot_state", "worktreepool_outcome", "worktreepool_event", "worktreepool_finding"];
        string[] used = [.. Regex.Matches(Sources.Read(file), @"worktreepool_\w+").Select(match => Regex.Replace(match.Value, "(_seconds)?(_bucket|_count|_total)?$", "")).Distinct()];

        used.Should().NotBeEmpty();
        used.Should().OnlyContain(name => attributes.Contains(name) || known.Contains(name) || known.Contains($"{name}_count"));
        if (file.EndsWith(".json", StringComparison.Ordinal))
        {
            using var _ = System.Text.Json.JsonDocument.Parse(Sources.Read(file));
            known.Where(name => name is not "worktreepool_claim" and not "worktreepool_release" and not "worktreepool_fetch" and not "worktreepool_keeper_pass")
                .Should().OnlyContain(name => Sources.Read(file).Contains(name, StringComparison.Ordinal), "the dashboard shows every metric");
        }
    }

    /// <summary>The metrics and spans of the documentation: the first column of their tables.</summary>
    private static string[] Documented() => [.. Regex.Matches(Sources.Read("docs/telemetry.md"), @"^\| `(worktreepool\.[a-z_.]+)` \|", RegexOptions.Multiline).Select(match => match.Groups[1].Value)];
}
