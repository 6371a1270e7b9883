using System.Text.Json.Serialization;

namespace WorktreePool.Cli.Output;

// The command's JSON contract. Names and meanings may only grow; a member that may be null is written as null.
internal sealed record ErrorDocument(string Outcome, string Code, string Message);

internal sealed record ClaimDocument(
    string Outcome, string Key, string Slot, string Path, string Token, long Epoch, string Commit, string? Branch, DateTimeOffset ClaimedAt,
    DateTimeOffset? ExpiresAt, IReadOnlyList<string> Healed, IReadOnlyList<string> Rescued, double WaitedMs, double PrepareMs);

internal sealed record RefusalDocument(
    string Outcome, string Reason, string Key, string Message, HolderDocument? Holder, CountsDocument Counts, double? RetryAfterMs);

internal sealed record HolderDocument(string Slot, DateTimeOffset Since, OwnerDocument Owner);

internal sealed record OwnerDocument(string Host, int? Pid, bool? Alive, DateTimeOffset? ExpiresAt);

internal sealed record CountsDocument(int Total, int Free, int Leased, int Preparing, int Cleaning, int Quarantined, int Absent);

internal sealed record BaseDocument(string Ref, string? Commit);

internal sealed record PausedDocument(string Reason, DateTimeOffset Since);

internal sealed record HealDocument(DateTimeOffset At, IReadOnlyList<string> Findings);

internal sealed record QuarantineDocument(string Reason, DateTimeOffset RetryAt, int Failures);

internal sealed record SlotDocument(
    string Slot, string Path, string State, string? Key, string? Branch, string? Commit, long Epoch, OwnerDocument? Owner, DateTimeOffset? ClaimedAt,
    DateTimeOffset? CheckedInAt, bool Overdue, IReadOnlyDictionary<string, string> Meta, HealDocument? LastHeal, QuarantineDocument? Quarantine);

internal sealed record StatusDocument(string Pool, BaseDocument Base, PausedDocument? Paused, CountsDocument Counts, IReadOnlyList<SlotDocument> Slots, RepositoryDocument Repository, string? Obstacle);

internal sealed record ReleaseDocument(string Outcome, string Slot, string Commit, IReadOnlyList<string> Rescued, double CleanMs);

internal sealed record FindingDocument(string Id, string Detail, string Meaning, string Remedy);

internal sealed record ExaminedDocument(string Slot, bool Ready, IReadOnlyList<FindingDocument> Findings, bool Fixed, string State, string? Key, QuarantineDocument? Quarantine);

internal sealed record RepositoryDocument(IReadOnlyList<FindingDocument> Findings);

/// <summary>A slot that was taken from its holder.</summary>
internal sealed record ForcedDocument(string Slot, string Key, IReadOnlyList<string> Rescued);

internal sealed record DoctorDocument(bool Ready, IReadOnlyList<ExaminedDocument> Slots, RepositoryDocument Repository, ForcedDocument? Forced);

/// <summary>Verdict: ready, warns or fails.</summary>
internal sealed record CheckDocument(string Id, string Verdict, string Detail, string? Remedy);

internal sealed record ReadinessDocument(bool Ready, string Repository, int Slots, IReadOnlyList<CheckDocument> Checks);

internal sealed record RescueDocument(string Id, string Ref, string Commit, string? Key, string Slot, DateTimeOffset At, int Files, int Commits, string Reason);

internal sealed record RescuesDocument(IReadOnlyList<RescueDocument> Rescues);

internal sealed record RescueShownDocument(string Id, string Text);

internal sealed record DoneDocument(string Outcome, string Detail);

internal sealed record RenewedDocument(string Outcome, string Key, string Slot, DateTimeOffset? ExpiresAt);

internal sealed record MaintainedDocument(
    string Outcome, IReadOnlyList<string> Reclaimed, IReadOnlyList<string> Healed, IReadOnlyList<string> Quarantined, IReadOnlyList<string> Rescued,
    IReadOnlyList<string> Yielded, IReadOnlyList<string> Overdue, IReadOnlyList<string> Failures);

internal sealed record KeptDocument(string Outcome, KeeperDocument Keeper);

internal sealed record KeeperDocument(string Host, int Pid, DateTimeOffset Since);

internal sealed record HistoryDocument(IReadOnlyList<EntryDocument> Entries);

internal sealed record EntryDocument(
    DateTimeOffset At, string Event, string? Slot, string? Key, long Epoch, string? Detail, IReadOnlyList<string> Findings, IReadOnlyList<string> Rescued,
    double? WaitedMs, double? PrepareMs, string? Host);

internal sealed record ConfigDocument(string Pool, IReadOnlyList<SettingDocument> Settings);

internal sealed record SettingDocument(string Name, string? Value, string Source);

internal sealed record MigratedDocument(string Outcome, string From, string To, int Slots, int History);

internal sealed record FleetDocument(
    string Pool, PausedDocument? Paused, int Total, int Free, int Unreachable, IReadOnlyList<HostDocument> Hosts, IReadOnlyList<string> Placement);

internal sealed record HostDocument(string Host, bool Reachable, DateTimeOffset? CheckedInAt, CountsDocument Counts, int Free, int Ready, int Unreachable);

internal sealed record TrustDocument(string Outcome, IReadOnlyList<FindingDocument> Changed);

internal sealed record DemoDocument(string Outcome, bool Ready, IReadOnlyList<string> Tickets);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(ClaimDocument))]
[JsonSerializable(typeof(RefusalDocument))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(ReleaseDocument))]
[JsonSerializable(typeof(DoctorDocument))]
[JsonSerializable(typeof(ReadinessDocument))]
[JsonSerializable(typeof(RescuesDocument))]
[JsonSerializable(typeof(RescueShownDocument))]
[JsonSerializable(typeof(DoneDocument))]
[JsonSerializable(typeof(RenewedDocument))]
[JsonSerializable(typeof(MaintainedDocument))]
[JsonSerializable(typeof(KeptDocument))]
[JsonSerializable(typeof(HistoryDocument))]
[JsonSerializable(typeof(EntryDocument))]
[JsonSerializable(typeof(RescueDocument))]
[JsonSerializable(typeof(ConfigDocument))]
[JsonSerializable(typeof(MigratedDocument))]
[JsonSerializable(typeof(FleetDocument))]
[JsonSerializable(typeof(TrustDocument))]
[JsonSerializable(typeof(DemoDocument))]
internal sealed partial class AnswerJson : JsonSerializerContext;

/// <summary>The same, for files that people open.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DoctorDocument))]
internal sealed partial class ReadableAnswerJson : JsonSerializerContext;
