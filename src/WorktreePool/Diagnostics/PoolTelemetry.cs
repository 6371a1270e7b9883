using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace WorktreePool.Diagnostics;

/// <summary>
/// The pool's metrics and traces: one meter and one source, named <c>WorktreePool</c>, after OpenTelemetry's <c>db.client.connection.*</c>. docs/telemetry.md describes each.
/// Nothing is measured, and no object made, while nobody listens. No key and no token is in any metric, no token in any trace.
/// </summary>
internal static class PoolTelemetry
{
    /// <summary>The name of the meter and of the source.</summary>
    public const string Name = "WorktreePool";

    private const string PoolTag = "worktreepool.pool.name";
    private const string OutcomeTag = "worktreepool.outcome";

    private static readonly Meter Meter = new(Name);
    private static readonly ActivitySource Source = new(Name);

    private static readonly Histogram<double> Claims = Meter.CreateHistogram<double>("worktreepool.claim.duration", "s", "How long a claim took, waiting and preparation included.");
    private static readonly Histogram<double> Waits = Meter.CreateHistogram<double>("worktreepool.claim.wait_time", "s", "How long a granted claim waited for a slot.");
    private static readonly Histogram<double> Preparations = Meter.CreateHistogram<double>("worktreepool.claim.prepare_time", "s", "How long a granted claim's slot was prepared.");
    private static readonly UpDownCounter<long> Pending = Meter.CreateUpDownCounter<long>("worktreepool.claim.pending_requests", "{request}", "How many claims of this process are under way.");
    private static readonly Histogram<double> Releases = Meter.CreateHistogram<double>("worktreepool.release.duration", "s", "How long a release took.");
    private static readonly Histogram<double> Fetches = Meter.CreateHistogram<double>("worktreepool.fetch.duration", "s", "How long a fetch of the base took.");
    private static readonly Histogram<double> Passes = Meter.CreateHistogram<double>("worktreepool.keeper.pass.duration", "s", "How long a pass of the keeper took.");
    private static readonly Counter<long> Events = Meter.CreateCounter<long>("worktreepool.slot.events", "{event}", "What happened to slots, by event.");
    private static readonly Counter<long> Findings = Meter.CreateCounter<long>("worktreepool.slot.findings", "{finding}", "What was found wrong with slots and healed, by finding.");
    private static readonly Counter<long> Rescues = Meter.CreateCounter<long>("worktreepool.rescues", "{rescue}", "How much work was rescued.");

    /// <summary>An operation that is measured; null when nobody listens.</summary>
    public static Operation? StartClaim(string pool, TimeProvider time, string key)
    {
        Activity? activity = Source.StartActivity("worktreepool.claim")?.SetTag(PoolTag, pool).SetTag("worktreepool.key", key);
        if (Pending.Enabled)
        {
            Pending.Add(1, new KeyValuePair<string, object?>(PoolTag, pool));
            return new Operation(pool, time, activity, Claims, isPending: true);
        }

        return activity is null && !Claims.Enabled ? null : new Operation(pool, time, activity, Claims, isPending: false);
    }

    public static Operation? StartRelease(string pool, TimeProvider time) => Start(pool, time, "worktreepool.release", Releases);

    public static Operation? StartFetch(string pool, TimeProvider time) => Start(pool, time, "worktreepool.fetch", Fetches);

    public static Operation? StartPass(string pool, TimeProvider time) => Start(pool, time, "worktreepool.keeper.pass", Passes);

    /// <summary>A claim was granted.</summary>
    public static void Granted(string pool, TimeSpan waited, TimeSpan prepared)
    {
        Waits.Record(waited.TotalSeconds, new KeyValuePair<string, object?>(PoolTag, pool));
        Preparations.Record(prepared.TotalSeconds, new KeyValuePair<string, object?>(PoolTag, pool));
    }

    /// <summary>Something happened.</summary>
    public static void Count(string pool, HistoryEntry entry)
    {
        if (Events.Enabled)
        {
            Events.Add(1, new KeyValuePair<string, object?>(PoolTag, pool), new("worktreepool.event", Word(entry.Event.ToString())));
        }

        if (Findings.Enabled)
        {
            foreach (string finding in entry.Findings)
            {
                Findings.Add(1, new KeyValuePair<string, object?>(PoolTag, pool), new("worktreepool.finding", finding));
            }
        }

        if (Rescues.Enabled && entry.Rescued.Count > 0)
        {
            Rescues.Add(entry.Rescued.Count, new KeyValuePair<string, object?>(PoolTag, pool));
        }
    }

    /// <summary>An enum's name as OpenTelemetry writes values: words in lowercase, joined by underscores.</summary>
    public static string Word(string name) => string.Concat(name.Select((letter, at) => char.IsUpper(letter) && at > 0 ? $"_{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));

    private static Operation? Start(string pool, TimeProvider time, string name, Histogram<double> duration)
    {
        Activity? activity = Source.StartActivity(name)?.SetTag(PoolTag, pool);
        return activity is null && !duration.Enabled ? null : new Operation(pool, time, activity, duration, isPending: false);
    }

    /// <summary>One operation under way. Disposed without <see cref="End"/>, it failed.</summary>
    internal sealed class Operation(string pool, TimeProvider time, Activity? activity, Histogram<double> duration, bool isPending) : IDisposable
    {
        private readonly long _start = time.GetTimestamp();
        private string _outcome = "error";

        /// <summary>How it ended.</summary>
        public void End(string outcome, string? slot = null)
        {
            _outcome = outcome;
            if (slot is not null)
            {
                activity?.SetTag("worktreepool.slot", slot);
            }
        }

        public void Dispose()
        {
            duration.Record(time.GetElapsedTime(_start).TotalSeconds, new KeyValuePair<string, object?>(PoolTag, pool), new(OutcomeTag, _outcome));
            if (isPending)
            {
                Pending.Add(-1, new KeyValuePair<string, object?>(PoolTag, pool));
            }

            activity?.SetTag(OutcomeTag, _outcome).SetStatus(_outcome == "error" ? ActivityStatusCode.Error : ActivityStatusCode.Unset).Dispose();
        }
    }
}
