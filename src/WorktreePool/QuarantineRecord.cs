namespace WorktreePool;

/// <summary>Why and until when a slot is set aside.</summary>
/// <param name="Reason">In words, with the findings that would not go away.</param>
/// <param name="RetryAt">When healing is tried again, UTC.</param>
/// <param name="Failures">How often healing has failed in a row; at least 1.</param>
public sealed record QuarantineRecord(string Reason, DateTimeOffset RetryAt, int Failures);
