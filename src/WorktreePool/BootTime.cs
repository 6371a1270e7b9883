namespace WorktreePool;

/// <summary>A moment by a machine's own clock, which nobody can set: it counts from the start of the machine and stands still while the machine sleeps.</summary>
/// <param name="BootId">Which start; moments of two different ones cannot be compared.</param>
/// <param name="SinceBoot">How long after it.</param>
public sealed record BootTime(string BootId, TimeSpan SinceBoot);
