namespace WorktreePool;

/// <summary>A heal that happened.</summary>
/// <param name="At">When, UTC.</param>
/// <param name="Findings">The ids of what was wrong; see <see cref="FindingIds"/>.</param>
public sealed record HealRecord(DateTimeOffset At, IReadOnlyList<string> Findings);
