using System.Globalization;
using System.Text;

namespace WorktreePool.Cli.Output;

/// <summary>All hosts of a pool, for people and for programs.</summary>
internal static class FleetStatus
{
    public static FleetDocument Document(FleetSnapshot fleet, IReadOnlyList<HostState> placement) => new(
        fleet.Pool, fleet.Paused is { } paused ? new PausedDocument(paused.Reason, paused.Since) : null, fleet.Total, fleet.Free, fleet.Unreachable,
        [.. fleet.Hosts.Select(host => new HostDocument(host.Host, host.IsReachable, host.CheckedInAt, Mapping.Counts(host.Counts), host.Free, host.Ready, host.Unreachable))],
        [.. placement.Select(host => host.Host)]);

    public static string Text(FleetSnapshot fleet, IReadOnlyList<HostState> placement, DateTimeOffset now)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{fleet.Pool}: {fleet.Total} slots on {fleet.Hosts.Count} hosts: {fleet.Free} free, {fleet.Unreachable} unreachable\n");
        if (fleet.Paused is { } paused)
        {
            text.Append(CultureInfo.InvariantCulture, $"PAUSED since {paused.Since:u} {paused.Reason}\n");
        }

        List<string[]> rows = [["host", "slots", "free", "ready", "leased", "healing", "quarantined", "absent", "checked in", "note"]];
        rows.AddRange(fleet.Hosts.Select(host => Row(host, now)));
        text.Append(Output.Text.Table(rows));
        text.Append(placement.Count == 0 ? "\nno host has a free slot" : $"\nbest place for a claim: {string.Join(", ", placement.Select(host => host.Host))}");
        return text.ToString();
    }

    private static string[] Row(HostState host, DateTimeOffset now)
    {
        PoolCounts counts = host.Counts;
        string seen = host.CheckedInAt is { } at ? $"{Ago.Long(now - at)} ago" : "never";
        return host.IsReachable
            ? [host.Host, N(counts.Total), N(host.Free), N(host.Ready), N(counts.Leased), N(counts.Preparing + counts.Cleaning), N(counts.Quarantined), N(counts.Absent), seen, ""]
            : [host.Host, N(counts.Total), "-", "-", "-", "-", "-", "-", seen, "UNREACHABLE: it has not checked in; its leases end, its slots are cleaned when it is back"];
    }

    private static string N(int number) => number.ToString(CultureInfo.InvariantCulture);
}
